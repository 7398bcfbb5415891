"""Notes the calls that make reopenable objects, open them, and end them, inside of instances.

The functions of libraries that do so get other code in place (see ``wrapping``), once there is an instance: those of modules
that are imported already at once, those of others when they have been imported. Outside of instances they do what they did.
What is called by an instance's own code runs as foreign code does: the running loop is that of the process.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import sys
import threading
from collections.abc import Callable, Iterator
from importlib.machinery import ModuleSpec
from types import FrameType, FunctionType, MethodType
from typing import Any

from ..aio.loop import InstanceLoop
from ..aio.task import DurableTask
from ..frames import ambient
from ..frames.restart import arguments_of
from ..hook.behind import FindersBehind
from ..hook.companions import is_of_rewritten, rewrite_module
from ..hook.switch import ON
from ..pythons.library import AsyncGeneratorManager, GeneratorManager
from ..pythons.tasks import get_running_loop
from . import kinds
from .notes import Note, Notes
from .session_settings import settings_in
from .sqlite import replace_connect
from .table import PROXY, TABLE, Kind, Known
from .wrapping import Call, is_wrapped, wrap

_ENTERING, _LEAVING = ("__enter__", "__aenter__"), ("__exit__", "__aexit__")
_MOST_FRAMES = 32  # between the ``__init__`` of a class and that of the library's class which it is derived from
_lock = threading.RLock()
_waiting: dict[str, list[str]] = {}  # by module that is not imported yet: the names in it
_begun: list[bool] = []


def begin() -> None:
    """Let calls be noted from now on. Idempotent."""
    if _begun:
        return
    with _lock:
        if _begun:
            return
        _begun.append(True)
        for name, known in {**TABLE, **kinds.of_libraries()}.items():
            if known.kind is Kind.REOPENABLE:
                module, _, place = name.partition(":")
                _waiting.setdefault(module, []).append(place)
        for module in [each for each in _waiting if _is_imported(each)]:
            note_module(module)
        sys.meta_path.insert(0, _Watcher(is_of_rewritten))
        for thing in kinds.said_reopenable():
            note_thing(thing)
        kinds.on_said.append(note_thing)


def _is_imported(module: str) -> bool:
    found = sys.modules.get(module)
    return found is not None and not getattr(getattr(found, "__spec__", None), "_initializing", False)


def note_module(name: str) -> None:
    """A module was imported: let the calls of what it defines be noted."""
    if name == "sqlite3" and name in _waiting:
        made = replace_connect(sys.modules[name], _notes_now)
        _note_class(made, kinds.known_by_name(f"{name}:Connection"))
    for place in _waiting.pop(name, ()):
        found, owner = _look_up(sys.modules[name], place)
        if found is not None:
            _note(found, owner, kinds.known_by_name(f"{name}:{place}"))


def _look_up(module: Any, place: str) -> tuple[Any, Any]:
    """What stands at a place of a module, as it is there, and what it stands in; None if this version has nothing there."""
    found, owner = module, None
    for part in place.split("."):
        owner = found
        found = vars(owner).get(part)
        if found is None:
            return None, None
    return found, owner


def note_thing(thing: Any) -> None:
    """The program has said that something is reopenable."""
    if _begun:
        _note(thing, None, Known(Kind.REOPENABLE))


def _note(thing: Any, owner: Any, known: Known) -> None:
    if isinstance(thing, type):
        _note_class(thing, known)
        return
    function = thing.__func__ if isinstance(thing, (classmethod, staticmethod, MethodType)) else thing
    if isinstance(function, FunctionType):
        if not is_wrapped(function):
            wrap(function, functools.partial(_noting_function, is_method_of_class=isinstance(thing, (classmethod, MethodType))))
    elif owner is None:
        raise TypeError(
            f"reopenable() takes a class or a function written in Python, not {thing!r}: call it in one, and name that"
        )


def _note_class(cls: type, known: Known) -> None:
    methods: dict[str, Callable[[FunctionType], Call]] = {} if known.by_function else {"__init__": _noting_init}
    methods.update((name, _noting_opening(name)) for name in (*_ENTERING, *known.opens))
    methods.update(dict.fromkeys((*_LEAVING, *known.ends), _noting_end))
    methods.update(dict.fromkeys(known.frees, _noting_free))
    methods.update(dict.fromkeys(known.sets, functools.partial(_noting_setting, known.confirms)))
    for name, noting in methods.items():
        function = _method_of(cls, name)
        if isinstance(function, FunctionType) and not is_wrapped(function):
            wrap(function, noting)


# --- what the functions do instead


def _driver() -> InstanceLoop | None:
    """The loop of the instance whose code has called, or for which foreign code runs."""
    driver: Any = ambient.current_driver.get() if ON else None
    return driver if isinstance(driver, InstanceLoop) and not driver.is_dropped else None


def _task() -> DurableTask | None:
    """The task of the instance that runs, or for which foreign code runs; None in one that foreign code has made, or a thread."""
    task: Any = asyncio.current_task() if get_running_loop() is not None else None
    return task if type(task) is DurableTask else None


def notes_of(loop: InstanceLoop) -> Notes:
    """The notes of an instance."""
    if loop.notes is None:
        loop.notes = Notes()
    notes: Notes = loop.notes
    return notes


def _notes_now() -> Notes | None:
    driver = _driver()
    return notes_of(driver) if driver is not None else None


def _noting_init(before: FunctionType) -> Call:
    def call(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        driver = _driver()
        if driver is None or not args:
            return before(*args, **kwargs)
        made, notes = args[0], notes_of(driver)
        if id(made) in notes.making:
            return before(*args, **kwargs)
        arguments = _arguments(made, before, args, kwargs, sys._getframe(1))
        notes.making.add(id(made))
        is_let_out = driver.lets_out()
        try:
            before(*args, **kwargs)
        finally:
            notes.making.discard(id(made))
            if is_let_out:
                driver.takes_back()
        if arguments is not None:
            notes.add(made, None, *arguments)
        return None

    return call


def _arguments(
    made: Any, before: FunctionType, args: tuple[Any, ...], kwargs: dict[str, Any], frame: FrameType | None
) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
    """What the outermost ``__init__`` of an object was called with, which may be that of a class derived from the library's."""
    outermost = _function_of_class(made)
    if outermost is None or outermost.__code__ is before.__code__ or getattr(outermost, "__wrapped__", None) is before:
        return args[1:], kwargs
    for _ in range(_MOST_FRAMES):
        if frame is None:
            break
        if frame.f_code is outermost.__code__:
            positional, keywords = arguments_of(frame.f_code, frame.f_locals)
            if positional and positional[0] is made:
                return tuple(positional[1:]), keywords
        frame = frame.f_back
    return None


def _function_of_class(made: Any) -> FunctionType | None:
    found = _method_of(type(made), "__init__")
    return found if isinstance(found, FunctionType) else None


def _method_of(cls: type, name: str) -> Any:
    """What a class, or one that it is derived from, defines under a name; what is behind a ``functools.partialmethod``."""
    found = next((vars(base)[name] for base in cls.__mro__[:-1] if name in vars(base)), None)
    return found.func if isinstance(found, functools.partialmethod) else found


def _noting_function(before: FunctionType, *, is_method_of_class: bool) -> Call:
    def noted(driver: InstanceLoop, args: tuple[Any, ...], kwargs: dict[str, Any], made: Any) -> Any:
        if made is None or isinstance(made, (str, bytes, int, float)):
            return made
        function: Any = _function_like(before)
        if is_method_of_class:
            function, args = getattr(args[0], before.__name__), args[1:]
        _let_be_noted(made)
        notes_of(driver).add(made, function, args, kwargs)
        return made

    def call(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        driver = _driver()
        if driver is None:
            return before(*args, **kwargs)
        is_let_out = driver.lets_out()
        try:
            made = before(*args, **kwargs)
        finally:
            if is_let_out:
                driver.takes_back()
        return noted(driver, args, kwargs, made)

    async def call_async(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        driver, made = _driver(), await before(*args, **kwargs)
        return made if driver is None else noted(driver, args, kwargs, made)

    return call_async if inspect.iscoroutinefunction(before) else call


def _function_like(before: FunctionType) -> Any:
    """The function that a copy was made of."""
    found: Any = sys.modules[before.__module__]
    for part in before.__qualname__.split("."):
        found = getattr(found, part)
    return found


def _noting_opening(name: str) -> Callable[[FunctionType], Call]:
    return functools.partial(_opening, name)


def _opening(name: str, before: FunctionType) -> Call:
    def begins(args: tuple[Any, ...]) -> tuple[InstanceLoop | None, Note | None]:
        driver = _driver()
        if driver is None or not args:
            return None, None
        notes, task = notes_of(driver), _task()
        if task is None or task in notes.opening:
            return None, None
        note = notes.find(args[0])
        if note is None and type(args[0]).__init__ is object.__init__ and kinds.kind_of(args[0]) is Kind.REOPENABLE:
            note = notes.add(args[0], None, (), {})  # nothing was called that could have noted it
        if note is None:
            return None, None
        notes.opening[task] = note
        return driver, note

    def has_opened(driver: InstanceLoop, note: Note, args: tuple[Any, ...], kwargs: dict[str, Any], given: Any) -> None:
        task = _task()
        assert task is not None
        notes_of(driver).opened(note, name, args[1:], kwargs, given, task.path)

    def ends(driver: InstanceLoop, note: Note) -> None:
        opening = notes_of(driver).opening
        for task in [each for each, its in opening.items() if its is note]:
            del opening[task]

    def call(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        driver, note = begins(args)
        if driver is None or note is None:
            return before(*args, **kwargs)
        is_let_out = driver.lets_out()
        try:
            given = before(*args, **kwargs)
        finally:
            ends(driver, note)
            if is_let_out:
                driver.takes_back()
        has_opened(driver, note, args, kwargs, given)
        return given

    async def call_async(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        driver, note = begins(args)
        if driver is None or note is None:
            return await before(*args, **kwargs)
        try:
            given = await before(*args, **kwargs)
        finally:
            ends(driver, note)
        has_opened(driver, note, args, kwargs, given)
        return given

    def call_await(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterator[Any]:
        driver, note = begins(args)
        if driver is None or note is None:
            return (yield from before(*args, **kwargs))  # type: ignore[no-any-return]
        try:
            given = yield from before(*args, **kwargs)
        finally:
            ends(driver, note)
        has_opened(driver, note, args, kwargs, given)
        return given  # type: ignore[no-any-return]

    if inspect.iscoroutinefunction(before):
        return call_async
    return call_await if name == "__await__" else call


def _noting_end(before: FunctionType) -> Call:
    def find(args: tuple[Any, ...]) -> Note | None:
        driver = _driver()
        return notes_of(driver).find(args[0]) if driver is not None and args else None

    def has_ended(args: tuple[Any, ...]) -> None:
        driver, note = _driver(), find(args)
        if driver is not None and note is not None and note not in notes_of(driver).opening.values():
            notes_of(driver).ended(note)

    def call(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        try:
            return before(*args, **kwargs)
        finally:
            has_ended(args)

    async def call_async(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        note = find(args)
        if note is None or note.is_ending:
            return await before(*args, **kwargs)
        note.is_ending = True
        try:
            return await before(*args, **kwargs)
        finally:
            note.is_ending = False
            has_ended(args)

    return call_async if inspect.iscoroutinefunction(before) else call


def _noting_free(before: FunctionType) -> Call:
    def is_freed(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        driver = _driver()
        for value in (*args[1:], *kwargs.values()) if driver is not None else ():
            notes = notes_of(driver)  # type: ignore[arg-type]
            part = notes.find_part(value)
            note = part.note if part is not None else notes.find(value)
            if note is not None:
                notes.given_back(note)

    def call(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        given = before(*args, **kwargs)
        is_freed(args, kwargs)
        return given

    async def call_async(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        given = await before(*args, **kwargs)
        is_freed(args, kwargs)
        return given

    return call_async if inspect.iscoroutinefunction(before) else call


def _noting_setting(confirms: str, before: FunctionType) -> Call:
    def note(args: tuple[Any, ...]) -> None:
        driver, task = _driver(), _task()
        text = next((each for each in args[1:] if isinstance(each, str)), "") if driver is not None else ""
        for setting, statement in settings_in(text):
            made = getattr(args[0], PROXY, None) or args[0]
            path = task.path if task is not None else ""
            notes_of(driver).was_set(made, setting, statement, confirms, path)  # type: ignore[arg-type]

    def call(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        given = before(*args, **kwargs)
        note(args)
        return given

    async def call_async(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        given = await before(*args, **kwargs)
        note(args)
        return given

    return call_async if inspect.iscoroutinefunction(before) else call


# --- generators' managers


def enter_manager(manager: Any) -> Any:
    """``__enter__`` of what a reopenable function of ``contextlib.contextmanager`` gives."""
    return GeneratorManager.__enter__(manager)


def leave_manager(manager: Any, *details: Any) -> Any:
    """Its ``__exit__``."""
    return GeneratorManager.__exit__(manager, *details)


async def enter_async_manager(manager: Any) -> Any:
    """``__aenter__`` of what a reopenable function of ``contextlib.asynccontextmanager`` gives."""
    return await AsyncGeneratorManager.__aenter__(manager)


async def leave_async_manager(manager: Any, *details: Any) -> Any:
    """Its ``__aexit__``."""
    return await AsyncGeneratorManager.__aexit__(manager, *details)


wrap(enter_manager, _noting_opening("__enter__"))
wrap(leave_manager, _noting_end)
wrap(enter_async_manager, _noting_opening("__aenter__"))
wrap(leave_async_manager, _noting_end)


class _NotedManager(GeneratorManager):  # type: ignore[misc]
    """What the methods belong to."""

    __enter__, __exit__ = enter_manager, leave_manager


class _NotedAsyncManager(AsyncGeneratorManager):  # type: ignore[misc]
    """The same of the asynchronous ones."""

    __aenter__, __aexit__ = enter_async_manager, leave_async_manager


def _let_be_noted(made: Any) -> None:
    """Entering a generator's manager is noted by a class of its own: contextlib's is that of all others too."""
    if type(made) is AsyncGeneratorManager:
        made.__class__ = _NotedAsyncManager
    elif type(made) is GeneratorManager:
        made.__class__ = _NotedManager


# --- modules that are imported later


class _Watcher:
    """Finds nothing; what the finders behind it find of the modules in question is told when it has been executed.

    ``is_in_question`` says of further modules that they are; it is given, for what watches imports must import nothing lazily.
    """

    def __init__(self, is_in_question: Callable[[str], bool]) -> None:
        self._is_in_question = is_in_question
        self._behind = FindersBehind(self)

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """What the others find, if the module is in question."""
        if fullname not in _waiting and not self._is_in_question(fullname):
            return None
        spec = self._behind.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            _tell_when_executed(spec.loader)
        return spec


def _tell_when_executed(loader: Any) -> None:
    """Let a loader tell of the module that it executes."""
    if isinstance(loader, type):  # of what is built in
        return
    execute = loader.exec_module

    def exec_module(module: Any) -> None:
        execute(module)
        loader.__dict__.pop("exec_module", None)
        with _lock:
            note_module(module.__name__)
            if is_of_rewritten(module.__name__):
                rewrite_module(module)

    loader.__dict__["exec_module"] = exec_module
