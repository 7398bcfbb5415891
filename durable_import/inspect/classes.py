"""Classes of objects in a saved state that cannot be restored as the classes are written today."""

from __future__ import annotations

from collections.abc import Iterator

from ..upgrades.on_disk import ProgramText
from ..upgrades.renames import new_place
from ..upgrades.written import lacking_fields, members_gone
from .graph import Made, Named, is_made, items_of
from .state import SavedState


def unfit_classes(state: SavedState, program: ProgramText) -> Iterator[tuple[str, str, str]]:
    """Module and name of each today, and what is in the way, as far as that is certain from how they are written."""
    members = dict[tuple[str, str], dict[str, None]]()
    for node in state.nodes():
        if is_made(node, "class.with_fields") and [type(each) for each in node.arguments[:3]] == [str, str, str]:
            module, name, fields = node.arguments[:3]
            today = new_place(module, name)
            lacking = lacking_fields(program, *today, _names_today(module, name, fields.split()))
            if lacking:
                yield (
                    *today,
                    f"{today[1]!r} has the new field {lacking[0]!r}, without a default, and objects of it are saved without",
                )
        elif is_made(node, "enum.member", "enum.flag"):
            cls = state.resolve(node.arguments[0]) if node.arguments else None
            if type(cls) is Named:
                members.setdefault((cls.module, cls.name), {}).update(dict.fromkeys(_members_in(node)))
    for (module, name), kept in members.items():
        today = new_place(module, name)
        same = [each for each in kept if new_place(module, f"{name}.{each}") == (today[0], f"{today[1]}.{each}")]
        gone = members_gone(program, *today, same)
        if gone:
            yield *today, f"{today[1]}.{gone[0]} is saved, and is not there today"


def _names_today(module: str, name: str, fields: list[str]) -> list[str]:
    """The fields that objects have, also as they are called today."""
    places = [new_place(module, f"{name}.{each}")[1].rpartition(".")[2] for each in fields]
    today = "{}:{}".format(*new_place(module, name)).partition(":")
    return [*fields, *places, *(new_place(today[0], f"{today[2]}.{each}")[1].rpartition(".")[2] for each in fields)]


def _members_in(node: Made) -> list[str]:
    """The names of the members of an enum that one is, or that a flag consists of."""
    if is_made(node, "enum.member"):
        return [each for each in node.arguments[1:2] if type(each) is str]
    pairs = [items_of(each, "tuple") or [] for each in items_of(node.arguments[1], "tuple") or []]
    return [pair[0] for pair in pairs if pair and type(pair[0]) is str]
