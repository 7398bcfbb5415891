"""What operating systems differ in. Linux is what is tested; the other branches are tested with fakes of those systems.

A process is known by its id, by the moment of its start, by the boot and the machine that it runs on, and by the space of process
ids that it sees. What a system does not tell is ''.
"""

from __future__ import annotations

import os
import sys
import time
from functools import partial
from importlib import import_module
from typing import Any

IS_WINDOWS = sys.platform == "win32"
SYNC_STOPS_AT_CACHE = sys.platform == "darwin"  # ``fsync`` leaves data in the drive's cache there, ``F_FULLFSYNC`` does not
BINARY = getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)  # flags to open a file with that is not to be translated
PROCESSES = "/proc"  # proc(5), of Linux
SETTINGS = "/etc"


# --- time

BOOT_TIME = getattr(time, "CLOCK_BOOTTIME", None)
# Seconds, for spans: it never jumps, and where there is such a clock it goes on while the machine sleeps.
passing = partial(time.clock_gettime, BOOT_TIME) if BOOT_TIME is not None else time.monotonic


# --- processes


def is_running(pid: int, started: str) -> bool:
    """Whether the process lives that had this id and began then; in doubt, it does."""
    now_started, state = start_of(pid)
    if state:
        # a zombie will not advance anything; another start time means the pid was used again
        return state not in "ZX" and (not started or now_started == started)
    if IS_WINDOWS:
        return True  # os.kill would end the process; its lease tells
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def start_of(pid: int) -> tuple[str, str]:
    """Start of a process, in clock ticks after boot, and its state letter: fields 22 and 3 of its ``stat``."""
    try:
        with open(f"{PROCESSES}/{pid}/stat", encoding="utf-8", errors="replace") as file:
            text = file.read()
    except OSError:
        return "", ""
    fields = text.rpartition(")")[2].split()  # the name before ')' may hold spaces and brackets
    return fields[19], fields[0]


def pid_space() -> str:
    """The namespace of process ids: containers share a boot."""
    try:
        return os.readlink(f"{PROCESSES}/self/ns/pid")
    except OSError:
        return ""


def boot_id() -> str:
    """What differs after each boot."""
    return _first_line(f"{PROCESSES}/sys/kernel/random/boot_id")


def machine_id() -> str:
    """What differs between machines; it is confidential (machine-id(5))."""
    return _first_line(f"{SETTINGS}/machine-id")


def _first_line(path: str) -> str:
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.readline().strip()
    except OSError:
        return ""


def signal_again(number: int, thread: int) -> None:
    """Send a signal to a thread of this process, or where threads get none, to the process."""
    import signal

    if IS_WINDOWS:
        signal.raise_signal(number)
    else:
        signal.pthread_kill(thread, number)


# --- files


def sync_folder(folder: str | os.PathLike[str]) -> None:
    """Let the names in a folder survive power loss."""
    if IS_WINDOWS:
        return  # folders cannot be opened there; NTFS logs its metadata
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_open_to_others(mode: int) -> bool:
    """Whether users other than the owner may read or write a file; Windows has other means, which ``mode`` does not show."""
    return not IS_WINDOWS and bool(mode & 0o077)


def is_mine(status: os.stat_result) -> bool:
    """Whether a file is this user's, and written by no other; on Windows what is in that user's profile is."""
    return IS_WINDOWS or (status.st_uid == os.geteuid() and not status.st_mode & 0o022)


def is_writable(folder: str) -> bool:
    """Whether this user may make files in a folder."""
    return os.access(folder, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def try_lock(descriptor: int) -> bool:
    """Take the lock of an open file, if no other process has it; it ends with the descriptor."""
    return _lock_of_windows(descriptor) if IS_WINDOWS else _lock_of_posix(descriptor)


def _lock_of_windows(descriptor: int) -> bool:
    msvcrt: Any = import_module("msvcrt")
    try:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    except PermissionError:
        return False
    return True


def _lock_of_posix(descriptor: int) -> bool:
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
