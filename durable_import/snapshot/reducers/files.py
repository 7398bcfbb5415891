"""Reducers for files opened with ``open()``: reopened on restore, at the position of the checkpoint.

A text file, its buffer and its raw file are three objects that refer to each other; each is saved as itself, so they
keep their identity. What was buffered is flushed first. On restore:

- reading: the file is opened and positioned; a missing file raises FileNotFoundError, naming it;
- writing (also ``x`` and ``+``): opened without emptying it, cut to the *size* it had at the checkpoint (so what was
  written later is not there twice, and an update in the middle loses nothing), then positioned. A file that is shorter
  than it was is refused: data is missing;
- appending: only opened, since others may append to it as well;
- closed files are closed; the standard streams are those of the restoring process.

The file must still be found under its path at save time. Saving costs a flush, ``tell`` and, for text that is being
read, a seek: the current chunk (8 KB) is decoded again at the next read. While a text file is iterated over ``tell``
is disabled; the position is then counted back from the end of the decoded chunk, or, for encodings and error handlers
where bytes cannot be counted (UTF-16, ``ignore``, ...), by decoding the whole file once: time and memory grow with it.
"""

from __future__ import annotations

import codecs
import gc
import io
import os
import re
import stat
import sys
from collections.abc import Callable
from contextlib import suppress
from pickle import PicklingError
from typing import Any, cast

from durable_import.errors import SnapshotError
from durable_import.snapshot.load_context import later

Reduced = tuple[Any, ...] | str

_STANDARD = ("stdin", "stdout", "stderr", "__stdin__", "__stdout__", "__stderr__")
_WAY_OUT = "open it by path"


# --- raw files -------------------------------------------------------------------------------------------------------


def restore_raw(path: str | bytes, name: str | bytes, mode: str, position: int, size: int | None) -> io.FileIO:
    """Reopen the file at ``path``, cut to ``size`` bytes unless that is None, at ``position``."""
    raw = io.FileIO(path, mode, opener=_open_existing)
    raw.name = name
    try:
        if size is not None:
            _cut(raw, path, size)
        if raw.seekable():
            raw.seek(position)
    except BaseException:
        raw.close()
        raise
    return raw


def _open_existing(path: str, flags: int) -> int:
    """Neither create nor empty the file: it is the one that was open at the checkpoint."""
    return os.open(path, flags & ~(os.O_CREAT | os.O_EXCL | os.O_TRUNC))


def _cut(raw: io.FileIO, path: str | bytes, size: int) -> None:
    present = os.fstat(raw.fileno()).st_size
    if present < size:
        raise SnapshotError(
            f"{os.fsdecode(path)} has {present} bytes, but had {size} when the state was saved. "
            "Put the complete file back, or start afresh"
        )
    if present > size:
        os.ftruncate(raw.fileno(), size)


def restore_closed_raw(name: str | bytes | int, mode: str) -> io.FileIO:
    """A closed file; it is closed when the layers above it have been made."""
    raw = io.FileIO(os.devnull, mode, opener=_open_existing)
    raw.name = name
    later(raw.close)
    return raw


def _reduce_raw(raw: io.FileIO) -> Reduced:
    reference = _standard_stream(raw)
    if reference:
        return reference
    if raw.closed:
        return restore_closed_raw, (raw.name, raw.mode)
    name = cast("str | bytes | int", raw.name)
    if isinstance(name, int):
        raise PicklingError(f"the open file has no path, only the descriptor {name}; {_WAY_OUT}")
    path = os.path.abspath(name)
    there = os.fstat(raw.fileno())
    if not _leads_to(path, there):
        reason = "is not the open file any more (moved, removed or replaced)"
        raise PicklingError(f"{os.fsdecode(path)} {reason}; {_WAY_OUT}")
    if stat.S_ISFIFO(there.st_mode) or stat.S_ISSOCK(there.st_mode):
        raise PicklingError(f"{os.fsdecode(path)} is a pipe: what it held cannot be read again; {_WAY_OUT}")
    regular = stat.S_ISREG(there.st_mode)
    size = there.st_size if regular and raw.writable() and "a" not in raw.mode else None
    return restore_raw, (path, name, raw.mode, raw.tell() if regular else 0, size)


def _leads_to(path: str | bytes, there: os.stat_result) -> bool:
    try:
        return os.path.samestat(os.stat(path), there)
    except FileNotFoundError:
        return False


# --- buffers ---------------------------------------------------------------------------------------------------------


def restore_buffer(kind: type[Any], raw: io.FileIO, position: int | None) -> Any:
    """A buffer over ``raw`` at ``position``, unless that is None."""
    buffer = kind(raw)
    if position is not None:
        buffer.seek(position)
    return buffer


def _reduce_buffer(buffer: Any) -> Reduced:
    reference = _standard_stream(buffer)
    if reference:
        return reference
    raw = _lower_layer(buffer, "raw")
    if type(raw) is not io.FileIO:
        raise PicklingError(f"a {type(buffer).__name__} over a {type(raw).__name__} (not opened by path); {_WAY_OUT}")
    if buffer.closed:
        return restore_buffer, (type(buffer), raw, None)
    if buffer.writable():
        buffer.flush()
    return restore_buffer, (type(buffer), raw, buffer.tell() if buffer.seekable() else None)


def _lower_layer(stream: Any, name: str) -> Any:
    try:
        return getattr(stream, name)
    except ValueError as error:
        raise PicklingError(f"the {type(stream).__name__} is detached from its file") from error


# --- text ------------------------------------------------------------------------------------------------------------


def restore_text(buffer: Any, settings: dict[str, Any], attributes: dict[str, Any], cookie: int | None) -> Any:
    """A text layer over ``buffer``, at the position that ``tell`` called ``cookie``, unless that is None."""
    text = io.TextIOWrapper(buffer, **settings)
    text.__dict__.update(attributes)
    if cookie is not None:
        text.seek(cookie)
    return text


def _reduce_text(text: io.TextIOWrapper) -> Reduced:
    reference = _standard_stream(text)
    if reference:
        return reference
    buffer = _lower_layer(text, "buffer")
    cookie = None
    if not text.closed:
        if text.seekable():
            cookie = _position(text)  # before any flush, which enables a wrong ``tell`` while iterated over
        text.flush()
        if cookie is not None and text.readable() and (_is_over_file(buffer) or not _newline_can_be_seen(text)):
            text.seek(cookie)  # drops the decoded chunk, after which the newline setting can be seen
    settings = {
        "encoding": text.encoding, "errors": text.errors, "newline": _newline(text),
        "line_buffering": text.line_buffering, "write_through": text.write_through,
    }  # fmt: skip
    return restore_text, (buffer, settings, dict(text.__dict__), cookie)


def _newline(text: io.TextIOWrapper) -> str | None:
    """The ``newline`` that the text layer was made with, which it only shows to the garbage collector."""
    between = _texts_inside(text)
    return between[0] if between and between[0] in _NEWLINES else None


_NEWLINES = ("", "\n", "\r", "\r\n")


def _texts_inside(text: io.TextIOWrapper) -> list[str]:
    """The newline setting, if there is one, and the decoded chunk, if there is one."""
    return [x for x in gc.get_referents(text) if type(x) is str][1:-1]  # after the encoding, before the error handler


def _newline_can_be_seen(text: io.TextIOWrapper) -> bool:
    """Whether the newline setting cannot be mistaken for a decoded chunk."""
    between = _texts_inside(text)
    return len(between) != 1 or between[0] not in _NEWLINES


def _is_over_file(buffer: Any) -> bool:
    """Whether a buffer is that of a file, not a file within a file, in which going back takes long."""
    return type(getattr(buffer, "raw", None)) is io.FileIO


def _position(text: io.TextIOWrapper) -> int:
    inside = gc.get_referents(text)
    decoder = next((x for x in inside if hasattr(x, "getstate") and hasattr(x, "decode")), None)
    if decoder is None:  # nothing was read yet
        return text.tell()
    if any(type(x) is tuple for x in inside):  # the state at the chunk's beginning, without which ``tell`` is wrong
        with suppress(OSError):  # raised while it is being iterated over
            return text.tell()
    return _position_while_iterated(text, decoder)


def _position_while_iterated(text: io.TextIOWrapper, decoder: Any) -> int:
    text.flush()
    buffer: Any = text.buffer
    end = buffer.tell()
    pending, flags = decoder.getstate()
    universal = isinstance(decoder, io.IncrementalNewlineDecoder)
    held_back = len(pending) + (flags & 1 if universal else 0)  # the flag: a "\r" that may be half of a line end
    decoder.reset()
    buffer.seek(0, os.SEEK_END)
    rest = text.read()  # nothing can come from the file, so this is what is decoded already
    position = _count_back(text, end - held_back, rest, universal) if _is_over_file(buffer) else None
    if position is None:
        position = _count_forward(text, end, pending, flags, rest, decoder)
    text.seek(position)
    return position


def _count_back(text: io.TextIOWrapper, end: int, rest: str, universal: bool) -> int | None:
    """Where in the file ``rest``, which ends at byte ``end``, begins; None if bytes cannot be counted."""
    encoding = codecs.lookup(text.encoding).name
    if not (encoding in ("utf-8", "ascii") or encoding.startswith(("iso8859", "cp125"))):
        return None
    try:
        encoded = rest.encode(encoding, text.errors or "strict")
    except UnicodeError:
        return None
    window = 2 * len(encoded) + 2
    start = max(0, end - window)
    data = os.pread(text.fileno(), end - start, start)
    length = _raw_length(data, encoded) if universal else len(encoded)
    if length is None or length > len(data):
        return None
    raw = data[len(data) - length :]
    if universal and raw != encoded:
        raw = re.sub(rb"\r\n?", b"\n", raw)
        encoded = re.sub(rb"\r\n?", b"\n", encoded)
    return end - length if raw == encoded else None


def _raw_length(data: bytes, encoded: bytes) -> int | None:
    """How many bytes at the end of ``data`` read as ``encoded`` when line ends are translated."""
    if data.endswith(encoded):
        return len(encoded)
    first, *others = re.split(rb"\r\n|\r|\n", encoded)
    ends = [m.start() for m in re.finditer(rb"\r\n|\r|\n", data)]
    if not others or len(others) > len(ends):
        return None
    return len(data) - ends[-len(others)] + len(first)


def _count_forward(text: io.TextIOWrapper, end: int, pending: bytes, flags: int, rest: str, decoder: Any) -> int:
    """The position by decoding the whole file: exact for every encoding."""
    cast(Any, text.buffer).seek(end)
    decoder.setstate((pending, flags))
    unread = len(rest) + len(text.read())
    text.seek(0)
    total = len(text.read())
    text.seek(0)
    text.read(total - unread)
    return text.tell()


# --- standard streams ------------------------------------------------------------------------------------------------


def standard_stream(name: str, layer: str) -> Any:
    """``sys.<name>`` of this process, or the ``buffer`` or ``raw`` layer below it."""
    stream = getattr(sys, name)
    if layer == "raw":
        return stream.buffer.raw
    return stream.buffer if layer == "buffer" else stream


def _standard_stream(obj: Any) -> Reduced | None:
    for name in _STANDARD:
        stream = getattr(sys, name)
        if name[0] != "_" and _is_redirected(stream):
            continue
        if stream is obj:
            return standard_stream, (name, "")
        buffer = getattr(stream, "buffer", None)
        if buffer is None:
            continue
        if buffer is obj:
            return standard_stream, (name, "buffer")
        if getattr(buffer, "raw", None) is obj:
            return standard_stream, (name, "raw")
    return None


def _is_redirected(stream: Any) -> bool:
    """Whether a standard stream is, for the time being, an object of the program's: text in memory or a file with a path."""
    raw = getattr(getattr(stream, "buffer", None), "raw", None)
    return type(stream) is io.StringIO or isinstance(getattr(raw, "name", None), str)


def refuse_temporary(file: Any) -> Reduced:
    raise PicklingError(f"a temporary file ({file.name}), which is removed with its process; {_WAY_OUT}")


def reduce_stream(obj: Any) -> Any:
    """Of any other stream class: the standard streams, which may be replaced, are kept by reference."""
    return _standard_stream(obj) or NotImplemented


TABLE: dict[type, Callable[[Any], Reduced]] = {
    io.FileIO: _reduce_raw,
    io.BufferedReader: _reduce_buffer,
    io.BufferedWriter: _reduce_buffer,
    io.BufferedRandom: _reduce_buffer,
    io.TextIOWrapper: _reduce_text,
}
