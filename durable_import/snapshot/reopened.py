"""How snapshots have reopenable objects: each is named by its number, and the calls that open it come before all else.

An object of a class is made in place: it is there, empty, when what its arguments refer to is read. What a function gave, and
what opening gave, has to be opened before anything refers to it: so the calls are put into an order in which that holds.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator
from typing import Any

from ..holds.kinds import type_name
from ..holds.notes import Note, Notes, refuse_busy, refuse_in_memory
from ..holds.opening import KEEP, MAKE, OPEN, Reopening
from .load_context import current

Unit = tuple[int, str]  # the number of a note, MAKE, OPEN or KEEP


def reopened(number: int, cls: Any) -> Any:
    """The object of that number, which its class's ``__init__`` makes."""
    return current().opened.empty(number, cls)


def reopened_by_function(number: int) -> Any:
    """The same of one that a function made."""
    return current().opened.made(number)


def reopened_part(number: int, opening: int, path: tuple[int, ...]) -> Any:
    """What opening the object of that number gave."""
    return current().opened.part(number, opening, path)


class ComesLater(Exception):
    """A call refers to what one behind it gives."""

    def __init__(self, unit: Unit, needed: Unit) -> None:
        super().__init__(unit, needed)
        self.unit = unit
        self.needed = needed


class Order:
    """In which order the calls that open the objects of a snapshot come: as they were made, but what one needs before it."""

    def __init__(self, notes: Iterable[Note]) -> None:
        self.notes = {note.number: note for note in notes}
        self.needs: dict[Unit, set[Unit]] = {}
        self.kept: dict[int, dict[str, Any]] = {}  # by number: what the program has set of the objects
        self.is_new = not self.notes  # nothing in it but what was met

    def units(self) -> list[Unit]:
        """The calls in order. Raises ``pickle.PicklingError`` if some need one another."""
        begun: dict[Unit, int] = {}
        self.kept.clear()
        for number, note in self.notes.items():
            begun[number, MAKE] = number
            if note.openings:
                begun[number, OPEN] = note.openings[0].order
            elif note.end:
                begun[number, OPEN] = number
            kept = note.changes()
            if kept:
                self.kept[number] = kept
                begun[number, KEEP] = begun.get((number, OPEN), number)
        found: dict[Unit, None] = {}
        for unit in sorted(begun, key=lambda unit: begun[unit]):
            self._put(unit, begun, found, ())
        return list(found)

    def _put(self, unit: Unit, begun: dict[Unit, int], found: dict[Unit, None], within: tuple[Unit, ...]) -> None:
        if unit in found or unit not in begun:
            return
        if unit in within:
            raise pickle.PicklingError(
                f"a {type_name(self.notes[unit[0]].made)} whose arguments lead to what was given when it was opened: "
                "neither can be made again before the other"
            )
        needed = set(self.needs.get(unit, ()))
        if unit[1] != MAKE:
            needed.add((unit[0], MAKE))
        if unit[1] == KEEP:
            needed.add((unit[0], OPEN))
        for other in sorted(needed, key=lambda other: begun.get(other, 0)):
            self._put(other, begun, found, (*within, unit))
        found[unit] = None

    def comes_later(self, error: ComesLater, met: dict[int, Note]) -> None:
        """A call refers to what one behind it gives, or what none gives yet: it is put right."""
        self.needs.setdefault(error.unit, set()).add(error.needed)
        self.notes |= met

    def starts_over(self) -> bool:
        """Pickling has failed: perhaps because of an object that nothing refers to any more; False if it cannot be that."""
        was_new, self.notes, self.is_new = self.is_new, {}, True
        return not was_new

    def is_complete(self, met: dict[int, Note]) -> bool:
        """Whether the calls are those of the objects that were met, none left out; else that is put right."""
        if met.keys() == self.notes.keys():
            return True
        self.notes = self.notes | met if met.keys() - self.notes.keys() else met
        return False


def refuse_busy_ones(notes: Iterable[Note]) -> None:
    """Raise ``pickle.PicklingError`` if one of these objects, or of their parts, holds now."""
    for note in notes:
        refuse_busy(note.made, note)
        for part in note.parts:
            refuse_busy(part, note)


def saved_of_reopened(path: str, value: Any, notes: Notes) -> list[tuple[str, Any]] | None:
    """What is saved of a reopenable object, with words for where that is; None for other objects."""
    note = notes.find(value)
    if note is None:
        return None
    calls = [(note.args, note.kwargs), *((opening.args, opening.kwargs) for opening in note.openings)]
    arguments = [each for args, kwargs in calls for each in (*enumerate(args), *kwargs.items())]
    set_since = [(f"{path}.{name.lstrip('_').replace('._', '.')}", each) for name, each in note.changes().items()]
    return [*set_since, *((f"{path}.<argument {name}>", each) for name, each in arguments)]


class Entries:
    """The reopenable objects of one snapshot, as it is pickled. ``is_probe``: only whether something can be pickled is asked."""

    def __init__(self, notes: Notes, *, is_probe: bool = False) -> None:
        self.notes = notes
        self.is_probe = is_probe
        self.met: dict[int, Note] = {}
        self.staged: set[Unit] = set()  # what has to be opened before the pickle can be read
        self.unit: Unit | None = None  # whose call is being pickled
        self.done: set[Unit] = set()

    def calls(self, order: Order) -> Iterator[Reopening]:
        """What is to be pickled before all else: the calls, in their order."""
        self.met, self.done = {}, set()
        for unit in order.units():
            self.unit = unit
            yield self._content(order.notes[unit[0]], unit, order)
            self.done.add(unit)
        self.unit = None

    def reduce(self, obj: Any) -> tuple[Any, ...] | None:
        """How a reopenable object, or a part of what opening one gave, is pickled; None for others.

        Raises ``pickle.PicklingError`` for one that holds now.
        """
        part = self.notes.find_part(obj)
        if part is not None:
            refuse_busy(obj, part.note)
            self._meets(part.note, OPEN)
            return reopened_part, (part.note.number, part.opening, part.path, *self._probe(part.note))
        note = self.notes.find(obj)
        if note is None or note.is_being_taken:
            return None
        refuse_in_memory(obj, note)
        refuse_busy(obj, note)
        self._meets(note, MAKE if note.function is not None else "")
        if note.function is None:
            return reopened, (note.number, type(obj), *self._probe(note))
        return reopened_by_function, (note.number, *self._probe(note))

    def _probe(self, note: Note) -> tuple[Any, ...]:
        """What has to be pickled too, elsewhere."""
        if not self.is_probe or note.number in self.met:
            return ()
        self.met[note.number] = note
        return note.function, note.args, note.kwargs, [(o.args, o.kwargs) for o in note.openings], note.changes()

    def _meets(self, note: Note, what: str) -> None:
        if self.is_probe:
            return
        self.met[note.number] = note
        if what:
            self.needs({(note.number, what)})

    def needs(self, units: set[Unit]) -> None:
        """What is being pickled refers to what these give. Raises ComesLater if that is too early."""
        self.staged |= units
        missing = units - self.done
        if self.unit is not None and missing:
            raise ComesLater(self.unit, min(missing))

    def _content(self, note: Note, unit: Unit, order: Order) -> Reopening:
        if unit[1] == KEEP:
            return Reopening(KEEP, note.number, order.kept[note.number])
        if unit[1] == MAKE:
            cls = type(note.made) if note.function is None else None
            return Reopening(
                MAKE, note.number, cls, note.function, note.args, note.kwargs, bool(note.openings or note.end), note.place
            )
        if note.end:
            return Reopening(OPEN, note.number, "", [(note.end, (), {})])
        methods = [(opening.method, opening.args, opening.kwargs) for opening in note.openings]
        return Reopening(OPEN, note.number, note.openings[-1].task, methods)
