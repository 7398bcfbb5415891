"""What ``pyproject.toml`` cannot say: the examples lie beside the package in a checkout, and in it where it is installed."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class WithExamples(build_py):
    """The modules of the package, and the examples."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            place = Path(self.build_lib) / "durable_import" / "examples"
            shutil.copytree("examples", place, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__", ".durable"))


setup(cmdclass={"build_py": WithExamples})
