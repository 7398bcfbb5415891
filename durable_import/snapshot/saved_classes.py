"""Which classes of the program a snapshot has objects of, without any of its code being run, or imported.

The pickle is read with stand-ins for all that it names.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Iterator
from typing import Any

from ..errors import MissingCodeError
from ..upgrades.data import ClassChange, SavedClass, compare, saved_class
from .declared import find_by_name
from .incremental.pieces import join_pieces
from .library import is_standard
from .names import MODULE, is_internal
from .payload import IN_PIECES, check_format, is_in_segments


def classes_in(payload: bytes, segments: dict[str, bytes]) -> list[SavedClass]:
    """The classes that an authenticated payload names, in the order of their names. Raises SnapshotFormatError."""
    check_format(payload)
    found: dict[tuple[str, str], SavedClass] = {}
    if is_in_segments(payload):
        parts = [payload[3:], *segments.values()]
    else:
        parts = [join_pieces(payload[3:], segments) if payload[2:3] == IN_PIECES else payload[3:]]
    for part in parts:
        _Looking(part, found).look()
    return [found[place] for place in sorted(found)]


def changes_in(payload: bytes, segments: dict[str, bytes]) -> Iterator[ClassChange]:
    """How each of them differs from that of today, which is imported."""
    for saved in classes_in(payload, segments):
        yield compare(saved, _today(saved))


def _today(saved: SavedClass) -> Any:
    try:
        return find_by_name(saved.module, saved.name)
    except (MissingCodeError, AttributeError, ImportError):
        return None


class _StandIn:
    """Stands for whatever a pickle makes."""

    place: tuple[str, str] | None = None

    def __new__(cls, *_: Any, **__: Any) -> _StandIn:
        return object.__new__(cls)

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __call__(self, *_: Any) -> type[_StandIn]:
        return _StandIn

    @staticmethod
    def __setstate__(_: Any) -> None:
        pass

    def __setitem__(self, _: Any, __: Any) -> None:
        pass

    @staticmethod
    def extend(_: Any) -> None:
        pass

    append = add = extend


class _Looking(pickle.Unpickler):
    """Reads a pickle for what it names."""

    def __init__(self, data: bytes, found: dict[tuple[str, str], SavedClass]) -> None:
        self._file = io.BytesIO(data)
        super().__init__(self._file)
        self._found = found
        self._notes = {
            "class.with_arguments": self._with_arguments, "class.with_fields": self._with_fields,
            "enum.flag": self._flag, "enum.member": self._member,
        }  # fmt: skip

    def look(self) -> None:
        """Note all classes."""
        end = self._file.getbuffer().nbytes
        while self._file.tell() < end:
            self.load()

    def persistent_load(self, pid: Any) -> Any:  # noqa: ARG002  the protocol's signature
        return 0.0

    def find_class(self, module: str, name: str) -> Any:
        if module == MODULE:
            return self._registered
        if is_internal(module) or (module != "__main__" and is_standard(module)):
            return _StandIn
        self._found.setdefault((module, name), SavedClass(module, name))
        return _named(module, name)

    def _registered(self, name: str) -> Any:
        return self._notes.get(name, _StandIn)

    def _with_fields(self, module: str, name: str, fields: str, kinds: str | None = None) -> Any:
        self._found[module, name] = saved_class(module, name, fields, kinds)
        return _named(module, name)

    def _with_arguments(self, origin: Any, _: Any, fields: str, __: str) -> Any:
        """A generic model: the types of its fields are those that it was made for."""
        if origin.place is None:
            return _StandIn
        module, name = origin.place
        return self._with_fields(module, name, fields)

    def _member(self, cls: Any, name: str, value: Any = None) -> Any:
        if cls.place is not None:
            self._found[cls.place].members[name] = value
        return _StandIn()

    def _flag(self, cls: Any, bits: tuple[tuple[str, int], ...], _: int) -> Any:
        for bit in bits:
            self._member(cls, *bit)
        return _StandIn()


def _named(module: str, name: str) -> Any:
    return type("Named", (_StandIn,), {"place": (module, name)})
