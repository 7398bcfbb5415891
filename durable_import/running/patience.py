"""The one way in which what an instance needs of its store is asked for: while the store is away, again and again.

What can never be done is a StoreRefusedError, and is not tried again; nor is what is wrong with the asking.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from ..errors import StoreUnavailableError
from ..log import logger

T = TypeVar("T")

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 30.0  # seconds between attempts
AWAY = (StoreUnavailableError, OSError)


async def patiently(
    ask: Callable[[], Awaitable[T]], patience: float | None, what: str, about: Callable[[], dict[str, object]]
) -> T:
    """What ``ask`` gives. While the store is away it is asked again, for ``patience`` seconds (None: for ever).

    ``what``: what waits for that, for the log, as is what ``about`` gives.
    """
    waited, pause = 0.0, FIRST_PAUSE
    while True:
        try:
            return await ask()
        except AWAY as error:
            if patience is not None and waited >= patience:
                raise
            logger.warning("%s, next attempt in %.1f s: %s", what, pause, error, extra=about())
        await asyncio.sleep(pause)
        waited, pause = waited + pause, min(pause * 2, LONGEST_PAUSE)
