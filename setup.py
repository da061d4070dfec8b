"""Everything is said in setup.cfg, except that a build starts from an empty folder, and takes the lessons along."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class CleanBuildPy(build_py):
    """Copies the package into an empty folder: a wheel holds all that is there, modules of older builds included.

    The lessons are in ``examples``, where teachers look for them; an installed package has them in a folder of its own.
    """

    def run(self) -> None:
        """Empty the folder, then copy; an editable install copies nothing."""
        if self.editable_mode:
            super().run()
            return
        if Path(self.build_lib).is_dir():
            shutil.rmtree(self.build_lib)
        super().run()
        course = Path(self.build_lib, "viam_sync", "lessons", "course")
        course.mkdir()
        for path in [*Path("examples").glob("*.py"), *Path("examples").glob("*.ipynb")]:
            shutil.copyfile(path, course / path.name)


setup(cmdclass={"build_py": CleanBuildPy})
