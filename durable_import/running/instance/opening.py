"""Opening again what an instance had open: it may take for ever, and who suspends or cancels the instance does not wait."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Generic, TypeVar

from ...errors import InstanceSuspendedError

T = TypeVar("T")
PATIENCE = 1.0  # seconds that an opening still has when the instance is cancelled: then its cleanup can run


class OpeningCancelledError(Exception):
    """The instance was cancelled, and what it had open was not there in time."""


class Opening(Generic[T]):
    """One opening: ``coroutine`` in a task of its own."""

    def __init__(self, coroutine: Coroutine[Any, Any, T]) -> None:
        self._task = asyncio.ensure_future(coroutine)
        self._is_suspended = self._is_cancelled = False

    async def result(self, instance_id: str) -> T:
        """What it gives. Raises InstanceSuspendedError and OpeningCancelledError if it was ended by that."""
        try:
            return await self._task
        except asyncio.CancelledError:
            if self._is_suspended:
                raise InstanceSuspendedError(
                    f"instance {instance_id!r} was suspended while what it had open was opened again: its state is kept, and it "
                    "goes on when it is run again"
                ) from None
            if self._is_cancelled:
                raise OpeningCancelledError from None
            raise

    def suspend(self) -> None:
        """End it now."""
        self._is_suspended = True
        self._task.cancel()

    def cancel_soon(self) -> None:
        """End it if it does not end by itself."""
        if not self._is_cancelled:
            self._is_cancelled = True
            asyncio.get_running_loop().call_later(PATIENCE, self._task.cancel)
