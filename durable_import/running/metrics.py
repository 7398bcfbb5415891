"""Metrics of OpenTelemetry: how many instances, steps and checkpoints there are, and how long they take.

Loaded with ``telemetry``. Attributes have few values: the function of an instance, its status, never its id.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable

from opentelemetry import metrics
from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation

from ..errors import DurableError
from ..stores.state import InstanceQuery, InstanceState
from ..stores.store import Store

FUNCTION, STATUS = "durable.function", "durable.status"
PATIENCE = 5.0  # seconds to count in


class Metrics:
    """The instruments of one runtime, by ``provider``; None: the global one."""

    def __init__(self, store: Store, provider: MeterProvider | None = None) -> None:
        self._store = store
        self._loop: asyncio.AbstractEventLoop | None = None
        self._counts: dict[str, int] = {}
        meter = metrics.get_meter("durable_import", meter_provider=provider)
        meter.create_observable_gauge("durable.instances", [self._count], "{instance}", "Instances in the store, by status")
        self._steps = meter.create_counter("durable.steps", "{step}", "Steps that have ended")
        self._lives = meter.create_counter(
            "durable.lives", "{life}", "Lives of instances that have ended, by what became of them"
        )
        self._holds = meter.create_counter("durable.holds", "{hold}", "Times that an instance was held and this was told")
        self._time = meter.create_histogram("durable.checkpoint.duration", "s", "From a checkpoint's bytes to its commit")
        self._size = meter.create_histogram("durable.checkpoint.size", "By", "Bytes that a checkpoint writes")
        self._lag = meter.create_histogram("durable.wakeup.lag", "s", "How late an instance that slept out of memory went on")

    def life_begins(self, function: str, wake_at: float | None) -> None:
        """``wake_at``: when an instance that was out of memory was to go on."""
        self._loop = asyncio.get_running_loop()
        late = time.time() - wake_at if wake_at is not None else -1.0
        if late >= 0.0:
            self._lag.record(late, {FUNCTION: function})

    def life_ends(self, function: str, status: str) -> None:
        """``status``: that of the instance."""
        self._lives.add(1, {FUNCTION: function, STATUS: status})

    def step_ends(self, function: str) -> None:
        """Of an instance of this function."""
        self._steps.add(1, {FUNCTION: function})

    def holds(self, function: str) -> None:
        """It is told what holds one."""
        self._holds.add(1, {FUNCTION: function})

    def commit(self, state: InstanceState, size: int, keep: Callable[[], Awaitable[None] | None]) -> Awaitable[None] | None:
        """What ``keep`` gives, which commits a state; noted when it is done."""
        began = time.perf_counter()
        rest = keep()
        if rest is not None:
            return self._committed_later(state.function, size, began, rest)
        self._committed(state.function, size, began)
        return None

    async def _committed_later(self, function: str, size: int, began: float, rest: Awaitable[None]) -> None:
        await rest
        self._committed(function, size, began)

    def _committed(self, function: str, size: int, began: float) -> None:
        attributes = {FUNCTION: function}
        self._time.record(time.perf_counter() - began, attributes)
        self._size.record(size, attributes)

    def _count(self, options: CallbackOptions) -> Iterable[Observation]:
        """In the thread of who exports: asked of the loop, if there is one that is not waiting for this."""
        loop = self._loop
        if loop is not None and loop.is_running() and loop is not _running_loop():
            counting = asyncio.run_coroutine_threadsafe(self._store.count(InstanceQuery(), "status"), loop)
            try:
                counts = counting.result(min(options.timeout_millis / 1000, PATIENCE))
                self._counts = {**dict.fromkeys(self._counts, 0), **counts}  # what there was is 0 now, not as it was
            except (DurableError, OSError, TimeoutError):  # the store cannot say now: the log of the runtime does
                counting.cancel()
                return []
        return [Observation(number, {STATUS: status}) for status, number in self._counts.items()]


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
