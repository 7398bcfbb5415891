"""Rewritten bytecode, kept in ``__pycache__`` beside the ordinary one.

The name is the ordinary one (so version, optimization level and ``sys.pycache_prefix`` count) plus a hash of the
rewriter's own sources: ``mod.cpython-311.durable-1a2b3c4d.pyc``, and for the fast variant ``...-1a2b3c4d-fast.pyc``.
A file is valid for one module name, path and source: rewritten code and its table may name all three.

Where the file cannot be written, as beside a standard library that belongs to another user, it goes to the user's own cache
folder. There only files that are the user's and that no one else may write are read: it may be another user's ``HOME``.

The source is checked by its hash, not by time and size as CPython does. It is read anyway (``code_table`` needs it), the
hash costs 1 us per KB, and it is right where times are not: two saves within one tick, a checkout, an image layer.

File: ``MAGIC_NUMBER`` (4 bytes), hashes of names, source and the rest (8 each), marshalled ``(code, table)``. The last makes a
torn or damaged file a miss; marshal must never see one. As with CPython's cache, no failure to write is an error.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import sys
import threading
import time

from ..ours import FOLDER
from ..pythons.systems import BINARY, is_mine
from ..rewrite.rewritten import RewrittenModule

__all__ = ["bytecode_path", "load", "rewriter_hash", "store"]

PLAIN, FAST = "", "-fast"  # variants of a module, as in the names of their files
_FORMAT = b"3"
_HEADER = 28  # bytes
_KEPT = 24 * 3600  # seconds: what another durable_import has written since then may be in use, as where two share a Python

_rewriter_hash: str | None = None


def rewriter_files() -> tuple[str, ...]:
    """Paths of the sources that decide what rewritten code looks like: all that lie in ``rewrite`` and in ``pythons``."""
    rooms = [walked for room in ("rewrite", "pythons") for walked in os.walk(os.path.join(FOLDER, room), onerror=_raise)]
    return tuple(sorted(os.path.join(room, name) for room, _, names in rooms for name in names if name.endswith(".py")))


def _raise(error: OSError) -> None:
    raise error


def rewriter_hash() -> str | None:
    """Eight hexadecimal digits for the rewriter's sources; None if they cannot be read (then nothing is cached)."""
    global _rewriter_hash
    if _rewriter_hash is None:
        sources = [_FORMAT]
        try:
            for path in rewriter_files():
                with open(path, "rb", buffering=0) as file:
                    sources.append(file.read())
        except OSError:  # installed without sources, or in a zip archive
            return None
        _rewriter_hash = importlib.util.source_hash(b"\0".join(sources))[:4].hex()
    return _rewriter_hash


def bytecode_path(path: str, variant: str = PLAIN) -> str | None:
    """Where the bytecode of a variant of the source file ``path`` belongs; None if it cannot be cached."""
    version = rewriter_hash()
    if version is None or sys.implementation.cache_tag is None:
        return None
    return f"{importlib.util.cache_from_source(path).removesuffix('pyc')}durable-{version}{variant}.pyc"


def own_bytecode_path(target: str) -> str | None:
    """Where what belongs to ``target`` is kept if that cannot be written; None if the user has no cache folder."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    if not os.path.isabs(home):
        return None
    place = os.path.splitdrive(os.path.abspath(target))[1].lstrip(os.sep)
    return os.path.join(home, "durable_import", place)


def load(path: str, module: str, source: bytes, variant: str) -> RewrittenModule | None:
    """A variant of the ``module`` of the ``source`` at ``path``; None if it is not cached, outdated or damaged."""
    target = bytecode_path(path, variant)
    if target is None:
        return None
    found = _decode(_read(target), path, module, source)
    if found is None:
        own = own_bytecode_path(target)
        found = _decode(_read(own, is_own=True), path, module, source) if own is not None else None
    return found


def _read(target: str, *, is_own: bool = False) -> bytes:
    """What a file holds; nothing if it cannot be read, or may not be."""
    try:
        descriptor = os.open(target, os.O_RDONLY | BINARY)  # less than half the time of ``open``
        try:
            status = os.fstat(descriptor)
            return b"" if is_own and not is_mine(status) else os.read(descriptor, status.st_size)
        finally:
            os.close(descriptor)
    except OSError:
        return b""


def _decode(data: bytes, path: str, module: str, source: bytes) -> RewrittenModule | None:
    payload = memoryview(data)[_HEADER:]
    if data[:_HEADER] != _header(path, module, source, payload):
        return None
    try:
        return RewrittenModule.from_bytes(payload)
    except (ValueError, EOFError, TypeError):
        return None


def store(path: str, module: str, source: bytes, rewritten: RewrittenModule, variant: str) -> bool:
    """Keep ``rewritten`` for ``load``, and remove what others left for ``path`` long ago; whether that was possible."""
    target = bytecode_path(path, variant)
    if target is None or sys.dont_write_bytecode:
        return False
    payload = rewritten.to_bytes()
    data = _header(path, module, source, payload) + payload
    own = own_bytecode_path(target)
    if _put(target, data, path):
        return True
    return own is not None and _put(own, data, path, is_own=True)


def _put(target: str, data: bytes, path: str, *, is_own: bool = False) -> bool:
    try:
        mode = (os.stat(path).st_mode | 0o200) & 0o666  # readable by all who may read the source
        os.makedirs(os.path.dirname(target), exist_ok=True)
        _write_atomically(target, data, 0o600 if is_own else mode)
        _remove_old(target)
    except OSError:  # a read-only folder, a full disk: the module works without
        return False
    return True


def _header(path: str, module: str, source: bytes, payload: bytes | memoryview) -> bytes:
    names = module.encode("utf-8", "surrogatepass") + b"\0" + os.fsencode(path)
    return importlib.util.MAGIC_NUMBER + b"".join([importlib.util.source_hash(part) for part in (names, source, payload)])


def _write_atomically(target: str, data: bytes, mode: int) -> None:
    temporary = f"{target}.{os.getpid()}-{threading.get_ident()}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | BINARY, mode)
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
        os.replace(temporary, target)
    except OSError:
        os.unlink(temporary)
        raise


def _remove_old(target: str) -> None:
    """Remove the old files of other rewriters, and of writers that were killed, for the same source, version and level."""
    folder, name = os.path.split(target)
    prefix = name[: name.rindex("durable-")] + "durable-"
    own = f"{prefix}{rewriter_hash()}"
    limit = time.time() - _KEPT
    for name in os.listdir(folder):
        other = os.path.join(folder, name)
        if name.startswith(prefix) and not name.startswith(own):
            with contextlib.suppress(FileNotFoundError):  # somebody else was faster
                if os.stat(other).st_mtime < limit:
                    os.unlink(other)
