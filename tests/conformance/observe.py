"""``python -m tests.conformance.observe native|rewritten``: prints what ``observations`` observes."""

from __future__ import annotations

import sys

from .worker import IMPORTS

if __name__ == "__main__":
    NAME = "tests.conformance.observations"
    IMPORTS[sys.argv[1]](NAME).main()
