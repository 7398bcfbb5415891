"""Programs of many tasks with a database for their state, in this process: run, crashed, and looked at."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from durable_import.api.runtime import DurableRuntime
from durable_import.running.instance.run import SEGMENTS_FROM
from durable_import.stores.sqlite.instances import SQLiteStore
from durable_import.stores.state import Claim, InstanceState
from durable_import.stores.store import Begun, Committing, Segments
from tests.harness.sqlite import store_over
from tests.harness.torture import Turns, fresh_module

MANY = SEGMENTS_FROM + 8
SEGMENTS = "durable_segment JOIN durable_instance USING (number)"


class Crash(Exception):
    """The process ends here: what was to be committed is not."""


class WatchedStore(SQLiteStore):
    """Notes what is committed. ``crash_at``: the number of the commit, from 0, that does not happen any more."""

    def __init__(self, path: Path, crash_at: int | None = None) -> None:
        super().__init__(str(path), "NORMAL")
        self.crash_at = crash_at
        self.commits: list[Segments | None] = []  # None: a state that is complete by itself
        self.are_whole: list[bool] = []

    async def begin(self, *arguments: Any, **options: Any) -> Begun:
        begun = await super().begin(*arguments, **options)
        if begun.is_new:
            self._note(None, True)
        return begun

    def commit(
        self, claim: Claim, state: InstanceState, segments: Segments | None = None, is_whole: bool = True
    ) -> Awaitable[None]:
        return Committing(partial(self._commit_and_note, claim, state, segments, is_whole))

    async def _commit_and_note(self, claim: Claim, state: InstanceState, segments: Segments | None, is_whole: bool) -> None:
        self._note(segments, is_whole)
        committing = super().commit(claim, state, segments, is_whole)
        if committing is not None:
            await committing

    async def end(self, claim: Claim, state: InstanceState, *, keeps: bool) -> None:
        if not keeps:
            self._note(None, True)
        await super().end(claim, state, keeps=keeps)

    def _note(self, segments: Segments | None, is_whole: bool) -> None:
        if len(self.commits) == self.crash_at:
            raise Crash
        self.commits.append(dict(segments) if segments is not None else None)
        self.are_whole.append(is_whole)


class Place:
    """A program and the database with its state."""

    def __init__(self, path: Path, source: str, module: ModuleType) -> None:
        self.path = path
        self.source = source
        self.module = module

    async def run(self, crash_at: int | None = None) -> tuple[Any, WatchedStore]:
        """Run the program as instance 'many', or go on with it; its result is None when it crashes."""
        store = WatchedStore(self.path, crash_at)
        result = None
        try:
            async with DurableRuntime(store_over(store)) as runtime:
                result = await runtime.run(self.module.main, instance_id="many")
        except Crash:
            pass
        finally:
            await store.close()
        return result, store

    def query(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.path)) as connection, connection:
            return connection.execute(statement, values).fetchall()

    def segments(self) -> dict[str, bytes]:
        return dict(self.query(f"SELECT key, data FROM {SEGMENTS} WHERE instance_id = 'many'"))

    def forget(self) -> None:
        """Remove all instances."""
        for table in ("instance", "state", "call", "outcome", "segment"):
            self.query(f"DELETE FROM durable_{table}")


@pytest.fixture
def place_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Makes a place for the source of a program, with the program loaded until the test ends.

    ``forms``: those that snapshots take in turns as soon as there are many tasks; without, what costs least.
    """
    made = []

    def make(source: str, forms: str = "s") -> Place:
        if forms:
            monkeypatch.setattr("durable_import.running.instance.run.FormatPolicy", partial(Turns, forms))
        source = source.replace("MANY", str(MANY))
        module = fresh_module(source, str(tmp_path / "program.py"), rewritten=True)
        made.append(module)
        return Place(tmp_path / "state.db", source, module.__enter__())

    yield make
    for module in made:
        module.__exit__(None, None, None)


FOREIGN = """# durable: on
import asyncio
from world import effect
"""
