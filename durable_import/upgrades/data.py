"""How the classes of objects in a saved state differ from those of today: same, changed, or gone.

A snapshot says of each class with declared fields which they were, with their types, and of members of enums their names and
values. Of other classes it is known only whether they are there.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Any, Literal

from .fields import Field, fields_of, is_filled_by_name, layout_of, own_setter

Status = Literal["same", "changed", "gone"]


@dataclass
class SavedClass:
    """What a snapshot says of a class. ``kinds``: the types of its fields, by name; ``members``: of an enum, those in use."""

    module: str
    name: str
    fields: tuple[str, ...] | None = None
    kinds: dict[str, str] = field(default_factory=dict)
    layout: str = ""
    members: dict[str, Any] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """As ``renamed`` takes it."""
        return f"{self.module}:{self.name}"


@dataclass(frozen=True)
class ClassChange:
    """``said``: what has changed, in words. ``lacking``: what today's class needs and objects have not; members gone."""

    place: str
    status: Status
    said: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()

    @property
    def can_be_loaded(self) -> bool:
        """Whether objects of the class are restored as it is today."""
        return self.status != "gone" and not self.lacking

    def __str__(self) -> str:
        return f"{self.place}: {', '.join(self.said) or self.status}"


def saved_class(module: str, name: str, fields: str, kinds: str | None) -> SavedClass:
    """What a snapshot says of a class with fields; see ``declared``."""
    names = tuple(fields.split())
    layout, _, rest = (kinds or "").partition("\n")
    return SavedClass(module, name, names, dict(zip(names, rest.split("\n"), strict=False)) if kinds else {}, layout)


def compare(saved: SavedClass, today: Any) -> ClassChange:
    """How a class of today differs from what a snapshot says of it; ``today`` is None if it is gone, and so its renamed one."""
    if today is None:
        return ClassChange(saved.place, "gone", ("is not there today",))
    said: list[str] = []
    lacking: list[str] = []
    if saved.members:
        said, lacking = _changed_members(saved, today)
    elif isinstance(today, type):
        said, lacking = _changed_fields(saved, today)
    return ClassChange(saved.place, "changed" if said else "same", tuple(said), tuple(lacking))


def _changed_members(saved: SavedClass, today: Any) -> tuple[list[str], list[str]]:
    if not isinstance(today, type) or not issubclass(today, enum.Enum):
        return ["is no enum today"], list(saved.members)
    members = today._member_map_
    lacking = [name for name in saved.members if name not in members]
    said = [f"{name} is gone" for name in lacking]
    for name, value in saved.members.items():
        if name in members and value is not None and members[name]._value_ != value:
            said.append(f"{name} is {members[name]._value_!r} (was {value!r})")
    return said, lacking


def _changed_fields(saved: SavedClass, today: Any) -> tuple[list[str], list[str]]:
    fields = fields_of(today) if is_filled_by_name(today) else {}
    if saved.fields is None or not fields:
        is_known = saved.fields is None or own_setter(today) is not None
        return ([] if is_known or fields else ["declares no fields today"]), []
    new = [each for each in fields.values() if each.name not in saved.fields]
    said = [f"{each.name!r} is new ({_default_said(each)})" for each in new]
    said += [f"{name!r} is gone" for name in saved.fields if name not in fields]
    for name, kind in saved.kinds.items():
        if name in fields and fields[name].kind != kind:
            said.append(f"{name!r} is {fields[name].kind} (was {kind})")
    if not said and tuple(fields) != saved.fields:
        said.append("its fields have another order")
    if saved.layout and saved.layout != layout_of(today):
        said.append(f"its objects are laid out as {layout_of(today)} (were {saved.layout})")
    return said, [each.name for each in new if each.is_needed]


def _default_said(new: Field) -> str:
    return "it has a default" if new.default is not None else "it has no default" if new.is_needed else "it is not set"
