"""Snapshots in segments: what tasks share stays one object, and nothing is lost of what they let go of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.harness.places import FOREIGN, MANY, Place, place_of
from tests.harness.torture import fresh_module, hard_torture, native

__all__ = ["place_of"]  # the fixture

SHARED = {
    "a list": "shared = []; use = lambda n: (shared.append(n), len(shared))[1]",
    "a dict": "shared = {}; use = lambda n: (shared.update({n: n}), len(shared))[1]",
    "a set": "shared = set(); use = lambda n: (shared.add(n), len(shared))[1]",
    "a tuple": "inner = []; shared = (inner, 'x'); use = lambda n: (shared[0].append(n), len(inner))[1]",
    "a deque": "shared = collections.deque(maxlen=5); use = lambda n: (shared.append(n), list(shared))[1]",
    "an array of bytes": "shared = bytearray(); use = lambda n: (shared.append(n), len(shared))[1]",
    "an instance": "shared = Plain(); use = lambda n: setattr(shared, 'total', shared.total + n) or shared.total",
    "an instance with slots": "shared = Slotted(); use = lambda n: setattr(shared, 'total', shared.total + n) or shared.total",
    "a cell": "shared, use = counter()",
    "a bound method": "owner = Plain(); shared = owner; use = owner.add",
    "an iterator": "shared = iter(range(1000)); use = lambda n: next(shared)",
    "a generator": "shared = numbers(); use = lambda n: next(shared)",
    "an object in two cycles": "shared = Plain(); shared.me = [shared, {'it': shared}]; "
    "use = lambda n: (shared.me[1]['it'].me.append(n), len(shared.me), shared.me[0] is shared)[1:]",
    "a context variable": "shared = variable.get(); use = lambda n: (variable.get().append(n), len(shared))[1]",
    "an exception": "shared = KeyError([]); use = lambda n: (shared.args[0].append(n), len(shared.args[0]))[1]",
    "two objects in a circle": "shared, other = Plain(), Plain(); shared.other, other.other = other, shared; "
    "use = lambda n: other.other.add(n)",
    "a future": "shared = asyncio.get_running_loop().create_future(); seen = []; shared.add_done_callback(seen.append); "
    "use = lambda n: (shared.done() or shared.set_result(n), shared.result(), seen == [shared])[1:]",
    "a task": "shared = asyncio.current_task(); shared.set_name('root'); "
    "use = lambda n: (shared.get_name(), shared.set_name(f'root {n}'))",
    "a queue": "shared = asyncio.Queue(); use = lambda n: (shared.put_nowait(n), shared.qsize())[1]",
    "a semaphore": "shared = asyncio.Semaphore(2); use = lambda n: (shared.release(), shared._value)[1]",
    "an event": "shared = asyncio.Event(); use = lambda n: (shared.clear() if shared.is_set() else shared.set(), "
    "shared.is_set())",
    "a class": "shared = local_class(); use = lambda n: setattr(shared, 'total', shared.total + n) or shared().total",
}

SHARING = """# durable: on
import asyncio
import collections
import contextvars
from world import effect

variable = contextvars.ContextVar("variable")


class Plain:
    total = 0

    def add(self, number):
        self.total += number
        return self.total


class Slotted:
    __slots__ = ("total",)

    def __init__(self):
        self.total = 0


def counter():
    total = 0

    def add(number):
        nonlocal total
        total += number
        return total

    return add, add


def numbers():
    yield from range(1000)


def local_class():
    class Local:
        total = 0

    return Local


async def hold(shared, use, number, gates, log):
    mine = [shared]
    for turn, gate in enumerate(gates):
        await gate.wait()
        assert mine[0] is shared
        if number % 4 == 0:
            await effect(f"{number} {turn}")
        log.append((number, use(number)))
    return shared


async def main():
    variable.set([])
    SETUP
    gates, log = [asyncio.Event(), asyncio.Event(), asyncio.Event()], []
    tasks = [asyncio.create_task(hold(shared, use, n, gates, log)) for n in range(MANY)]
    for gate in gates:
        await effect("open")
        gate.set()
        await asyncio.sleep(0.01)
    held = await asyncio.gather(*tasks)
    return log, {id(each) for each in held} == {id(shared)}
"""


@pytest.mark.parametrize("what", SHARED)
def test_what_tasks_share_stays_one_object(what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many tasks that share an object see each other's changes of it after every save and restore, and it is the same one."""
    monkeypatch.setenv("EFFECT_LOG", str(tmp_path / "effects"))
    source = SHARING.replace("SETUP", SHARED[what]).replace("MANY", "8")
    expected = native(source)
    assert expected.endswith(", True)")
    assert hard_torture(source, forms="ssws", every=3) == expected


@pytest.mark.parametrize("what", SHARED)
async def test_what_many_tasks_share_survives_crashes(place_of: Callable[[str], Place], what: str) -> None:
    """The same with a store and a crash at some of the commits, for more tasks than are saved as a whole."""
    source = SHARING.replace("SETUP", SHARED[what])
    place = place_of(source)
    with fresh_module(source.replace("MANY", str(MANY)), "<native>", rewritten=False) as module:
        expected = await module.main()
    begun_in_segments = 0
    for crash_at in (3, 1, 5, None):
        begun_in_segments += bool(place.path.exists() and place.segments())
        result, _ = await place.run(crash_at)
    assert begun_in_segments == 3
    assert result == expected


ABANDONED = (
    FOREIGN
    + """
async def rows(name, log):
    try:
        for n in range(10):
            await asyncio.sleep(0)
            yield n
    finally:
        await asyncio.sleep(0.05)
        await effect(f"close {name}")
        log.append(name)

async def doubled(items):
    async for item in items:
        yield 2 * item

async def first(name, log):
    async for row in doubled(rows(name, log)):
        if row == 4:
            break
    return await effect(f"after the break of {name}", row)

async def main():
    log = []
    found = await asyncio.gather(*(first(name, log) for name in ("ann", "bob", "cid")))
    while len(log) < 3:
        await asyncio.sleep(0.05)
    return found, sorted(log)
"""
)


@pytest.mark.slow
@pytest.mark.parametrize("forms", ["s", "ssws"])
def test_cleanup_of_what_nobody_refers_to_is_not_lost(forms: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A generator that was dropped is closed, also when its end coincides with a checkpoint from which the program goes on."""
    monkeypatch.setenv("EFFECT_LOG", str(tmp_path / "effects"))
    expected = native(ABANDONED)
    for every in (1, 2, 3, 4):
        assert hard_torture(ABANDONED, forms=forms, every=every) == expected
