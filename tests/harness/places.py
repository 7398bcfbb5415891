"""Programs of many tasks with a database for their state, in this process: run, crashed, and looked at."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from durable_import.api.runtime import DurableRuntime
from durable_import.running.instance.run import SEGMENTS_FROM
from durable_import.stores.base import Claim
from durable_import.stores.sqlite.store import SQLiteStateStore
from tests.harness.torture import Turns, fresh_module

MANY = SEGMENTS_FROM + 8


class Crash(Exception):
    """The process ends here: what was to be committed is not."""


class WatchedStore(SQLiteStateStore):
    """Notes what is committed. ``crash_at``: the number of the commit, from 0, that does not happen any more."""

    def __init__(self, path: Path, crash_at: int | None = None) -> None:
        super().__init__(path, "NORMAL")
        self.crash_at = crash_at
        self.commits: list[dict[str, bytes | None] | None] = []  # segments; None: a state that is complete by itself
        self.are_whole: list[bool] = []

    async def commit(self, claim: Claim, state: dict[str, Any]) -> None:
        self._note(None, True)
        await super().commit(claim, state)

    async def commit_segments(
        self, claim: Claim, state: dict[str, Any], segments: Mapping[str, bytes | None], *, is_whole: bool
    ) -> None:
        if state["status"] != "failed":
            self._note(dict(segments), is_whole)
        await super().commit_segments(claim, state, segments, is_whole=is_whole)

    def _note(self, segments: dict[str, bytes | None] | None, is_whole: bool) -> None:
        if len(self.commits) == self.crash_at:
            raise Crash
        self.commits.append(segments)
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
            async with DurableRuntime(store) as runtime:
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
        return dict(self.query("SELECT key, data FROM segment WHERE instance_id = 'many'"))


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
