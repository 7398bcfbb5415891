"""What is of this package: the beginning of its modules' names, and the folder of their files."""

from __future__ import annotations

import os

NAME = __name__.partition(".")[0]
PREFIX = NAME + "."  # of the names of its modules
FOLDER = os.path.dirname(__file__) + os.sep
