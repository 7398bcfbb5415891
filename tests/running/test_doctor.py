"""``doctor``: what is found of stores that are well, and of those that are not."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from durable_import import DurableRuntime, UnsavableStateError
from durable_import.api import doctor
from durable_import.api.doctor import examine
from durable_import.cli.main import main
from durable_import.stores.postgres.looking import MUCH, told_of_room
from durable_import.stores.sqlite import store as sqlite_store
from tests.running.conftest import postgres_url
from tests.running.test_life import until_status

ABOUT = ["versions", "store", "key", "leases", "stuck", "bloat"]
REGISTERS = """
import os, signal, sys
from durable_import.stores.owner import Owner
from durable_import.stores.url import full_store, open_store
full_store(open_store(sys.argv[1])).register(Owner.current(), 3600.0)
os.kill(os.getpid(), signal.SIGKILL)
"""


async def some(url: str, flows: ModuleType) -> None:
    """A store with three instances."""
    async with DurableRuntime(url) as runtime:
        await runtime.run(flows.add, 1, instance_id="sum")
        await runtime.start(flows.nap, 3600, instance_id="nap")
        await until_status(runtime.handle("nap"), "sleeping")


async def ill(url: str) -> dict[str, str]:
    """What is not well, by what it is about."""
    return {each.about: each.text for each in await examine(url) if not each.is_well}


@pytest.mark.parametrize("kind", ["disk", "sqlite", "postgres"])
async def test_a_store_that_is_well(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path, flows: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One finding of each, none of which is to be mended."""
    monkeypatch.setenv("DURABLE_KEY", bytes(32).hex())
    urls = {"disk": f"disk://{tmp_path}/store", "sqlite": f"sqlite:///{tmp_path}/state.db"}
    url = urls.get(kind) or postgres_url(request)
    await some(url, flows)
    found = await examine(url)
    assert [each.about for each in found] == ABOUT
    assert [each for each in found if not each.is_well] == []
    assert "1 completed, 1 sleeping" in found[1].text
    async with DurableRuntime(url) as runtime:
        await runtime.recover()
        assert (await examine(url))[3].text == "1 process runs instances"


@pytest.mark.parametrize(
    ("harm", "about", "told"),
    [
        (lambda path: path.unlink(), "store", "there is no SQLiteStateStore"),
        (lambda path: path.write_bytes(b"no database" * 1000), "store", "is not an SQLite database"),
        (lambda path: Path(f"{path}.key").unlink(), "key", "is gone"),
        (lambda path: Path(f"{path}.key").write_text("ab" * 32), "key", "another key. .* 1 more of the newest"),
        (lambda path: Path(f"{path}.key").chmod(0o644), "key", "may be read or written by other users"),
    ],
)
async def test_what_is_found(harm: Callable[[Path], object], about: str, told: str, tmp_path: Path, flows: ModuleType) -> None:
    """A store that is not there or no store, and a key that is gone, another one, or open to others; nothing is made."""
    path = tmp_path / "state.db"
    await some(f"sqlite:///{path}", flows)
    harm(path)
    before = sorted(tmp_path.iterdir())
    found = await ill(f"sqlite:///{path}")
    assert found.keys() == {about}
    assert re.search(told, found[about])
    assert sorted(tmp_path.iterdir()) == before


async def test_what_is_stuck(tmp_path: Path, flows: ModuleType) -> None:
    """Named, with its error."""
    async with DurableRuntime(f"sqlite:///{tmp_path}/state.db", hold_limit=0, max_attempts=1) as runtime:
        with pytest.raises(UnsavableStateError):
            await runtime.run(flows.hold_unsavable, instance_id="held")
        await until_status(runtime.handle("held"), "stuck")
    told = (await ill(f"sqlite:///{tmp_path}/state.db"))["stuck"]
    assert told.startswith("1 stuck: 'held' (UnsavableStateError: ")
    assert told.endswith("durable retry ID")


async def test_a_process_that_has_died(tmp_path: Path, flows: ModuleType) -> None:
    """It is named, as long as nobody has taken over what it had."""
    url = f"sqlite:///{tmp_path}/state.db"
    await some(url, flows)
    died = subprocess.run([sys.executable, "-c", REGISTERS, url], check=False)
    assert died.returncode == -signal.SIGKILL
    assert "has ended without letting go of what it ran" in (await ill(url))["leases"]


async def test_bloat(tmp_path: Path, flows: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Free pages of SQLite, and very many that have ended."""
    path = tmp_path / "state.db"
    await some(f"sqlite:///{path}", flows)
    monkeypatch.setattr(sqlite_store, "_MUCH", 1_000_000)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE durable_waste AS SELECT zeroblob(2000000)")
        connection.execute("DROP TABLE durable_waste")
        connection.commit()
    assert '"VACUUM"' in (await ill(f"sqlite:///{path}"))["bloat"]
    monkeypatch.setattr(doctor, "MANY_FINISHED", 0)
    found: list[Any] = [each.text for each in await examine(f"sqlite:///{path}") if each.about == "bloat"]
    assert "1 instances have ended and are kept" in found[0]


def test_dead_rows() -> None:
    """More of them than of living ones, in large tables of PostgreSQL."""
    assert told_of_room(live=1000, dead=999, size=MUCH * 2) == ""
    assert told_of_room(live=10, dead=900, size=MUCH) == ""
    assert "900 are dead and 10 live" in told_of_room(live=10, dead=900, size=MUCH + 1)


def test_the_command(tmp_path: Path, flows: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 0 where all is well, 1 where something is found; a line for each, or one document."""
    url = f"sqlite:///{tmp_path}/state.db"
    asyncio.run(some(url, flows))
    assert main(["doctor", "--store", url]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [["ok", about] for about in ABOUT]
    (tmp_path / "state.db.key").unlink()
    assert main(["doctor", "--store", url, "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["is_well"] is False
    assert [each["about"] for each in document["findings"] if not each["is_well"]] == ["key"]
