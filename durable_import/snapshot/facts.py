"""The facts of a snapshot, without the rest: nothing of the program is found by its name, made, or called."""

from __future__ import annotations

import io
import pickle
from typing import Any

from .incremental.pieces import join_pieces
from .payload import IN_PIECES, check_format, is_in_segments


class _Nothing:
    """Stands for all that a pickle names, and for what is made of it."""

    def __new__(cls, *_args: Any, **_options: Any) -> _Nothing:
        return object.__new__(cls)

    def __init__(self, *_args: Any, **_options: Any) -> None: ...

    def __call__(self, *_args: Any, **_options: Any) -> _Nothing:
        return _Nothing()

    def _take(self, *_args: Any) -> None: ...

    __setstate__ = __setitem__ = append = extend = add = _take


class _FactsUnpickler(pickle.Unpickler):
    def persistent_load(self, _pid: Any) -> Any:
        return None

    def find_class(self, _module: str, _name: str, /) -> Any:
        return _Nothing


def facts_of(payload: bytes, segments: dict[str, bytes]) -> dict[str, Any]:
    """The facts of an authenticated payload. Raises SnapshotFormatError for a format that is not read here."""
    check_format(payload)
    data = join_pieces(payload[3:], segments) if payload[2:3] == IN_PIECES else payload[3:]
    unpickler = _FactsUnpickler(io.BytesIO(data))
    unpickler.load()
    while type(value := unpickler.load()) is not tuple:
        pass
    found = value[0][0] if is_in_segments(payload) else value[1]
    return found if isinstance(found, dict) else {}
