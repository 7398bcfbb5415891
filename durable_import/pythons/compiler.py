"""What ``compile`` takes."""

from __future__ import annotations

from typing import Any

_TAKES_MODULE = "module=" in (getattr(compile, "__text_signature__", None) or "")  # since Python 3.15; before, it guesses


def named(module: str) -> dict[str, Any]:
    """Arguments that tell the compiler which module a source is, for filters of its warnings."""
    return {"module": module} if module and _TAKES_MODULE else {}
