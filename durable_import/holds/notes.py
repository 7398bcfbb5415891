"""What is noted of an instance's reopenable objects: the call that made each, the calls that opened it, and what these gave."""

from __future__ import annotations

import inspect
import itertools
import pickle
import re
import sys
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ..aio.running_step import running_step
from .in_use import first_true, in_use
from .kept import changed, first_values
from .kinds import known_of
from .places import place_of
from .refused import Refused

_EXECUTE = "execute"
_ATOMS = (str, bytes, int, float, complex, bool, type(None))


@dataclass
class Opening:
    """A call that has opened an object: the method, its arguments, and the path of the task that made it.

    ``setting``: the name of what it has set, if it was a statement.
    """

    order: int
    method: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    task: str
    setting: str = ""


class Note:
    """How an object was made: by ``function``, or by its class's ``__init__`` if that is None. ``number`` names it."""

    __slots__ = (
        "_first", "_held", "_reference", "args", "function", "is_ending", "kwargs", "number", "openings", "parts", "place",
        "step",
    )  # fmt: skip

    def __init__(self, number: int, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.number = number
        self.function = function
        self.args = args
        self.kwargs = kwargs
        self.openings: list[Opening] = []  # in force
        self.parts: list[Any] = []  # what these gave
        self.is_ending = False  # whether a call that ends it is under way
        self.place = ""  # where the program made it: ``file:line function``
        self.step = running_step.get()  # in which a library's code made it
        self._reference: weakref.ref[Any] | None = None
        self._held: Any = None
        self._first: dict[str, Any] = {}  # see ``changes``

    def refer_to(self, made: Any, gone: Callable[[Any], None]) -> None:
        """Know the object; it is kept alive only if it takes no weak reference."""
        try:
            self._reference = weakref.ref(made, gone)
        except TypeError:
            self._held = made
        self._first = first_values(made, {})

    def was_opened(self) -> None:
        """Some attributes are there only once it is open."""
        self._first = first_values(self.made, self._first)

    def changes(self) -> dict[str, Any]:
        """The attributes that the program has set since the object was made, of those that are brought back."""
        return changed(self.made, self._first)

    @property
    def made(self) -> Any:
        """The object; None once it is gone."""
        return self._held if self._reference is None else self._reference()

    @property
    def is_made_open(self) -> bool:
        """Whether the function that made it has opened it too, as ``await connect()`` does."""
        return inspect.iscoroutinefunction(self.function)

    @property
    def end(self) -> str:
        """The method that ends it, if it was ended and can be so again; else empty."""
        known = known_of(self.made) if self.function is None and not self.openings else None
        if known is None or not known.closes or not first_true(self.made, known.ended):
            return ""
        return next((name for name in known.ends if hasattr(self.made, name)), "")

    @property
    def is_being_taken(self) -> bool:
        """Whether a step in flight has taken it out of a pool: made again, it does so again."""
        return self.step is not None and not self.step.has_ended and self.is_of_pool

    @property
    def is_of_pool(self) -> bool:
        """Whether it was taken out of a pool, by a method of that."""
        pool = known_of(self.args[0]) if self.function is not None and self.args else None
        return pool is not None and bool(pool.frees)

    @property
    def is_open(self) -> bool:
        """Whether it was opened, or taken out of a pool, or something such as a transaction is open in it.

        What a library has made within a step is the library's to end.
        """
        made = self.made
        return made is not None and (bool(self.openings) or self.is_of_pool or (self.step is None and bool(in_use(made))))

    @property
    def is_kept_alive(self) -> bool:
        """Whether only this note may keep the object."""
        return self._reference is None


@dataclass(slots=True)
class Part:
    """What an opening gave: number ``path`` of it, or all of it if the path is empty."""

    note: Note
    opening: int
    path: tuple[int, ...]
    value: Any


@dataclass
class Notes:
    """Those of one instance."""

    by_id: dict[int, Note] = field(default_factory=dict)
    parts: dict[int, Part] = field(default_factory=dict)
    opening: dict[Any, Note] = field(default_factory=dict)  # by task: what it is opening, with all that this may open
    making: set[int] = field(default_factory=set)  # ids of objects whose ``__init__`` runs
    left: list[Any] = field(default_factory=list)  # what stood open when the program was let go of
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    needed: dict[int, Note] = field(default_factory=dict)  # by number: those that the last snapshot refers to

    @property
    def are_none(self) -> bool:
        """Whether there is nothing of which a snapshot would have to know."""
        return not (self.by_id or self.parts or self.needed)

    def find(self, value: Any) -> Note | None:
        """The note of an object."""
        note = self.by_id.get(id(value))
        return note if note is not None and note.made is value else None

    def find_part(self, value: Any) -> Part | None:
        """Of what opening an object gave."""
        part = self.parts.get(id(value))
        return part if part is not None and part.value is value else None

    def add(self, made: Any, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Note:
        """An object was made."""
        number = id(made)
        note = Note(next(self._numbers), function, args, kwargs)
        note.place = place_of(sys._getframe(1))
        note.refer_to(made, lambda _: self._is_gone(number, note))
        self.by_id[number] = note
        return note

    def opened(self, note: Note, method: str, args: tuple[Any, ...], kwargs: dict[str, Any], given: Any, task: str) -> None:
        """A method has opened an object, and given something."""
        note.openings.append(Opening(next(self._numbers), method, args, kwargs, task))
        note.was_opened()
        if given is not note.made:
            for path, value in _flat(given, ()):
                if not isinstance(value, _ATOMS) and self.find(value) is not note:
                    note.parts.append(value)
                    self.parts[id(value)] = Part(note, len(note.openings) - 1, path, value)

    def was_set(self, made: Any, setting: str, statement: str, confirms: str, task: str) -> None:
        """A statement has set a connection, which was made by a call, or given by one."""
        part = self.find_part(made)
        note = part.note if part is not None else self.find(made)
        if note is not None:
            note.openings = [opening for opening in note.openings if opening.setting != setting]
            for method, args in ((_EXECUTE, (statement,)), *([(confirms, ())] if confirms else [])):
                note.openings.append(Opening(next(self._numbers), method, args, {}, task, setting))

    def ended(self, note: Note) -> None:
        """An object was left, or closed."""
        note.openings.clear()
        self._drop_parts(note)
        if note.is_kept_alive:
            self.by_id.pop(id(note.made), None)

    def given_back(self, note: Note) -> None:
        """What an object was taken out of has it again: it is the program's no more."""
        self.ended(note)
        if note.is_of_pool and self.by_id.get(id(note.made)) is note:
            del self.by_id[id(note.made)]

    def forget(self, made: Any) -> None:
        """An object is what it is from now on, such as closed: it is saved as others are."""
        note = self.find(made)
        if note is not None:
            self._drop_parts(note)
            del self.by_id[id(made)]

    def _drop_parts(self, note: Note) -> None:
        for value in note.parts:
            self.parts.pop(id(value), None)
        note.parts.clear()

    def _is_gone(self, number: int, note: Note) -> None:
        if self.by_id.get(number) is note:
            del self.by_id[number]
        self._drop_parts(note)

    def keep_opened(self) -> None:
        """The program is about to be let go of: what it has opened stays, to be left."""
        self.left = [note.made for note in self.opened_ones()]

    def opened_ones(self) -> list[Note]:
        """The notes of objects that stand open, in the order in which they were opened."""
        found = [note for note in self.by_id.values() if note.is_open]
        return sorted(found, key=lambda note: note.openings[0].order if note.openings else note.number)


def _flat(given: Any, path: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], Any]]:
    if type(given) is tuple:
        for place, value in enumerate(given):
            yield from _flat(value, (*path, place))
    else:
        yield path, given


def part_at(given: Any, path: tuple[int, ...]) -> Any:
    """The part of what an opening gave."""
    for place in path:
        given = given[place]
    return given


def refuse_busy(value: Any, note: Note) -> None:
    """Raise ``pickle.PicklingError`` if a reopenable object, or a part of one, holds now, or was ended and cannot be so again.

    A call that ends it may be under way; it is made again on resume, when the object is open again.
    """
    known = known_of(value)
    if known is None:
        return
    use = in_use(value)
    if use:
        raise pickle.PicklingError(use)
    if not note.is_ending and first_true(value, known.ended) and not (value is note.made and note.end):
        raise Refused("it was closed, and cannot be opened again in that state", "`del` the variable, or make a new one.")


def refuse_in_memory(made: Any, note: Note) -> None:
    """Raise ``pickle.PicklingError`` for a database in this process's memory: it would be empty when it is opened again."""
    known = known_of(made)
    if known is None or not known.may_be_in_memory:
        return
    for place, value in (*enumerate(note.args), *note.kwargs.items()):
        text = str(value)
        is_temporary = text == "" and place in (0, "database")
        if is_temporary or ":memory:" in text or "mode=memory" in text or re.fullmatch(r"sqlite(\+\w+)?://(\?.*)?", text):
            raise Refused(
                f"its database ({text or 'a temporary one'}) is gone with this process", "Give it a file, and keep its path."
            )
