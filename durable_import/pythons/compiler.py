"""What ``compile`` takes."""

from __future__ import annotations

import sys
from typing import Any


def named(module: str) -> dict[str, Any]:
    """Arguments that tell the compiler which module a source is, for filters of its warnings; before Python 3.15 it guesses."""
    return {"module": module} if module and sys.version_info >= (3, 15) else {}
