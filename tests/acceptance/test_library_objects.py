"""Objects of the standard library and of popular ones, made and entered around two steps, across a kill in the second one.

All of a group are instances of one process, which is killed when each is in its second step; another one takes them up. What
each gives is what it gives natively, and it says of each whether it was kept (saved, or opened again) or held: then the first
step is made again.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.library_objects import GROUPS, Row, source_of
from tests.acceptance.library_servers import Servers
from tests.harness.processes import KILLED, Desk

DRIVER = Path(__file__).with_name("library_driver.py").read_text()
STEPS = """
    import asyncio
    from pydantic import BaseModel

    class Model(BaseModel):
        n: int

    done = {}
    is_to_wait = False

    async def step(name, number):
        with open("steps", "a") as log:
            log.write(f"{name} {number}\\n")
        done.setdefault(name, []).append(number)
        await asyncio.sleep(0.001)
        if is_to_wait and number == 2:
            await asyncio.sleep(3600)
"""
QUICK = ("blocks",)


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    """HTTP, web sockets and Redis on this machine."""
    with Servers() as started:
        yield started


class Group:
    """What became of the rows of a group: natively, and across a kill."""

    def __init__(self, folder: Path, name: str, variables: dict[str, str]) -> None:
        self.folder, self.name = folder, name
        desk = Desk(folder)
        desk.variables = variables
        desk.write("steps.py", STEPS)
        desk.write("driver.py", DRIVER)
        (folder / "rows.py").write_text(source_of(GROUPS[name]))
        try:
            for way, status in (("native", 0), ("first", KILLED), ("second", 0)):
                ended = desk.start_command([sys.executable, "driver.py", way]).end()
                assert ended.status == status, ended
        finally:
            desk.close()

    def said(self, what: str) -> dict[str, Any]:
        """What a process has written."""
        found: dict[str, Any] = json.loads((self.folder / what).read_text())
        return found

    def times(self, row: str) -> int:
        """How often its first step was made durably."""
        return (self.folder / "steps").read_text().splitlines().count(f"{row} 1") - 1


_groups: dict[str, Group] = {}


@pytest.fixture
def group(name: str, servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Group:
    """Run once for all its rows."""
    if name not in _groups:
        _groups[name] = Group(tmp_path_factory.mktemp(name), name, servers.variables)
    return _groups[name]


def cases() -> Iterator[Any]:
    """All rows, by group."""
    for name, rows in GROUPS.items():
        for row in rows:
            marks = () if name in QUICK else pytest.mark.slow
            yield pytest.param(name, row, id=f"{name}-{row.name}", marks=marks)


@pytest.mark.parametrize(("name", "row"), list(cases()))
def test_object_across_a_kill(group: Group, row: Row) -> None:
    """It gives what it gives natively; it was held, or it was not, as the table says."""
    native, durable = group.said("native"), group.said("second")
    assert durable[row.name] == native[row.name]
    assert ("held" if group.times(row.name) > 1 else "kept") == row.becomes


@pytest.mark.parametrize("name", [pytest.param(n, marks=() if n in QUICK else pytest.mark.slow) for n in GROUPS])
def test_nothing_spins(group: Group) -> None:
    """While all of a group wait, the event loop is at rest."""
    assert group.said("first")["turns"] < 1000
