"""Headless Chromium, in which tests look at pages; tox -e browser and tox -e docs install what Python needs for it."""

import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterator

import pytest

_PROGRAMS = [shutil.which("chromium"), shutil.which("chromedriver")]
_MISSING = "Chromium or its driver is not installed; on Debian: apt-get install chromium chromium-driver"
_OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--window-size=1200,900"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


def skip_without_browser() -> None:
    """Leave a module of tests out where there is no browser, unless there has to be one."""
    if os.environ.get("VIAM_SYNC_BROWSER") != "required":
        pytest.importorskip("selenium", reason="Selenium is not installed")
        if None in _PROGRAMS:
            pytest.skip(_MISSING, allow_module_level=True)


@contextmanager
def chromium(profile: Path) -> Iterator[Any]:
    """Run a browser that keeps its files in a folder."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    assert None not in _PROGRAMS, _MISSING
    options = webdriver.ChromeOptions()
    options.binary_location, driver = _PROGRAMS
    for option in (*_OPTIONS, f"--user-data-dir={profile}"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    # A driver that is named is not looked for, or fetched, elsewhere.
    browser = webdriver.Chrome(options, Service(executable_path=driver))
    try:
        yield browser
    finally:
        browser.quit()


def show_on_screen(browser: Any, width: int, height: int = 800) -> None:
    """Let pages be laid out for a screen of a size in pixels; a narrow one is that of a phone."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
