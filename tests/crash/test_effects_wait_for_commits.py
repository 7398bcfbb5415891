"""No effect begins before what it comes after is kept, however long the store takes; and no kill repeats what was used."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import durable_import
from durable_import import DurableRuntime, StateStore
from tests.harness.crash import PROGRAMS, environment
from tests.harness.journal import VARIABLE, begun_too_early, begun_too_often, kills_in_commits, read
from tests.harness.slow_stores import Slowness, SlowSQLiteStore, SlowUsersStore, slow_memory_store

pytestmark = pytest.mark.slow

SLOW = 0.005, 0.05  # seconds that each commit waits, before it is done and again after that
QUICK = 0.0, 0.003  # the commits of several instances often come together
KILLS = 10  # of each test
PATIENCE = 60.0  # seconds for one process
STORES: dict[str, Callable[[Path, Slowness], StateStore]] = {
    "users": lambda _, slowness: SlowUsersStore(slowness),
    "memory": lambda _, slowness: slow_memory_store(slowness),
    "sqlite": lambda folder, slowness: SlowSQLiteStore(folder / "state.db", "FULL", slowness),
}


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where effects and commits are noted."""
    path = tmp_path / "journal"
    monkeypatch.setenv(VARIABLE, str(path))
    return path


def right(width: int) -> dict[str, str]:
    """What the errands give."""
    visits = {1: "waited", 2: "done", 3: "worked", 4: "failed", 5: "failed", 6: "done"}
    return {
        **{f"child{child}.{number}": outcome for child in range(width) for number, outcome in visits.items()},
        "main.1": "waited", "main.2": "done", "main.3": "waited", "late.1": "too late", "ask.1": "asked", "ask.2": "waited",
        "answer.1": "done", "answer.2": "done", "event": "yes",
    }  # fmt: skip


async def run(store: StateStore, width: int, names: list[str]) -> list[dict[str, str]]:
    """The errands of several instances at once."""
    durable_import.install()
    from tests.programs.order.errands import main

    async with DurableRuntime(store, key=bytes(32), poll_interval=0.02) as runtime:
        runs = (runtime.run(main, name, width, instance_id=name) for name in names)
        return list(await asyncio.gather(*runs))


def check(journal: Path, names: list[str]) -> None:
    """The order of effects and commits of each instance."""
    for name in names:
        lines = read(journal, name)
        assert begun_too_early(lines) == []
        assert begun_too_often(lines) == []


@pytest.mark.parametrize(
    ("kind", "width", "slowness"), [("users", 5, SLOW), ("memory", 5, SLOW), ("sqlite", 5, SLOW), ("sqlite", 40, QUICK)]
)
async def test_effects_wait_for_slow_commits(
    kind: str, width: int, slowness: tuple[float, float], tmp_path: Path, journal: Path
) -> None:
    """Between an effect and what comes after it a commit is begun and ended, in every store, also one in segments."""
    store = STORES[kind](tmp_path, Slowness(random.Random(width), *slowness))
    assert await run(store, width, ["a"]) == [right(width)]
    check(journal, ["a"])
    begun = Counter(line.subject for line in read(journal, "a") if line.what == "begin")
    assert begun == Counter(right(width).keys() - {"event"})


@pytest.mark.parametrize("synchronous", ["FULL", "NORMAL"])
async def test_effects_wait_for_commits_in_groups(synchronous: str, tmp_path: Path, journal: Path) -> None:
    """So it is for each of several instances whose commits the store does together."""
    names = [f"i{number}" for number in range(8)]
    store = SlowSQLiteStore(tmp_path / "state.db", synchronous, Slowness(random.Random(8), *QUICK))
    assert await run(store, 5, names) == [right(5)] * len(names)
    check(journal, names)


@pytest.mark.parametrize(
    ("names", "synchronous", "slowness", "commits"),
    [(["a"], "FULL", SLOW, 10), (["a", "b", "c", "d"], "FULL", QUICK, 40), (["a", "b", "c", "d"], "NORMAL", QUICK, 40)],
)
def test_kills_in_commits_repeat_nothing_that_was_used(
    names: list[str], synchronous: str, slowness: tuple[float, float], commits: int, tmp_path: Path, journal: Path
) -> None:
    """A kill before, in or after a commit repeats one effect of each task at most, and none that another one came after.

    Each process dies in one of its first so many commits.
    """
    dice = random.Random(f"{synchronous} {names}")
    killed, moments = 0, Counter[str]()
    while killed < KILLS:
        fatal = iter([dice.randint(1, commits) for _ in range(KILLS - killed)])
        database = tmp_path / f"{killed}.db"
        while (ended := life(database, synchronous, *slowness, killed, next(fatal, 0), *names)).returncode == -signal.SIGKILL:
            killed += 1
        assert ended.returncode == 0, ended.stderr
        assert json.loads(ended.stdout) == [right(5)] * len(names)
        check(journal, names)
        moments += sum((kills_in_commits(read(journal, name)) for name in names), Counter[str]())
        journal.unlink()
    assert min(moments["commit"], moments["kept"]) > 0, moments


def life(*arguments: Any) -> subprocess.CompletedProcess[str]:
    """One process of the errands, to its end."""
    command = [sys.executable, str(PROGRAMS / "order" / "embedded.py"), *map(str, arguments)]
    return subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=PATIENCE, check=False)
