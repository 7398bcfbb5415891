"""Members of enums, by name, and flags by the names of their bits: values may shift when the class is edited.

The standard library's stay as pickle has them, by value, as their names differ between versions of Python; so do members of
classes with a ``__reduce_ex__`` of their own. Until now all were saved so, and such snapshots still open.
"""

from __future__ import annotations

import enum
import sys
from functools import reduce
from importlib import import_module
from typing import Any

from durable_import.errors import DataChangedError
from durable_import.snapshot.definitions.definition_lines import line_of_class
from durable_import.upgrades.renames import new_member

_ATOMS = frozenset({int, str, bytes, float, bool, type(None)})


def reduce_member(member: Any) -> Any:
    """A member by its name, with its value for the error if it is gone, else NotImplemented."""
    cls: Any = type(member)
    if cls.__reduce_ex__ is not enum.Enum.__reduce_ex__ or _is_standard(cls.__module__):
        return NotImplemented
    if isinstance(member, enum.Flag):
        return _reduce_flag(cls, member)
    if cls._member_map_.get(member._name_) is not member:
        return NotImplemented  # made by the class's ``_missing_``
    value = member._value_
    return restore_member, (cls, member._name_, value) if _is_flat(value) else (cls, member._name_)


def _is_standard(module: str) -> bool:
    return module != "__main__" and module.partition(".")[0] in sys.stdlib_module_names


def _is_flat(value: Any) -> bool:
    return type(value) in _ATOMS or (type(value) is tuple and _ATOMS.issuperset(map(type, value)))


def _reduce_flag(cls: Any, member: Any) -> Any:
    value = member._value_
    if type(value) is not int or value < 0:
        return NotImplemented
    bits = {m._name_: m._value_ for m in cls._member_map_.values() if m._value_.bit_count() == 1 and m._value_ & value}
    rest = value & ~sum(bits.values())
    if rest and cls._member_map_.get(member._name_) is member:  # of bits that have no names
        bits, rest = {member._name_: value}, 0
    return restore_flag, (cls, tuple(bits.items()), rest)


def restore_member(cls: Any, name: str, *value: Any) -> Any:
    """The member that has the name today. Raises DataChangedError."""
    found = getattr(cls, "_member_map_", {}).get(name)
    return found if found is not None else _renamed_member(cls, name, *value)


def restore_flag(cls: Any, bits: tuple[tuple[str, int], ...], rest: int) -> Any:
    """The flag with the bits that have these names today, and with those that had none. Raises DataChangedError."""
    value = reduce(lambda value, bit: value | int(restore_member(cls, *bit)._value_), bits, 0)
    try:
        return cls(value | rest)
    except (TypeError, ValueError) as error:
        raise _error(cls, f"{cls.__qualname__} with the bits {rest:#x}", f"which the class of today refuses: {error}") from error


def _renamed_member(cls: Any, name: str, *value: Any) -> Any:
    place = new_member(cls.__module__, cls.__qualname__, name)
    if place is None:
        raise _gone(cls, name, *value)
    holder, _, last = place[1].rpartition(".")
    found: Any = import_module(place[0])
    try:
        found = reduce(getattr, holder.split("."), found)._member_map_[last]
    except (AttributeError, KeyError) as error:
        said = f"renamed() says that it is {place[0]}:{place[1]}, which is no member of an enum"
        raise _error(cls, f"{cls.__qualname__}.{name}", said) from error
    return found


def _gone(cls: Any, name: str, *value: Any) -> DataChangedError:
    members = getattr(cls, "_member_map_", None)
    what = f"{cls.__qualname__}.{name}" + (f" (value {value[0]!r})" if value else "")
    if members is None:
        return _error(cls, what, "and that class is no enum today. Put it back, and resume again; the saved state is kept")
    same = [other for other, member in members.items() if value and type(member._value_) is type(value[0])]
    same = [other for other in same if members[other]._value_ == value[0]]
    place = f"{cls.__module__}:{cls.__qualname__}"
    line = f'durable_import.renamed("{place}.{name}", "{place}.{same[0] if same else "NAME"}")'
    if same:
        now = f"The member with that value is {same[0]} today. If that is the same, say so at module level: {line}"
        now += f". If not, put {name} back"
    else:
        now = f"No member has that value today. Put {name} back, or say at module level which takes its place: {line}"
    return _error(cls, what, f"and that class has no member {name} today. {now}. The saved state is kept")


def _error(cls: Any, what: str, why: str) -> DataChangedError:
    filename, lineno = line_of_class(cls)
    message = f"{filename}:{lineno}: the saved state has {what}, {why}"
    return DataChangedError(message, filename=filename, lineno=lineno, name=f"{cls.__module__}:{cls.__qualname__}")
