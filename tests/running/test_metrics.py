"""Metrics: what is counted and measured, by function and status."""

from __future__ import annotations

import asyncio
from types import ModuleType
from typing import Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from tests.harness.imports import imported_rewritten
from tests.running.conftest import MakeRuntime
from tests.running.effects import open_gates, reached_gates
from tests.running.test_life import until, until_status

FUNCTION, STATUS = "durable.function", "durable.status"


class Measured:
    """What was measured."""

    def __init__(self) -> None:
        self.reader = InMemoryMetricReader()
        self.provider = MeterProvider([self.reader])

    def points(self, name: str) -> dict[tuple[Any, ...], Any]:
        """Those of an instrument, by the values of their attributes."""
        data = self.reader.get_metrics_data()
        assert data is not None
        found = [metric for resource in data.resource_metrics for scope in resource.scope_metrics for metric in scope.metrics]
        points = [point for metric in found if metric.name == f"durable.{name}" for point in metric.data.data_points]
        return {tuple((point.attributes or {}).values()): point for point in points}


async def test_steps_checkpoints_and_lives(make_runtime: MakeRuntime, flows: ModuleType) -> None:
    """Of each function there is how many, how long and how large."""
    measured = Measured()
    async with make_runtime(telemetry=True, meters=measured.provider) as runtime:
        for number in range(2):
            await runtime.run(flows.steps, 5, instance_id=f"steps-{number}")
        counted = await asyncio.to_thread(measured.points, "instances")
    assert counted[("completed",)].value == 2
    assert measured.points("steps")[("steps",)].value == 10
    assert measured.points("lives")[("steps", "completed")].value == 2
    times, sizes = measured.points("checkpoint.duration")[("steps",)], measured.points("checkpoint.size")[("steps",)]
    assert times.count == sizes.count >= 10
    assert 0 < times.sum < 60 * times.count
    assert 100 * sizes.count < sizes.sum < 10_000 * sizes.count


async def test_counts_of_now(make_runtime: MakeRuntime, flows: ModuleType) -> None:
    """A status that nobody has any more is 0; who exports in the loop itself gets the last ones."""
    measured = Measured()
    async with make_runtime(telemetry=True, meters=measured.provider) as runtime:
        handle = await runtime.start(flows.nap, 3600, instance_id="nap")
        await until_status(handle, "sleeping")
        assert (await asyncio.to_thread(measured.points, "instances"))[("sleeping",)].value == 1
        await handle.cancel()
        await until_status(handle, "cancelled")
        assert measured.points("instances")[("sleeping",)].value == 1
        now = await asyncio.to_thread(measured.points, "instances")
        assert (now[("sleeping",)].value, now[("cancelled",)].value) == (0, 1)
    assert measured.points("instances")[("cancelled",)].value == 1


async def test_holds(make_runtime: MakeRuntime) -> None:
    """One that is held is counted when it is told."""
    measured = Measured()
    telling = imported_rewritten("tests.running.telling_flows")
    async with make_runtime(telemetry=True, meters=measured.provider) as runtime:
        await runtime.start(telling.tell_while_held, 3, instance_id="held")
        await until(lambda: "held" in reached_gates)
        assert measured.points("holds")[("tell_while_held",)].value == 1
        open_gates.update(("held", "open"))
        await runtime.handle("held").result(timeout=60)


async def test_late_ones(make_runtime: MakeRuntime, flows: ModuleType) -> None:
    """How late an instance goes on that has slept out of memory."""
    measured = Measured()
    async with make_runtime(telemetry=True, meters=measured.provider) as runtime:
        handle = await runtime.start(flows.nap, 0.3, instance_id="nap")
        await until_status(handle, "sleeping")
    await asyncio.sleep(0.4)
    async with make_runtime(telemetry=True, meters=measured.provider) as runtime:
        await runtime.recover()
        await runtime.handle("nap").result(timeout=60)
    [late] = measured.points("wakeup.lag").values()
    assert (late.attributes, late.count, 0.0 < late.sum < 60) == ({FUNCTION: "nap"}, 1, True)
