"""Fifty instances read in one process, in any order, by several threads, one within another, some of them damaged."""

from __future__ import annotations

import random
import re
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import ModuleType
from typing import Any, NamedTuple

import pytest

from durable_import import DurableRuntime, InstanceHandle
from durable_import.frames.capture import FRAME_TYPES, parts_of
from durable_import.snapshot.encoder import Encoder
from durable_import.snapshot.payload import Snapshot
from durable_import.snapshot.sealing.segment_seal import SegmentSeal
from tests.harness.garbage import new_objects, only_new_garbage, reachable
from tests.running.effects import world
from tests.running.test_life import until
from tests.running.test_loads import GATE, connected

__all__ = ["connected"]  # the fixture

pytestmark = pytest.mark.filterwarnings("error:coroutine .* was never awaited")  # what is read in vain is closed
INSTANCES = 50
FLOWS = ("connect", "connect_in_circle", "keep_all", "open_inside")
SHARING = ("many a", "many b")  # those with many tasks
SEEDS = range(4)


class Saved(NamedTuple):
    """A snapshot as it was kept."""

    payload: bytes
    segments: dict[str, bytes]

    def read(self) -> Snapshot:
        """What an instance goes on from."""
        return Encoder().decode(self.payload, self.segments)


@pytest.fixture
async def kept(connected: ModuleType, tmp_path: Any) -> dict[str, Saved]:
    """What is kept of the instances, which hold the like; two of them have many tasks."""
    kinds = {f"n{number}": FLOWS[number % len(FLOWS)] for number in range(INSTANCES - 2)}
    kinds |= dict.fromkeys(SHARING, "share")
    async with DurableRuntime(f"sqlite:///{tmp_path}/state.db") as runtime:
        handles = [await runtime.start(getattr(connected, kinds[name]), GATE, name, instance_id=name) for name in kinds]
        await until(lambda: world.count("holding") == INSTANCES, 60)
        for handle in handles:
            await until(partial(_is_kept, handle), 60)
    async with DurableRuntime(f"sqlite:///{tmp_path}/state.db") as runtime:
        kept = {name: await _kept_of(runtime, name) for name in kinds}
    assert all(kept[name].segments for name in SHARING)
    return kept


async def _is_kept(handle: InstanceHandle[Any]) -> bool:
    return await handle.status() == "running"


async def _kept_of(runtime: Any, name: str) -> Saved:
    segments = await runtime.instances.load_segments(name)
    state = await runtime.store.load(name)
    return Saved(SegmentSeal(runtime.seal, name).open(state["snapshot"], segments), segments)


def drop(snapshot: Snapshot) -> None:
    """Let go of what was read: nobody is going to run it."""
    assert snapshot.loop is not None
    for task in snapshot.loop.tasks:
        task.drop()


# --- damage


def cut_short(dice: random.Random, saved: Saved) -> Saved:
    """Its end is missing."""
    return saved._replace(payload=saved.payload[: dice.randrange(3, len(saved.payload))])


def cut_a_segment(dice: random.Random, saved: Saved) -> Saved:
    """The end of a part is missing; of the whole, if it is in one piece."""
    if not saved.segments:
        return cut_short(dice, saved)
    key = dice.choice(sorted(saved.segments))
    data = saved.segments[key]
    return saved._replace(segments=saved.segments | {key: data[: dice.randrange(len(data))]})


def without_code(_: random.Random, saved: Saved) -> Saved:
    """A function of it is no longer there."""
    renamed = [_NAMES.sub(lambda found: b"x" * len(found[0]), data) for data in (saved.payload, *saved.segments.values())]
    return Saved(renamed[0], dict(zip(saved.segments, renamed[1:], strict=True)))


_NAMES = re.compile(rb"connect(_in_circle)?\b|keep_all|open_inside|share")
DAMAGES = (cut_short, cut_a_segment, without_code)


class Reading:
    """Reads all that is kept, in an order of its own; ``damaged`` are those that are to be refused."""

    def __init__(self, kept: dict[str, Saved], connected: ModuleType, seed: int) -> None:
        self.dice = random.Random(seed)
        self.connected = connected
        self.order = self.dice.sample(sorted(kept), len(kept))
        self.damaged = set(self.dice.sample(self.order, 20))
        self.saved = kept | {name: self._damage(name, kept[name]) for name in sorted(self.damaged)}
        self.found: list[tuple[str, Snapshot]] = []
        self.refused: list[tuple[str, str]] = []
        self.read_inside: list[str] = []

    def _damage(self, name: str, saved: Saved) -> Saved:
        damage = self.dice.choice((*DAMAGES, None))
        if damage is not None:
            return damage(self.dice, saved)
        self.connected.broken.add(name)  # its own code fails
        return saved

    def read(self, name: str) -> None:
        """Read one of them, and note what comes of it."""
        try:
            self.found.append((name, self.saved[name].read()))
        except Exception as error:  # all that damage does
            self.refused.append((name, type(error).__name__))

    def put_letters(self) -> None:
        """While one that has a letter is being read, another one is, sometimes in a thread of its own."""
        for place, name in enumerate(self.order[1:], 1):
            self.connected.letters[name] = partial(self._open_letter, self.dice.choice(self.order[:place]))

    def _open_letter(self, name: str) -> None:
        self.read_inside.append(name)
        if self.dice.random() < 0.5:
            self.read(name)
        else:
            with ThreadPoolExecutor(1) as thread:
                thread.submit(self.read, name).result()

    def check(self) -> None:
        """All that is whole was read, nothing else, and nothing belongs to two; what was refused is gone."""
        assert {name for name, _ in self.refused} == self.damaged
        assert {name for name, _ in self.found} == set(self.order) - self.damaged
        assert len(self.found) + len(self.refused) == INSTANCES + len(self.read_inside)
        present = new_objects()
        owners: dict[int, str] = {}
        for name, snapshot in self.found:
            for number, each in reachable(snapshot, present).items():
                assert number not in owners, f"{each!r} belongs to {owners[number]} and {name}"
                owners[number] = name
        left = [each for number, each in present.items() if number not in owners and self._is_read(each)]
        assert left == []

    def _is_read(self, each: object) -> bool:
        """Whether something has come out of a snapshot."""
        if isinstance(each, FRAME_TYPES):
            return parts_of(each).code.co_filename == self.connected.__file__
        return type(each).__module__ in (self.connected.__name__, *LOADED)

    def drop(self) -> None:
        """Let go of what was read."""
        for _, snapshot in self.found:
            drop(snapshot)


LOADED = ("durable_import.aio.loop", "durable_import.aio.task", "durable_import.snapshot.with_blocks.lost")


@pytest.fixture
def reading(kept: dict[str, Saved], connected: ModuleType, request: pytest.FixtureRequest) -> Iterator[Reading]:
    """Of a seed. All was read once before: code that has been looked for stays known."""
    for saved in kept.values():
        drop(saved.read())
    reading, interval = Reading(kept, connected, request.param), sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    with only_new_garbage():
        yield reading
        reading.drop()
    sys.setswitchinterval(interval)


@pytest.mark.slow
@pytest.mark.parametrize("reading", SEEDS, indirect=True)
def test_nothing_belongs_to_two_instances(reading: Reading) -> None:
    """What is read has nothing in common with what was read before or after it, and what was refused leaves nothing behind."""
    for name in reading.order:
        reading.read(name)
    reading.check()


@pytest.mark.parametrize("reading", SEEDS, indirect=True)
def test_nothing_belongs_to_two_that_are_read_within_one_another(reading: Reading) -> None:
    """So it is where code that is called to restore an object reads another instance, in the same thread or another one."""
    reading.put_letters()
    for name in reading.order:
        reading.read(name)
    assert reading.read_inside
    reading.check()


@pytest.mark.parametrize("reading", SEEDS, indirect=True)
def test_nothing_belongs_to_two_that_are_read_at_the_same_time(reading: Reading) -> None:
    """So it is in several threads."""
    reading.put_letters()
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(reading.read, reading.order))
    reading.check()
