"""Writes what an instance tells of itself: see ``aio.labels``."""

from __future__ import annotations

import asyncio
import contextvars
import time

from ...aio.labels import are_written
from ...aio.loop import InstanceLoop
from ...errors import StoreError
from ...log import logger
from .lease import InstanceLease

INTERVAL = 0.2  # seconds between two writes
AFTER_ERROR = 5.0  # seconds until it is tried again


class LabelWriter:
    """Writes what ``loop.labels`` has, by the claim that ``lease`` has; in the event loop ``real``."""

    def __init__(self, loop: InstanceLoop, lease: InstanceLease, real: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._real = real
        self._lease = lease
        self._is_due = False  # or being written
        self._next_at = 0.0  # by ``time.monotonic``
        self._is_finished = False
        self._writing: asyncio.Task[None] | None = None

    def is_told(self) -> None:
        """There is something to write. In any thread."""
        if not self._is_due and not self._is_finished:
            self._is_due = True
            self._real.call_soon_threadsafe(self._begin, context=contextvars.Context())

    def _begin(self) -> None:
        if self._writing is None:
            self._writing = asyncio.ensure_future(self._write_all())

    async def _write_all(self) -> None:
        try:
            while self._loop.labels and not self._is_finished and self._lease.claim is not None:
                await asyncio.sleep(max(self._next_at - time.monotonic(), 0.0))
                self._next_at = time.monotonic() + (INTERVAL if await self._write() else AFTER_ERROR)
        finally:
            self._is_due, self._writing = False, None
            if self._loop.labels and not self._is_finished:  # told in a thread, at this moment
                self.is_told()

    async def _write(self) -> bool:
        claim, labels = self._lease.claim, self._loop.labels
        if claim is None or not labels:
            return True
        try:
            await self._lease.host.instances.set_tags(claim, labels)
        except (StoreError, OSError) as error:
            logger.debug("labels of instance %s were not written: %s", claim.instance_id, error, extra=self._lease.about())
            return False
        are_written(self._loop, labels)
        return True

    async def finish(self) -> None:
        """Write what is left, before the instance is let go of."""
        self._is_finished, writing = True, self._writing
        if writing is not None:
            writing.cancel()
            await asyncio.wait([writing])
        if not await self._write():
            logger.warning(
                "what instance %s has told of itself last (tags, progress) was not written", self._loop.instance_id,
                extra=self._lease.about(),
            )  # fmt: skip
