"""Files that survive power loss, their names and texts, a lock between processes, and words for what the system refuses."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from durable_import.errors import StoreUnavailableError
from durable_import.pythons.systems import sync_folder, try_lock

_REASONS = {
    errno.ENOSPC: "the disk is full. Free some space and run again",
    errno.EDQUOT: "the disk quota is used up. Free some space and run again",
    errno.EFBIG: "a limit on file sizes is reached. Raise it and run again",
    errno.EROFS: "the file system is read-only. Choose a store elsewhere",
    errno.EACCES: "it is not writable for this user. Change its permissions or choose a store elsewhere",
    errno.EPERM: "it is not writable for this user. Change its permissions or choose a store elsewhere",
    errno.ENOTDIR: "a part of its path is a file, not a folder. Choose a store elsewhere",
    errno.EEXIST: "a file stands where a folder is needed. Choose a store elsewhere",
    errno.EISDIR: "a folder stands where a file is needed. Choose a store elsewhere",
}


def file_name(name: str) -> str:
    """Safe on every file system, also one that ignores case; the digest makes it unique, the rest is for people."""
    readable = re.sub(r"[^a-z0-9_-]+", "-", name.lower())[:40]
    return f"{readable}-{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"


def text_of(data: bytes) -> str:
    """What is no text at all is given as something to look at: what is damaged must not keep the rest from being read."""
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return data.decode("utf-8", "backslashreplace")


def refused_by_system(path: Path, error: OSError) -> StoreUnavailableError:
    """The error for a store at ``path`` that met ``error``."""
    reason = _REASONS.get(error.errno or 0, f"{error.strerror or error}. Repair it and run again")
    return StoreUnavailableError(f"the store {path} cannot be used: {reason}; what was committed before is safe.")


def make_folder(folder: Path) -> None:
    """Make ``folder`` and its parents so that they are still there after power loss."""
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        if folder == folder.parent:
            break
        folder = folder.parent
    for each in reversed(missing):
        each.mkdir(exist_ok=True)
        sync_folder(each.parent)


def write_durably(file: Path, *parts: bytes) -> None:
    """Replace ``file`` as a whole; the caller holds the lock that makes its draft's name safe."""
    draft = file.with_name(f"{file.name}.new")
    with draft.open("wb") as opened:
        opened.writelines(parts)
        opened.flush()
        os.fsync(opened.fileno())
    os.replace(draft, file)
    sync_folder(file.parent)


def remove_durably(file: Path) -> None:
    """Remove ``file`` if it is there."""
    file.unlink(missing_ok=True)
    sync_folder(file.parent)


@contextmanager
def locked(file: Path, patience: float) -> Iterator[None]:
    """Hold the lock of ``file``; ends with the process. Raises StoreUnavailableError after ``patience`` seconds."""
    # never removed: two processes must always lock the same inode
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        _wait_for_lock(descriptor, file, patience)
        yield
    finally:
        os.close(descriptor)


def _wait_for_lock(descriptor: int, file: Path, patience: float) -> None:
    deadline = time.monotonic() + patience
    pause = 0.001
    while not try_lock(descriptor):
        if time.monotonic() >= deadline:
            raise StoreUnavailableError(
                f"the store {file.parent} was locked by another process for {patience:g} s (its lock file: {file}). "
                f"Stop that process or wait for it, then run again; what was committed before is safe."
            )
        time.sleep(pause)
        pause = min(pause * 2, 0.05)
