"""Everything is said in setup.cfg, except that a build starts from an empty folder."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class CleanBuildPy(build_py):
    """Copies the package into an empty folder: a wheel holds all that is there, modules of older builds included."""

    def run(self) -> None:
        """Empty the folder, then copy; an editable install copies nothing."""
        if not self.editable_mode and Path(self.build_lib).is_dir():
            shutil.rmtree(self.build_lib)
        super().run()


setup(cmdclass={"build_py": CleanBuildPy})
