"""What differs by operating system, with fakes of those that the tests do not run on."""

from __future__ import annotations

import ast
import errno
import os
import signal
import subprocess
import sys
import threading
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import durable_import
from durable_import.pythons import systems
from durable_import.stores.owner import Owner

PACKAGE = Path(durable_import.__file__).parent
STAT = "7 (a (strange) name) {state} 1 7 7 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 {started} 1 1 18446744073709551615 0\n"
ASKING = {"sys.platform", "os.name", "os.uname", "os.fork", "sys.version_info", "sys.hexversion"}
OF_ONE_SYSTEM = {"fcntl", "msvcrt", "pwd", "grp", "resource", "winreg", "posix", "nt", "platform"}
CALLS_OF_ONE_SYSTEM = {"geteuid", "getuid", "supports_effective_ids", "pthread_kill", "O_BINARY", "O_CLOEXEC", "kill"}
FILES = ("/proc", "/sys/", "/dev/", "/etc/machine")


@pytest.fixture
def processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as Linux shows its processes in."""
    monkeypatch.setattr(systems, "PROCESSES", str(tmp_path))
    return tmp_path


@pytest.fixture
def _windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(systems, "IS_WINDOWS", True)


def process(folder: Path, pid: int, state: str = "S", started: int = 1234) -> None:
    (folder / str(pid)).mkdir()
    (folder / str(pid) / "stat").write_text(STAT.format(state=state, started=started))


def test_the_start_of_a_process(processes: Path) -> None:
    """It is read behind a name that may hold brackets and spaces; of none that is there, nothing is known."""
    process(processes, 7)
    assert systems.start_of(7) == ("1234", "S")
    assert systems.start_of(8) == ("", "")


@pytest.mark.parametrize(
    ("state", "started", "is_running"),
    [("S", "1234", True), ("R", "", True), ("S", "99", False), ("Z", "1234", False), ("X", "1234", False)],
)
def test_who_is_running(processes: Path, state: str, started: str, is_running: bool) -> None:
    """A zombie is not, nor is another process that got the same id."""
    process(processes, 7, state)
    assert systems.is_running(7, started) is is_running


@pytest.mark.parametrize(
    ("error", "is_running"),
    [(None, True), (ProcessLookupError(), False), (OverflowError(), False), (PermissionError(), True)],
    ids=["there", "gone", "impossible", "of somebody else"],
)
@pytest.mark.usefixtures("processes")
def test_without_a_list_of_processes_signals_tell(
    monkeypatch: pytest.MonkeyPatch, error: Exception | None, is_running: bool
) -> None:
    """As on macOS: signal 0 reaches who lives."""

    def kill(pid: int, number: int) -> None:
        assert (pid, number) == (7, 0)
        if error is not None:
            raise error

    monkeypatch.setattr(os, "kill", kill)
    assert systems.is_running(7, "") is is_running


@pytest.mark.usefixtures("_windows", "processes")
def test_on_windows_nobody_is_asked_by_a_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would end the process: a lease tells."""
    monkeypatch.setattr(os, "kill", lambda *_: pytest.fail("killed"))
    assert systems.is_running(7, "")


def test_ids_of_boot_machine_and_space(processes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are what the files say, without the end of the line."""
    monkeypatch.setattr(systems, "SETTINGS", str(processes / "etc"))
    assert (systems.boot_id(), systems.machine_id(), systems.pid_space()) == ("", "", "")
    for file, text in (("sys/kernel/random/boot_id", "b-o-o-t\n"), ("etc/machine-id", "0123abcd\n")):
        (processes / file).parent.mkdir(parents=True)
        (processes / file).write_text(text)
    (processes / "self" / "ns").mkdir(parents=True)
    (processes / "self" / "ns" / "pid").symlink_to("pid:[42]")
    assert (systems.boot_id(), systems.machine_id(), systems.pid_space()) == ("b-o-o-t", "0123abcd", "pid:[42]")


@pytest.mark.usefixtures("processes")
def test_an_owner_on_a_system_that_tells_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of itself it knows that it lives, of a process that is gone that it does not."""
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    owner = Owner.current()
    assert (owner.pid_space, owner.started) == ("", "")
    assert not owner.is_dead()
    monkeypatch.setattr(os, "getpid", lambda: gone.pid)
    dead = Owner.current()
    assert dead.is_dead()


@pytest.mark.usefixtures("_windows")
def test_folders_are_not_synced_on_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They cannot even be opened there."""
    monkeypatch.setattr(os, "open", lambda *_: pytest.fail("opened"))
    systems.sync_folder(tmp_path)


def test_folders_are_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere the names in it are, and it is closed again."""
    synced = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.readlink(f"/proc/self/fd/{descriptor}")))
    systems.sync_folder(tmp_path)
    assert synced == [str(tmp_path)]


@pytest.fixture
def file(tmp_path: Path) -> Iterator[int]:
    """An open file."""
    descriptor = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    yield descriptor
    os.close(descriptor)


def test_one_process_has_a_lock(tmp_path: Path, file: int) -> None:
    """Another descriptor gets it when the first one is closed."""
    assert systems.try_lock(file)
    other = os.open(tmp_path / "lock", os.O_RDWR)
    assert not systems.try_lock(other)
    os.close(other)


@pytest.mark.usefixtures("_windows")
@pytest.mark.parametrize("is_free", [True, False])
def test_locks_of_windows(file: int, monkeypatch: pytest.MonkeyPatch, is_free: bool) -> None:
    """One byte is locked, at once or not."""

    def locking(descriptor: int, mode: int, size: int) -> None:
        assert (descriptor, mode, size) == (file, 2, 1)
        if not is_free:
            raise PermissionError(errno.EACCES, "locked")

    fake: Any = types.ModuleType("msvcrt")
    fake.LK_NBLCK, fake.locking = 2, locking
    monkeypatch.setitem(sys.modules, "msvcrt", fake)
    assert systems.try_lock(file) is is_free


@pytest.mark.parametrize(("mode", "is_open"), [(0o600, False), (0o640, True), (0o606, True)])
def test_files_that_are_open_to_others(monkeypatch: pytest.MonkeyPatch, mode: int, is_open: bool) -> None:
    """The mode says so, but not on Windows."""
    assert systems.is_open_to_others(mode) is is_open
    monkeypatch.setattr(systems, "IS_WINDOWS", True)
    assert not systems.is_open_to_others(mode)


def test_files_of_this_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that others may write, or that belongs to another, is not; on Windows the profile is the user's."""
    path = tmp_path / "mine"
    path.touch(0o644)
    assert systems.is_mine(path.stat())
    path.chmod(0o666)
    assert not systems.is_mine(path.stat())
    path.chmod(0o600)
    with monkeypatch.context() as other:
        other.setattr(os, "geteuid", lambda: os.getuid() + 1)
        assert not systems.is_mine(path.stat())
    monkeypatch.setattr(systems, "IS_WINDOWS", True)
    monkeypatch.delattr(os, "geteuid")
    assert systems.is_mine(path.stat())


@pytest.mark.parametrize("is_windows", [False, True])
def test_a_signal_again(monkeypatch: pytest.MonkeyPatch, is_windows: bool) -> None:
    """It reaches the thread, or where threads get none, the process."""
    sent: list[tuple[int, ...]] = []
    monkeypatch.setattr(systems, "IS_WINDOWS", is_windows)
    monkeypatch.setattr(signal, "raise_signal", lambda *number: sent.append(number))
    monkeypatch.setattr(signal, "pthread_kill", lambda *call: sent.append(call))
    me = threading.get_ident()
    systems.signal_again(signal.SIGTERM, me)
    assert sent == [(signal.SIGTERM,)] if is_windows else sent == [(me, signal.SIGTERM)]


def test_systems_and_versions_are_asked_for_in_one_place() -> None:
    """Outside of durable_import/pythons nothing asks which system or which Python this is, nor uses what only some have."""
    found = [f"{path.relative_to(PACKAGE)}:{line}: {what}" for path in PACKAGE.rglob("*.py") for line, what in differences(path)]
    assert not [each for each in found if not each.startswith("pythons/")]
    assert len(found) > 10


def differences(path: Path) -> Iterator[tuple[int, str]]:
    """Where a module asks for a difference: lines, and what they say."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Attribute) and (ast.unparse(node) in ASKING or node.attr in CALLS_OF_ONE_SYSTEM):
            yield node.lineno, ast.unparse(node)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            yield from ((node.lineno, name) for name in names if name in OF_ONE_SYSTEM and not getattr(node, "level", 0))
        elif isinstance(node, ast.Constant) and (node.value in CALLS_OF_ONE_SYSTEM or str(node.value).startswith(FILES)):
            yield node.lineno, str(node.value)
