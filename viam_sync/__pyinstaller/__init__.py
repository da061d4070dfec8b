"""The hook with which PyInstaller puts all of the client into a bundle; it finds it by an entry point."""

from pathlib import Path
from typing import List


def get_hook_dirs() -> List[str]:
    """Return the folders that hold hooks.

    Example:
        >>> from viam_sync.__pyinstaller import get_hook_dirs
        >>> len(get_hook_dirs())
        1
    """
    return [str(Path(__file__).parent)]
