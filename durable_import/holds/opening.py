"""Opens again what a snapshot has as calls, while that is read; and leaves what stands open when an instance is suspended."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..aio.loop import InstanceLoop
from ..aio.task import DurableTask
from ..frames import ambient
from ..log import about, logger
from . import kinds
from .in_task import as_task
from .kept import put
from .notes import Note, Notes, part_at

MAKE, OPEN, KEEP = "make", "open", "keep"
_END_OF = {"__aenter__": "__aexit__", "__enter__": "__exit__"}


class Reopening:
    """In a snapshot, before all that refers to it: a call that makes an object (MAKE), or the calls that open it (OPEN).

    Behind these may come what the program has set of it since (KEEP): ``details`` are the attributes.

    ``number`` names the object. ``details`` of MAKE: its class, whose ``__init__`` makes it, or the function that does, the
    arguments, whether OPEN follows, and where the program made it; of OPEN: the path of the task that opened it, and the methods
    with their arguments.
    """

    def __init__(self, what: str, number: int, *details: Any) -> None:
        self.what = what
        self.number = number
        self.details = details

    def __reduce__(self) -> tuple[Any, ...]:
        return Reopening, (self.what, self.number, *self.details)


class Unopened:
    """Stands for what opening something would give, and for its methods, where a snapshot is only looked at."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name not in (*_END_OF, *_END_OF.values()):
            raise AttributeError(name)
        return Unopened()

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:  # noqa: ARG002  of a method of it
        return Unopened()


@dataclass
class Opened:
    """What was opened again for one reading."""

    objects: dict[int, Any] = field(default_factory=dict)  # by number
    given: dict[tuple[int, int], Any] = field(default_factory=dict)  # by number of the object and of the call
    is_looked_at: bool = False  # nothing is opened, nor made: an empty object may complain when it goes
    places: dict[int, str] = field(default_factory=dict)  # by number: where the program made it
    at_the_end: list[Callable[[], object]] = field(default_factory=list)  # what is to be called when all was read
    setups: dict[int, Any] = field(default_factory=dict)  # by number: what the program wants to be called with it, or None

    def empty(self, number: int, cls: Any) -> Any:
        """An object that is made in place: its ``__init__`` is called when its arguments are there, or was already."""
        if number not in self.objects:
            self.objects[number] = Unopened() if self.is_looked_at else cls.__new__(cls)
        return self.objects[number]

    def made(self, number: int) -> Any:
        """An object that a function has made."""
        return self.objects[number] if number in self.objects else Unopened()

    def part(self, number: int, opening: int, path: tuple[int, ...]) -> Any:
        """What opening an object has given."""
        given = self.given.get((number, opening), self)
        return part_at(given, path) if given is not self else Unopened()


class Opener:
    """Makes and opens again, for an instance that is being read; what libraries ask for a loop gets that of the process."""

    def __init__(self, loop: InstanceLoop, opened: Opened, task: Callable[[str], DurableTask]) -> None:
        self.loop = loop
        self.opened = opened
        self.task = task
        self.context = contextvars.copy_context()
        self.context.run(ambient.current_driver.set, loop)

    async def open(self, what: Reopening) -> None:
        """Do what a part of the snapshot says. Raises what the library raises, with a note that says which object it is."""
        try:
            if what.what == MAKE:
                await self._run(self._make(what.number, *what.details), "")
            elif what.what == KEEP:
                for name, value in what.details[0].items():
                    go_on = put(self.opened.objects[what.number], name, value)
                    self.opened.at_the_end += [go_on] if go_on is not None else []
            else:
                path, methods = what.details
                await self._run(self._open(what.number, methods), path)
        except Exception as error:
            place = self.opened.places.get(what.number, "").rpartition(" ")[0]
            error.add_note(
                f"while opening again {_described(what, self.opened)}, made at {place}, which was open when it was saved"
            )
            raise

    async def _run(self, coroutine: Any, path: str) -> None:
        """As if the task of the instance ran it; libraries look at what runs in it."""
        task = self.task(path or "0")
        runs = task.coroutine
        if runs is None:
            task._coro = coroutine
        try:
            await asyncio.create_task(as_task(coroutine, task), context=self.context)
        finally:
            if runs is None:
                task._coro = None

    async def _make(
        self, number: int, cls: Any, function: Any, args: Any, kwargs: Any, is_opened_later: bool, place: str
    ) -> None:
        self.opened.places[number] = place
        if function is None:
            made = self.opened.empty(number, cls)
            cls.__init__(made, *args, **kwargs)
        else:
            made = function(*args, **kwargs)
            if inspect.iscoroutine(made):
                made = await made
            self.opened.objects[number] = made
        note = self.loop.notes.find(made) if self.loop.notes is not None else None
        if note is not None:
            note.place = place
        self.opened.setups[number] = kinds.setup_of(function or cls)
        if not is_opened_later:
            await self._set_up(number, made)

    async def _open(self, number: int, methods: Any) -> None:
        made = given_last = self.opened.objects[number]
        for place, (method, args, kwargs) in enumerate(methods):
            opened = made if hasattr(type(made), method) else given_last
            given = getattr(type(opened), method)(opened, *args, **kwargs)
            if inspect.isawaitable(given) or method == "__await__":
                given = await (_Awaited(given) if method == "__await__" else given)
            self.opened.given[number, place] = given
            if method in _END_OF:
                given_last = given
        known = kinds.known_of(made)
        if known is None or methods[-1][0] not in known.ends:  # else it was ended
            await self._set_up(number, given_last)

    async def _set_up(self, number: int, opened: Any) -> None:
        """Do again what the program does with such an object when it has opened it."""
        setup = self.opened.setups[number]
        done = setup(opened) if setup is not None else None
        if inspect.isawaitable(done):
            await done


class _Awaited:
    """Awaits what ``__await__`` gave."""

    def __init__(self, iterator: Any) -> None:
        self.iterator = iterator

    def __await__(self) -> Any:
        return self.iterator


def _described(what: Reopening, opened: Opened) -> str:
    if what.what == MAKE:
        cls, function, *_ = what.details
        return f"what {function.__qualname__}() gave" if function is not None else f"a {kinds.class_name(cls)}"
    return f"a {kinds.type_name(opened.objects[what.number])}"


async def leave_opened(loop: InstanceLoop) -> None:
    """Leave what the instance has opened and not closed, innermost first, each in the task that opened it.

    What a library raises as it is left is logged: the others are left too.
    """
    notes: Notes | None = loop.notes
    if notes is None:
        return
    tasks = {task.path: task for task in loop.tasks}
    for note in reversed(notes.opened_ones()):
        if not note.is_open:
            continue  # it was ended with another one
        path = note.openings[-1].task if note.openings else ""
        task = tasks.get(path, loop.root if hasattr(loop, "root") else None)
        context = task.get_context().copy() if task is not None else contextvars.copy_context()
        try:
            leaving = as_task(_leave(note), task) if task is not None else _leave(note)
            await asyncio.create_task(leaving, context=context)
        except Exception as error:
            logger.warning(
                "instance %s is suspended: %s could not be closed: %s",
                loop.instance_id, kinds.type_name(note.made), error, extra=about(loop.instance_id),
            )  # fmt: skip
        notes.ended(note)
    notes.left.clear()


async def _leave(note: Note) -> None:
    made = note.made
    entered = [_END_OF[opening.method] for opening in note.openings if opening.method in _END_OF]
    if not entered and await _gives_back(note):
        return
    known = kinds.known_of(made)
    ends = entered[-1:] or [name for name in (known.ends if known is not None else ()) if hasattr(made, name)][:1]
    for name in ends:
        left = getattr(type(made), name)(made, *((None, None, None) if entered else ()))
        if inspect.isawaitable(left):
            await left


async def _gives_back(note: Note) -> bool:
    """Give back what was taken out of a pool without a block, if it was: the pool may be that of the application."""
    pool = note.args[0] if note.args else None
    known = kinds.known_of(pool) if pool is not None else None
    if known is None or not known.frees:
        return False
    for taken in list(note.parts) or [note.made]:
        given = getattr(pool, known.frees[0])(taken)
        if inspect.isawaitable(given):
            await given
    return True
