"""The check of what is installed: Python, and the libraries that calls need."""

import importlib
import platform
import re
from typing import Any, List, Mapping, NamedTuple, Tuple

from viam_sync import __version__
from viam_sync.checkup.check_result import OK, WRONG, CheckResult


class Library(NamedTuple):
    """A library.

    Attributes:
        module: The module that knows its version.
        lowest: The lowest version that will do.
        above: The version above those that will.
    """

    module: str
    lowest: Tuple[int, ...]
    above: Tuple[int, ...]


#: The libraries that calls need, as ``setup.cfg`` asks for them.
LIBRARIES: Mapping[str, Library] = {
    "grpcio": Library("grpc", (1, 32), (2,)),
    "protobuf": Library("google.protobuf", (4, 22), (8,)),
}


def check_versions() -> CheckResult:
    """Check which versions are installed, and that they load."""
    texts = [f"viam-sync {__version__}", f"Python {platform.python_version()}"]
    for name, library in LIBRARIES.items():
        install = f"Run {_install(name, library)}"
        try:
            module: Any = importlib.import_module(library.module)
        except Exception as error:  # a library that is half there fails in its own way
            return CheckResult("versions", WRONG, f"{name} cannot be loaded: {type(error).__name__}: {error}", install)
        if not library.lowest <= _numbers(module.__version__) < library.above:
            return CheckResult("versions", WRONG, f"{name} {module.__version__} does not fit viam-sync.", install)
        texts.append(f"{name} {module.__version__}")
    return CheckResult("versions", OK, f"{', '.join(texts)}, {platform.system()} {platform.machine()}")


def _install(name: str, library: Library) -> str:
    lowest, above = (".".join(map(str, version)) for version in (library.lowest, library.above))
    return f'pip install --force-reinstall "{name}>={lowest},<{above}".'


def _numbers(version: str) -> Tuple[int, ...]:
    found: List[str] = re.findall(r"\d+", version)
    return tuple(map(int, found[:3]))
