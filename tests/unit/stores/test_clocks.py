"""Stores whose clock is set."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from durable_import.stores.state import LONGEST_PAUSE, Failure
from durable_import.stores.store import Store
from durable_import.stores.url import full_store, open_store
from durable_import.testing.contract.store import begin, commit, put, register, saved, to_do

HOUR, YEAR = 3600.0, 365 * 86400.0


class Clock:
    """``time.time`` of this process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ahead, self._now = 0.0, time.time
        monkeypatch.setattr(time, "time", self._time)

    def _time(self) -> float:
        return self._now() + self.ahead


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """One that can be set."""
    return Clock(monkeypatch)


@pytest.fixture(params=["memory", "disk", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """An empty one of each kind that has no clock of its own."""
    urls = {"memory": "memory:", "disk": f"disk://{tmp_path}/store", "sqlite": f"sqlite:///{tmp_path}/state.db"}
    opened = full_store(open_store(urls[request.param]))
    yield opened
    await opened.close()


async def _fail(store: Store, name: str, attempts: int = 1) -> None:
    begun = await begin(store, name)
    await commit(store, begun, saved(1))
    await store.release(begun.claim, failure=Failure("no", attempts, False))


@pytest.mark.parametrize("jump", [-YEAR, -HOUR, HOUR, YEAR])
async def test_what_could_not_go_on_is_tried_again(store: Store, clock: Clock, jump: float) -> None:
    """At once after a jump that is longer than any pause, whichever way; it rests for its pause after that."""
    for attempts in (1, 30):
        await _fail(store, f"after {attempts}", attempts)
    assert await to_do(store) == []
    clock.ahead += jump
    assert set(await to_do(store)) == {"after 1", "after 30"}
    await store.delete("after 1")
    await store.delete("after 30")
    await _fail(store, "later", 30)
    assert await to_do(store) == []
    clock.ahead += LONGEST_PAUSE
    assert await to_do(store) == ["later"]


async def test_a_small_jump_delays_no_longer_than_a_pause(store: Store, clock: Clock) -> None:
    """It is tried again when its moment has come, by the clock as it goes now."""
    await _fail(store, "a", 1)
    clock.ahead -= LONGEST_PAUSE / 2
    assert await to_do(store) == []
    clock.ahead += LONGEST_PAUSE / 2 + 2.0
    assert await to_do(store) == ["a"]


@pytest.mark.parametrize("jump", [-YEAR, -HOUR])
async def test_others_keep_their_moments(store: Store, clock: Clock, jump: float) -> None:
    """Who sleeps sleeps until its time has come by the clock on the wall, who is stuck stays so, and what is ready is found."""
    now = time.time()
    await put(store, "sleeps", saved(1, "sleeping", now + 60))
    await put(store, "left", saved(1))
    await put(store, "waits", saved(1, "waiting"))
    stuck = await begin(store, "stuck", register(store))
    await store.release(stuck.claim, failure=Failure("no", 10, True))
    await store.publish("waits", "event", b"")
    clock.ahead += jump
    assert set(await to_do(store)) == {"left", "waits"}
    clock.ahead += 61 - jump
    assert set(await to_do(store)) == {"left", "waits", "sleeps"}


async def test_what_was_asked_for_is_tried_now(store: Store, clock: Clock) -> None:
    """Whatever its moment was before the clock was set."""
    await _fail(store, "a", 30)
    clock.ahead -= LONGEST_PAUSE / 2
    await store.hasten()
    assert await to_do(store) == ["a"]
    await _fail(store, "b", 30)
    clock.ahead -= HOUR
    assert await store.retry("b")
    assert set(await to_do(store)) == {"a", "b"}
