"""Stores that cannot be used: a clear message on stderr, a status, and nothing lost."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.test_errors import STEPS, assert_goes_on, assert_refused, killed  # noqa: F401  (a fixture)
from tests.harness.crash import RUN
from tests.harness.processes import KILLED, PATIENCE, Desk


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("redis://localhost/0", ["redis", "sqlite:///"]),
        ("nonsense", ["nonsense", "sqlite:///"]),
        ("sqlite:app.db", ["sqlite:app.db", "slashes"]),
        ("sqlite:///app.db?sync=off", ["sync", "sqlite:///"]),
        ("mysql://me:secret@host/db", ["mysql"]),
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


def test_damaged_database(killed: Desk) -> None:  # noqa: F811
    """A damaged database file is named and left as it is; with a good copy back the run goes on."""
    killed.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    good = killed.folder / "copy"
    shutil.copytree(killed.database.parent, good)
    data = killed.database.read_bytes()
    for bad in (
        b"x" * 100 + data[100:],
        data[:4096] + b"\xff" * (len(data) - 4096),
        b"a text file, long enough to be taken for something else\n" * 20,
        data[: len(data) // 2],
    ):
        killed.database.write_bytes(bad)
        assert_refused(killed.run("--instance", "s", "steps.py"), str(killed.database))
        assert killed.database.read_bytes() == bad
        shutil.rmtree(killed.database.parent)
        shutil.copytree(good, killed.database.parent)
    assert_goes_on(killed)


@pytest.mark.slow
def test_key_file(killed: Desk) -> None:  # noqa: F811
    """A key that is lost, replaced or readable by others is refused, and no new one is made in its place."""
    key = Path(f"{killed.database}.key")
    text = key.read_text()
    for content, mode in ((None, 0), ("ab" * 32 + "\n", 0o600), ("", 0o600), (text, 0o644)):
        key.unlink()
        if content is not None:
            key.write_text(content)
            key.chmod(mode)
        assert_refused(killed.run("--instance", "s", "steps.py"), "key")
        assert key.exists() == (content is not None)
        key.write_text(text)
        key.chmod(0o600)
    assert_goes_on(killed)


@pytest.mark.slow
def test_locked_database(killed: Desk) -> None:  # noqa: F811
    """A database that another process keeps locked is named after a while."""
    lock = killed.lock_database()
    try:
        refused = killed.run("--instance", "s", "steps.py")
    finally:
        lock.close()
    assert_refused(refused, str(killed.database), "locked")
    assert_goes_on(killed)


def test_folder_not_writable(killed: Desk) -> None:  # noqa: F811
    """A user who may not write the store's folder or file is told so."""
    command = [sys.executable, *RUN, "--instance", "s", "steps.py"]
    if os.geteuid() == 0:  # root may write everywhere, unless it gives up that power
        command = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", *command]
    killed.database.chmod(0o444)
    refused = killed.start_command(command).end()
    killed.database.chmod(0o644)
    assert_refused(refused, str(killed.database), "read-only")
    killed.database.parent.rename(killed.folder / "moved")
    killed.folder.chmod(0o555)
    refused = killed.start_command(command).end()
    killed.folder.chmod(0o755)
    assert_refused(refused, str(killed.database.parent))
    (killed.folder / "moved").rename(killed.database.parent)
    assert_goes_on(killed)


def can_mount() -> bool:
    """Whether this user may mount: not in most containers."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        return False
    probe = ["unshare", "--mount", "mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", "/mnt"]
    return subprocess.run(probe, capture_output=True, timeout=PATIENCE, check=False).returncode == 0


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


@pytest.mark.parametrize("limit", ["file size", *(["small disk"] if can_mount() else [])])
def test_disk_full(desk: Desk, limit: str) -> None:
    """When the store cannot grow, the run stops with its last checkpoint kept, and goes on when there is space again."""
    desk.write("growing.py", GROWING)
    folder = desk.folder / "small"
    folder.mkdir()
    command = [sys.executable, *RUN, "--store", "sqlite:///small/state.db", "--instance", "g", "growing.py"]
    limited = ["sh", "-c", 'ulimit -f 6000; exec "$@"', "sh", *command] if limit == "file size" else command
    with contextlib.ExitStack() as stack:
        if limit == "small disk":
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", folder], check=True, timeout=PATIENCE)
            stack.callback(lambda: subprocess.run(["umount", "--lazy", folder], check=True, timeout=PATIENCE))
        for _ in range(2):
            assert_refused(desk.start_command(limited).end(), f"{folder}/state.db", "space")
            assert 3 < len(desk.effects) < 40
        if limit == "small disk":
            subprocess.run(["mount", "-o", "remount,size=60m", folder], check=True, timeout=PATIENCE)
        done = desk.start_command(command).end()
    assert (done.status, done.out, done.err) == (0, "True\n", "")
    assert "resuming instance g" in done.said
    assert len(desk.effects) <= 42


def test_folder_taken_away_while_it_runs(desk: Desk) -> None:
    """A store that vanishes under a running program stops it; put back, the run goes on."""
    desk.write(
        "moving.py",
        STEPS.replace(
            'return await effect(f"e{n}", n)',
            "\n".join(
                [
                    "import os",
                    '        if n == 2 and "MOVE" in os.environ:',
                    '            os.rename(".durable", "moved")',
                    '        return await effect(f"e{n}", n)',
                ]
            ),
        ),
    )
    assert_refused(desk.run("--instance", "s", "moving.py", variables={"MOVE": "1"}), str(desk.database))
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
            assert running.end().status in (KILLED, 0)  # it may just have ended
    done = desk.run("--instance", "s", "steps.py")
    assert (done.status, done.out, done.err) == (0, "[0, 1, 2, 3]\n", "")
