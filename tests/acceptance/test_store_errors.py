"""Stores that cannot be used: a clear message on stderr, a status, and nothing lost."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.processes import KILLED, PATIENCE, Desk
from tests.acceptance.test_errors import STEPS, assert_goes_on, assert_refused, killed  # noqa: F401  (a fixture)
from tests.harness.crash import RUN, environment

NOBODY = 65534


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("redis://localhost/0", ["redis", "sqlite:///"]),
        ("nonsense", ["nonsense", "sqlite:///"]),
        ("sqlite:app.db", ["sqlite:app.db", "slashes"]),
        ("sqlite:///app.db?sync=off", ["sync", "sqlite:///"]),
        ("postgres://me:secret@host/db", ["postgres"]),
    ],
)
def test_unknown_store(desk: Desk, url: str, words: list[str]) -> None:
    """A URL that no store answers to is refused with the list of those that do; passwords are not shown."""
    desk.write("steps.py", STEPS)
    refused = desk.run("--store", url, "steps.py")
    assert_refused(refused, *words)
    assert "secret" not in refused.said + refused.err
    assert desk.effects == []


def test_file_in_the_way_of_the_store_folder(desk: Desk) -> None:
    """When the store's folder cannot be made, nothing of the script runs."""
    desk.write("steps.py", "# durable: on\nprint('top')\n")
    (desk.folder / ".durable").write_text("mine")
    assert_refused(desk.run("steps.py"), str(desk.folder / ".durable"))
    assert (desk.folder / ".durable").read_text() == "mine"


def test_folder_in_the_way_of_the_database(killed: Desk) -> None:  # noqa: F811
    """A folder that has the database's name is refused."""
    (killed.folder / "elsewhere.db").mkdir()
    assert_refused(killed.run("--store", "sqlite:///elsewhere.db", "steps.py"), "elsewhere.db", "folder")
    assert_goes_on(killed)


def test_another_programs_database(desk: Desk) -> None:
    """A database that is not ours is left as it is."""
    desk.write("steps.py", STEPS)
    desk.database.parent.mkdir()
    desk.rows("CREATE TABLE theirs (x)")
    before = desk.database.read_bytes()
    assert_refused(desk.run("steps.py"), str(desk.database), "another program")
    assert desk.database.read_bytes() == before


@pytest.mark.parametrize("damage", ["header", "middle", "text", "cut"])
def test_damaged_database(killed: Desk, damage: str) -> None:  # noqa: F811
    """A damaged database file is named and left as it is; with a good copy back the run goes on."""
    killed.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    good = killed.folder / "copy"
    shutil.copytree(killed.database.parent, good)
    data = killed.database.read_bytes()
    bad = {
        "header": b"x" * 100 + data[100:],
        "middle": data[:4096] + b"\xff" * (len(data) - 4096),
        "text": b"a text file, long enough to be taken for something else\n" * 20,
        "cut": data[: len(data) // 2],
    }[damage]
    killed.database.write_bytes(bad)
    assert_refused(killed.run("--instance", "s", "steps.py"), str(killed.database))
    shutil.rmtree(killed.database.parent)
    shutil.copytree(good, killed.database.parent)
    assert_goes_on(killed)


@pytest.mark.parametrize("state", ["gone", "other", "empty", "open to all"])
def test_key_file(killed: Desk, state: str) -> None:  # noqa: F811
    """A key that is lost, replaced or readable by others is refused, and no new one is made in its place."""
    key = Path(f"{killed.database}.key")
    text = key.read_text()
    key.unlink()
    if state != "gone":
        key.touch(0o600)
        key.write_text({"other": "ab" * 32 + "\n", "empty": "", "open to all": text}[state])
        if state == "open to all":
            key.chmod(0o644)
    assert_refused(killed.run("--instance", "s", "steps.py"), "key")
    assert key.exists() == (state != "gone")
    key.write_text(text)
    key.chmod(0o600)
    assert_goes_on(killed)


def test_locked_database(killed: Desk) -> None:  # noqa: F811
    """A database that another process keeps locked is named after a while."""
    lock = killed.lock_database()
    try:
        refused = killed.run("--instance", "s", "steps.py")
    finally:
        lock.close()
    assert_refused(refused, str(killed.database), "locked")
    assert_goes_on(killed)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can run a process as another user")
def test_folder_not_writable_for_this_user(killed: Desk) -> None:  # noqa: F811
    """Another user who may not write the store's folder, or not read its key, is told so."""
    for parent in (killed.folder, *killed.folder.parents[:-2]):
        parent.chmod(parent.stat().st_mode | 0o055)
    command = [sys.executable, *RUN, "--instance", "s", "steps.py"]
    variables = environment(EFFECT_LOG="/dev/null")
    done = subprocess.run(
        command, cwd=killed.folder, env=variables, user=NOBODY, group=NOBODY, extra_groups=[], capture_output=True,
        text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 70, done
    assert "Traceback" not in done.stderr
    assert "state.db" in done.stderr
    assert_goes_on(killed)


GROWING = """
    # durable: on
    import asyncio, pathlib
    from world import effect

    async def main():
        kept = []
        for n in range(40):
            kept.append(await effect(f"e{n}", f"{n}" * 100_000))
        return [len(text) for text in kept] == [100_000] * 10 + [200_000] * 30

    if __name__ == "__main__":
        print(asyncio.run(main()))
"""


def test_file_size_limit(desk: Desk) -> None:
    """When the store may not grow any more, the run stops with its last checkpoint kept, and goes on once it may."""
    desk.write("growing.py", GROWING)
    command = ["sh", "-c", 'ulimit -f 6000; exec "$@"', "sh", sys.executable, *RUN, "--instance", "g", "growing.py"]
    limited = desk.start_command(command).end()
    assert_refused(limited, str(desk.database))
    assert 3 < len(desk.effects) < 40
    done = desk.run("--instance", "g", "growing.py")
    assert (done.status, done.out, done.err) == (0, "True\n", "")
    assert "resuming instance g" in done.said
    assert len(desk.effects) <= 41


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", folder], check=True, timeout=PATIENCE)
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True, timeout=PATIENCE)


def can_mount() -> bool:
    """Whether this user may mount: not in most containers."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        return False
    probe = ["unshare", "--mount", "mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", "/mnt"]
    return subprocess.run(probe, capture_output=True, timeout=PATIENCE, check=False).returncode == 0


@pytest.mark.skipif(not can_mount(), reason="this user may not mount a small disk; the file size limit is tested")
def test_disk_full(desk: Desk, small_disk: Path) -> None:
    """On a full disk the run stops with its last checkpoint kept, and goes on when there is space again."""
    desk.write("growing.py", GROWING)
    store = f"sqlite:///{small_disk}/state.db"
    assert_refused(desk.run("--store", store, "--instance", "g", "growing.py"), f"{small_disk}/state.db", "full")
    assert 3 < len(desk.effects) < 40
    again = desk.run("--store", store, "--instance", "g", "growing.py")
    assert_refused(again, f"{small_disk}/state.db", "full")
    subprocess.run(["mount", "-o", "remount,size=60m", small_disk], check=True, timeout=PATIENCE)
    done = desk.run("--store", store, "--instance", "g", "growing.py")
    assert (done.status, done.out, done.err) == (0, "True\n", "")
    assert len(desk.effects) <= 42


def test_folder_taken_away_while_it_runs(desk: Desk) -> None:
    """A store that vanishes under a running program stops it; put back, the run goes on."""
    desk.write("moving.py", STEPS.replace('return await effect(f"e{n}", n)', '\n'.join([
        'import os',
        '        if n == 2 and "MOVE" in os.environ:',
        '            os.rename(".durable", "moved")',
        '        return await effect(f"e{n}", n)',
    ])))  # fmt: skip
    assert_refused(desk.run("--instance", "s", "moving.py", MOVE="1"), str(desk.database))
    shutil.rmtree(desk.database.parent, ignore_errors=True)
    (desk.folder / "moved").rename(desk.database.parent)
    done = desk.run("--instance", "s", "moving.py")
    assert (done.status, done.out) == (0, "[0, 1, 2, 3]\n")
    assert desk.effects == ["e0", "e1", "e2", "e2", "e3"]


def test_killed_while_the_store_is_made(desk: Desk) -> None:
    """Whatever the first process left of a store, the next one begins or goes on."""
    desk.write("steps.py", STEPS)
    for moment in (0.1, 0.2, 0.3):
        running = desk.start("--instance", "s", "steps.py")
        try:
            running.process.wait(moment)
        except subprocess.TimeoutExpired:
            running.stop()
            assert running.end().status == KILLED
    done = desk.run("--instance", "s", "steps.py")
    assert (done.status, done.out, done.err) == (0, "[0, 1, 2, 3]\n", "")
