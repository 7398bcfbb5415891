"""The database's primary is killed, and its standby takes over: workflows go on there."""

from __future__ import annotations

import asyncio
import logging
import secrets
import signal
from collections import Counter
from collections.abc import Iterator

import pytest

from durable_import import DurableRuntime
from tests.harness.imports import imported_rewritten
from tests.harness.postgres import PostgresServer, PostgresStandby
from tests.running.effects import world

pytestmark = pytest.mark.slow

NAMES, STEPS = [f"i{number}" for number in range(10)], 60


class Pair:
    """A primary and its standby."""

    def __init__(self, *, is_synchronous: bool) -> None:
        self.primary = PostgresServer()
        try:
            self.primary.execute("CREATE TABLE ledger (what text)")
            self.standby = PostgresStandby(self.primary, is_synchronous=is_synchronous)
        except BaseException:
            self.primary.remove()
            raise

    @property
    def url(self) -> str:
        """That of whichever takes writes."""
        hosts = ",".join(f"127.0.0.1:{each.port}" for each in (self.primary, self.standby))
        return f"postgresql://tester@{hosts}/postgres?target_session_attrs=read-write"

    def remove(self) -> None:
        """Both."""
        for server in (self.standby, self.primary):
            server.remove()


@pytest.fixture
def pair(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Pair]:
    """Two servers of this test's own, of which the second has what the first has said that it has committed, if so asked for."""
    monkeypatch.setenv("DURABLE_KEY", secrets.token_hex(32))
    world.clear()
    made = Pair(is_synchronous=request.param)
    yield made
    made.remove()


@pytest.mark.parametrize("pair", [True], indirect=True)
@pytest.mark.parametrize("seconds_between", [0.0, 2.0])
async def test_workflows_go_on_at_the_standby(pair: Pair, seconds_between: float) -> None:
    """A process that lives goes on as if nothing had been: no step runs again, and rows are there once; so does the next one."""
    flows = imported_rewritten("tests.running.ledger_flows")
    async with asyncio.timeout(120), DurableRuntime(pair.url, lease_seconds=2.0) as runtime:
        handles = [await runtime.start(flows.book_for_long, name, STEPS, instance_id=name) for name in NAMES]
        while len(world) < len(NAMES) * STEPS / 4:
            await asyncio.sleep(0.01)
        pair.primary.stop(signal.SIGKILL)
        await asyncio.sleep(seconds_between)
        await asyncio.to_thread(pair.standby.promote)
        assert await asyncio.gather(*(handle.result() for handle in handles)) == NAMES
        waiting = await runtime.start(flows.book_what_comes, 1, instance_id="waits")
        await waiting.send("name", "an event")
        assert await waiting.result() == ["an event"]
    effects = Counter(world)
    assert len(effects) == len(NAMES) * STEPS
    assert max(effects.values()) == 1
    rows = Counter(what for (what,) in pair.standby.execute("SELECT what FROM ledger"))
    assert rows == Counter(["an event", *(f"{name} {number}" for name in NAMES for number in range(4, STEPS, 5))])
    async with DurableRuntime(pair.url) as runtime:
        assert [await runtime.handle(name).result() for name in NAMES] == NAMES


@pytest.mark.parametrize("pair", [False], indirect=True)
async def test_what_a_standby_has_not_got_runs_again(pair: Pair, caplog: pytest.LogCaptureFixture) -> None:
    """The last commits are lost, under a process that lives: each instance goes on from what is left, and rows are there once."""
    flows = imported_rewritten("tests.running.ledger_flows")
    async with asyncio.timeout(120), DurableRuntime(pair.url, lease_seconds=2.0) as runtime:
        handles = [await runtime.start(flows.book_for_long, name, STEPS, instance_id=name) for name in NAMES]
        ends = await runtime.start(flows.book_what_comes, 1, instance_id="ends")
        while len(world) < len(NAMES) * STEPS / 4:
            await asyncio.sleep(0.01)
        await asyncio.to_thread(pair.standby.falls_behind)
        await ends.send("name", "an event")
        assert await ends.result() == ["an event"]  # and that is lost
        while len(world) < len(NAMES) * STEPS / 2:
            await asyncio.sleep(0.01)
        pair.primary.stop(signal.SIGKILL)
        await asyncio.to_thread(pair.standby.promote)
        assert await asyncio.gather(*(handle.result() for handle in handles)) == NAMES
        assert await ends.status() in ("pending", "running", "waiting")
        await ends.send("name", "an event")
        assert await ends.result() == ["an event"]
    effects = Counter(world)
    assert len(effects) == len(NAMES) * STEPS
    assert max(effects.values()) == 2
    rows = Counter(what for (what,) in pair.standby.execute("SELECT what FROM ledger"))
    assert rows == Counter(["an event", *(f"{name} {number}" for name in NAMES for number in range(4, STEPS, 5))])
    told = [each for each in caplog.records if "the store has gone back" in each.message and each.levelno >= logging.WARNING]
    assert len(told) == 1
