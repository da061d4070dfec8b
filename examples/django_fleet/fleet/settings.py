"""The settings of the project, which are for your own computer; ``manage.py check --deploy`` says what others need."""

from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent

DEBUG = True
SECRET_KEY = "django-insecure-everybody-can-read-this-one"

INSTALLED_APPS = [
    "fleet",  # before staticfiles, as both have a command "runserver"
    "viam_sync.django",
    "django.contrib.contenttypes",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "fleet.middleware.CloudErrors",
]
ROOT_URLCONF = "fleet.urls"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "db.sqlite3"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STATIC_URL = "static/"
USE_TZ = True
TIME_ZONE = "UTC"

# The key comes from VIAM_API_KEY_ID and VIAM_API_KEY. Without them runserver starts a sandbox, so their absence is no
# reason to warn.
VIAM = {"TIMEOUT": 10}
SILENCED_SYSTEM_CHECKS = ["viam.W001"]
