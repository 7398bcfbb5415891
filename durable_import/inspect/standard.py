"""Objects of the standard library whose pickled form says little to people: dates, paths, ids, and the like."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

from .graph import Made, items_of

Found = tuple[list[tuple[str, Any]], str, str]  # parts, style and text of a shape


def standard_shape(module: str, name: str, node: Made) -> Found | None:
    """What an object of the standard library is; None for others, and for one that is not as that pickles it."""
    reader = _STANDARD.get((module, name))
    return reader(node) if reader is not None else None


def _plain(text: str) -> Found:
    return [], "plain", text


def _datetime(node: Made) -> Found | None:
    """Ten bytes, and perhaps a time zone."""
    return _moment("datetime", node, 10, lambda data: datetime.datetime.combine(datetime.date(*_day(data)), _clock(data[4:])))


def _date(node: Made) -> Found | None:
    return _moment("date", node, 4, lambda data: datetime.date(*_day(data)))


def _time(node: Made) -> Found | None:
    return _moment("time", node, 6, _clock)


def _day(data: bytes) -> tuple[int, int, int]:
    return int.from_bytes(data[:2]), data[2] & 0x7F, data[3]


def _clock(data: bytes) -> datetime.time:
    return datetime.time(data[0] & 0x7F, data[1], data[2], int.from_bytes(data[3:]))


def _moment(name: str, node: Made, size: int, make: Callable[[bytes], Any]) -> Found | None:
    data = node.arguments[0] if node.arguments else None
    if type(data) is not bytes or len(data) != size:
        return None
    try:
        text = make(data).isoformat()
    except ValueError:
        return None
    zone = [(".tzinfo", node.arguments[1])] if len(node.arguments) > 1 else []
    return ([("(0)", text), *zone], "object", "") if zone else _plain(f"{name}({text!r})")


def _path(node: Made) -> Found | None:
    if not all(type(part) is str for part in node.arguments):
        return None
    name = str(node.function.name)
    return _plain(f"{name}({str((PureWindowsPath if 'Windows' in name else PurePosixPath)(*node.arguments))!r})")


def _uuid(node: Made) -> Found | None:
    held = items_of(node.states[0].value, "dict") if len(node.states) == 1 else None
    number = dict(held).get("int") if held is not None and all(type(key) is str for key, _ in held) else None
    return _plain(f"UUID('{uuid.UUID(int=number)}')") if type(number) is int and 0 <= number < 1 << 128 else None


def _timedelta(node: Made) -> Found | None:
    if [type(part) for part in node.arguments] != [int, int, int]:
        return None
    names = [(name, value) for name, value in zip(("days", "seconds", "microseconds"), node.arguments, strict=True) if value]
    return [(f".{name}", value) for name, value in names] or [("(0)", 0)], "object", ""


def _partial(node: Made) -> Found | None:
    state = items_of(node.states[0].value, "tuple") if len(node.states) == 1 else None
    if state is None or len(state) < 3:
        return None
    positional, named = items_of(state[1], "tuple") or [], items_of(state[2], "dict") or []
    arguments = [(f"({index + 1})", value) for index, value in enumerate(positional)]
    return [("(0)", state[0]), *arguments, *((f".{key}", value) for key, value in named)], "object", ""


def _deque(node: Made) -> Found | None:
    """Its items are appended; of its arguments the second is its length at most."""
    longest = [(".maxlen", node.arguments[1])] if len(node.arguments) > 1 else []
    return [*((f"[{index}]", item) for index, item in enumerate(node.items)), *longest], "object", ""


_STANDARD: dict[tuple[str, str], Callable[[Made], Found | None]] = {
    ("collections", "deque"): _deque,
    ("datetime", "date"): _date,
    ("datetime", "datetime"): _datetime,
    ("datetime", "time"): _time,
    ("datetime", "timedelta"): _timedelta,
    ("functools", "partial"): _partial,
    ("pathlib", "Path"): _path,
    ("pathlib", "PosixPath"): _path,
    ("pathlib", "PurePosixPath"): _path,
    ("pathlib", "PureWindowsPath"): _path,
    ("pathlib", "WindowsPath"): _path,
    ("pathlib._local", "PosixPath"): _path,
    ("pathlib._local", "PurePosixPath"): _path,
    ("uuid", "UUID"): _uuid,
}
