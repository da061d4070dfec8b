"""The pages on installing and on versions say what setup.cfg and tox.ini do."""

import configparser
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
COMPATIBILITY = (ROOT / "docs" / "compatibility.md").read_text(encoding="utf-8")
INSTALL = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
TOX = (ROOT / "tox.ini").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def setup() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


def test_the_page_has_the_lowest_version_of_each_dependency(setup: configparser.ConfigParser) -> None:
    allowed = dict(re.findall(r"(?m)^(\w+)>=([\d.]+)", setup["options"]["install_requires"]))
    tested = dict(re.findall(r"(?m)^ +lowest: (\w+)==([\d.]+)$", TOX))
    rows = re.findall(r"(?m)^\| `(\w+)`[^|]*\| ([\d.]+) [^|]*\| ([\d.]+), and the newest", COMPATIBILITY)
    assert {name: lowest for name, lowest, _ in rows} == allowed
    assert {name: version for name, _, version in rows} == {name: tested[name] for name in allowed}


def test_the_pages_have_the_versions_of_python_and_of_the_official_sdk(setup: configparser.ConfigParser) -> None:
    versions = re.findall(r"Python :: (3\.\d+)", setup["metadata"]["classifiers"])
    assert f"| Python | {versions[0]} to {versions[-1]} |" in COMPATIBILITY
    assert f"Python {versions[0]} or newer" in INSTALL
    oldest, newest = (re.findall(rf"parity-{age}: viam-sdk==([\d.]+)", TOX)[0] for age in ("oldest", "newest"))
    assert f"{oldest} and {newest}, call by call" in COMPATIBILITY
    assert f"`viam-sdk` {newest};" in COMPATIBILITY


def test_the_page_on_installing_has_each_extra(setup: configparser.ConfigParser) -> None:
    assert re.findall(r"(?m)^\| `(\w+)` \|", INSTALL) == list(setup["options.extras_require"])
