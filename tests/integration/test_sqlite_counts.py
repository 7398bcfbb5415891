"""Counts of an SQLite store are those of its lists, whatever shelf an instance stands on."""

from __future__ import annotations

import itertools
from collections import Counter
from pathlib import Path
from types import ModuleType

from durable_import import DurableRuntime, InstanceQuery
from durable_import.stores.state import STATUSES
from tests.harness.imports import imported_rewritten
from tests.running.test_life import until_status


async def _fill(runtime: DurableRuntime, flows: ModuleType) -> None:
    """Instances of each status, some of which somebody owns."""
    for number in range(2):
        tags = {"which": str(number)}
        await until_status(await runtime.options(instance_id=f"rest-{number}", tags=tags).start(flows.rest), "sleeping")
        await until_status(await runtime.options(instance_id=f"ask-{number}", tags=tags).start(flows.answer_wrongly), "waiting")
        failed = await runtime.options(instance_id=f"fail-{number}", tags=tags).start(flows.fail_once)
        await failed.send("again", "badly" if number else "well")
        await until_status(failed, "failed" if number else "completed")
    await runtime.handle("rest-0").cancel()
    await until_status(runtime.handle("rest-0"), "cancelled")


async def _check(runtime: DurableRuntime) -> None:
    for status, function, tag, prefix in itertools.product(
        (None, "stuck", *STATUSES), (None, "rest"), (None, ("which", "1")), ("", "rest", "f")
    ):
        query = InstanceQuery(status=status, function=function, tag=tag, prefix=prefix)
        listed = list(await runtime.list(query))
        assert await runtime.count(query) == len(listed)
        assert await runtime.count(query, by="status") == Counter(each.status for each in listed)
        assert await runtime.count(query, by="function") == Counter(each.function for each in listed)


async def test_counts(tmp_path: Path) -> None:
    """While a runtime has them, and when none has."""
    flows = imported_rewritten("tests.ui.shown_flows")
    url = f"sqlite:///{tmp_path}/state.db"
    async with DurableRuntime(url) as runtime:
        await _fill(runtime, flows)
        await _check(runtime)
    async with DurableRuntime(url, poll_interval=3600) as runtime:
        await _check(runtime)
