"""Reducers for compressed files: of gzip, bz2, lzma and, since Python 3.14, compression.zstd.

- Reading: the file below is read from its beginning again, up to the position in what it says; that takes time with it.
- Writing, of zstd: the frame is ended, and a new one goes on, with the default level. That costs some compression at each
  checkpoint before which something was written.
- Writing, of the others: refused. Their writers end the stream when they are dropped, which the file of a program that goes on
  must not get.

The file below is saved as any other (see ``files``): it is cut to what had been written.
"""

from __future__ import annotations

import importlib
import io
from collections.abc import Callable
from pickle import PicklingError
from typing import Any

from durable_import.snapshot.load_context import later

Reduced = tuple[Any, ...]

#: By the name that snapshots have for them: module and class, and the attributes for the file below and whether it is its own.
CLASSES = {
    "gzip": ("gzip", "GzipFile", "fileobj", "myfileobj"),
    "bz2": ("bz2", "BZ2File", "_fp", "_closefp"),
    "lzma": ("lzma", "LZMAFile", "_fp", "_closefp"),
    "zstd": ("compression.zstd", "ZstdFile", "_fp", "_close_fp"),
}
_SETTINGS = {"gzip": (), "bz2": (), "lzma": ("format", "filters"), "zstd": ("zstd_dict", "options")}  # those for reading


def restore_compressed_reader(kind: str, file: Any, name: Any, is_own: bool, settings: dict[str, Any], position: int) -> Any:
    """A compressed file over ``file`` whose next byte is number ``position`` of what it says."""
    file.seek(0)
    reader = _made(kind, file, name, is_own, "rb", settings)
    reader.seek(position)
    return reader


def restore_compressed_writer(kind: str, file: Any, name: Any, is_own: bool, state: dict[str, Any]) -> Any:
    """A compressed file that goes on writing where ``file`` stands."""
    writer = _made(kind, file, name, is_own, "wb", {})
    vars(writer).update(state)
    return writer


def restore_compressed_closed(kind: str, name: Any) -> Any:
    """A closed compressed file; it is closed when the layer above it has been made."""
    closed = _made(kind, io.BytesIO(), name, False, "rb", {})
    later(closed.close)
    return closed


def _made(kind: str, file: Any, name: Any, is_own: bool, mode: str, settings: dict[str, Any]) -> Any:
    module, cls, *_ = CLASSES[kind]
    make: Any = getattr(importlib.import_module(module), cls)
    made = make(name, mode, fileobj=file) if kind == "gzip" else make(file, mode, **settings)
    _attach(kind, made, file, is_own)
    return made


def _attach(kind: str, compressed: Any, file: Any, is_own: bool) -> None:
    _, _, attribute, own = CLASSES[kind]
    setattr(compressed, attribute, file)
    setattr(compressed, own, (file if is_own else None) if kind == "gzip" else is_own)


def _reduce(kind: str) -> Callable[[Any], Reduced]:
    _, _, attribute, own = CLASSES[kind]

    def reduce_compressed(compressed: Any) -> Reduced:
        name = getattr(compressed, "name", None) if kind == "gzip" else None
        if compressed.closed:
            return restore_compressed_closed, (kind, name)
        file, is_own = getattr(compressed, attribute), bool(getattr(compressed, own))
        if compressed.writable():
            return restore_compressed_writer, (kind, file, name, is_own, _flushed(kind, compressed))
        known = getattr(compressed._buffer.raw, "_decomp_args", {})
        settings = {setting: known[setting] for setting in _SETTINGS[kind] if known.get(setting) is not None}
        return restore_compressed_reader, (kind, file, name, is_own, settings, compressed.tell())

    return reduce_compressed


def _flushed(kind: str, compressed: Any) -> dict[str, Any]:
    """Let all that was written be in the file below, so that it can be gone on with; gives what a writer has to know."""
    if kind != "zstd":
        raise PicklingError(f"a file being written with {kind}; write it in one plain function called by asyncio.to_thread")
    compressed.flush(compressed.FLUSH_FRAME)
    return {"_pos": compressed._pos}


BY_NAME: dict[tuple[str, str], Callable[[Any], Any]] = {
    ("gzip", "GzipFile"): _reduce("gzip"),
    ("bz2", "BZ2File"): _reduce("bz2"),
    ("lzma", "LZMAFile"): _reduce("lzma"),
    ("compression.zstd._zstdfile", "ZstdFile"): _reduce("zstd"),
}
