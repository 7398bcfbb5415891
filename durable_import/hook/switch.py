"""What rewritten code asks before anything else: it goes its plain way while ``ON`` is empty."""

from __future__ import annotations

import os
from typing import Any

ON: list[Any] = []  # the runtimes of this process, and ``STRICT`` in strict mode
STRICT: list[str] = []  # what has asked for strict mode: rewritten code that is no part of an instance refuses to run
VARIABLE = "DURABLE_STRICT"


def set_strict(strict: bool | None) -> None:
    """Switch strict mode on or off; None: as the environment says, if it says something."""
    asked_by = "durable_import.install(strict=True)"
    if strict is None:
        wanted = os.environ.get(VARIABLE, "")
        if not wanted:
            return
        strict, asked_by = wanted != "0", f"{VARIABLE}={wanted}"
    ON[:] = [each for each in ON if each is not STRICT]
    STRICT[:] = [asked_by] if strict else []
    if strict:
        ON.append(STRICT)
