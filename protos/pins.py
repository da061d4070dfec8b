"""Checks that the packages pinned in requirements.txt are installed; needs nothing but Python itself."""

import re
import sys
from importlib import metadata
from pathlib import Path
from typing import List

REQUIREMENTS = Path(__file__).with_name("requirements.txt")

#: One pinned package, and the minor version of Python 3 that no longer needs it.
_PIN = re.compile(r'(?P<name>[\w-]+)==(?P<version>[\w.]+)(; python_version < "3\.(?P<minor>\d+)")?')


def unmet() -> List[str]:
    """Return a phrase for each pinned package that is not installed, or is in another version."""
    phrases = []
    for line in REQUIREMENTS.read_text(encoding="utf-8").splitlines():
        pin = _PIN.fullmatch(line)
        if pin is None or (pin["minor"] and sys.version_info >= (3, int(pin["minor"]))):
            continue
        found = _installed(pin["name"])
        if found != pin["version"]:
            phrases.append(f"{pin['name']} {pin['version']} ({found or 'none'} is installed)")
    return phrases


def require_pins() -> None:
    """Exit with one line that says what to install, unless every pin is met."""
    if sys.version_info < (3, 10):
        sys.exit(f"The generator needs Python 3.10 or newer; this is {sys.version.split()[0]}.")
    phrases = unmet()
    if phrases:
        sys.exit(f"The generator needs {', '.join(phrases)}; run: python -m pip install -r protos/requirements.txt")


def _installed(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""
