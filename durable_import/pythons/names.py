"""Every private name of the standard library that the package uses, what for, and which Pythons have it.

Names of modules are looked up here only, by ``private``; they are given public ones in the other modules of this package, from
where the rest imports them. Attributes of the library's objects are read where they are needed. A Python that lacks a name
imports all the same: what stands for it meanwhile refuses to be used, and a runtime refuses to begin (``support``).
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import io
import opcode
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from types import SimpleNamespace
from typing import Any, NoReturn

from .support import refused, tried
from .versions import IS_KNOWN, Version


@dataclass(frozen=True)
class PrivateName:
    """``name``, from its module on, is in the versions ``since`` (None: all known) up to, and without, ``until`` (None: still).

    ``earlier``: late releases of the versions before ``since`` have it too.
    """

    name: str
    purpose: str
    since: Version | None = None
    until: Version | None = None
    earlier: bool = False

    def is_in(self, version: Version) -> bool:
        """Whether a Python of this version is to have it."""
        return (self.since is None or version >= self.since) and (self.until is None or version < self.until)


def _attributes(of: str, purpose: str, names: str, since: Version | None = None) -> list[PrivateName]:
    return [PrivateName(f"{of}.{name}", purpose, since) for name in names.split()]


_BELOW = "the file below a compressed one, whose it is, and its reader"
_ENUM = "what the enum module made of a class, which is made again by that of the Python that resumes"

TABLE: tuple[PrivateName, ...] = (
    PrivateName("argparse.ArgumentParser._actions", "the options of a command, that a shell completes"),
    PrivateName("xml.etree.ElementTree._namespace_map", "the namespaces that a program has registered, to be set again"),
    # asyncio: loops and tasks
    PrivateName("asyncio.events._get_running_loop", "the running loop, or none"),
    PrivateName("asyncio.events._set_running_loop", "the loop of an instance is the running one while its tasks run"),
    PrivateName("asyncio.futures._get_loop", "the loop of anything that behaves like a future"),
    PrivateName("asyncio.mixins._LoopBoundMixin", "the base of locks, queues, events: how they are told from other objects"),
    PrivateName("asyncio.mixins._LoopBoundMixin._get_loop", "such objects may be used in several instances, one after another"),
    PrivateName("asyncio.mixins._LoopBoundMixin._loop", "the loop in which such an object was used first"),
    PrivateName("asyncio.futures._PyFuture", "asyncio's own class of futures written in Python"),
    PrivateName("asyncio.tasks._PyTask", "asyncio's own class of tasks written in Python"),
    PrivateName("asyncio.tasks._current_tasks", "a task of an instance is the running one"),
    PrivateName("asyncio.tasks._register_task", "the tasks of an instance are among those of the process"),
    PrivateName("asyncio.tasks._unregister_task", "they are no longer"),
    PrivateName("asyncio.tasks._swap_current_task", "one task takes the place of another as the running one", since=(3, 12)),
    PrivateName("asyncio.tasks._register_eager_task", "a task that takes its first turn at once is among all", since=(3, 12)),
    PrivateName("asyncio.tasks._unregister_eager_task", "it waits, and is a task like others", since=(3, 12)),
    PrivateName("asyncio.tasks._cancel_and_wait", "the same gives up by it"),
    PrivateName("asyncio.tasks._AsCompletedIterator", "what earlier versions go on with, which do not have it", since=(3, 13)),
    PrivateName("asyncio.tasks._AsCompletedIterator._wait_for_one", "a place where a task waits", since=(3, 13)),
    PrivateName("asyncio.tasks._AsCompletedIterator._cur_task", "objects of earlier versions get it", since=(3, 14)),
    PrivateName("asyncio.taskgroups.TaskGroup._aexit", "where a group waits, a frame of its own", since=(3, 14)),
    PrivateName("asyncio.taskgroups.TaskGroup._cancel_on_enter", "groups of earlier versions get it", since=(3, 15)),
    PrivateName("_asyncio.current_task", "what the public one is saved as, where it is in C", since=(3, 12)),
    PrivateName("pathlib._local", "where paths were, which are saved by that name", since=(3, 13), until=(3, 14)),
    PrivateName("asyncio.base_tasks._task_repr", "tasks of instances look as asyncio's own"),
    PrivateName("asyncio.base_tasks._task_get_stack", "they have stacks as asyncio's own"),
    PrivateName("asyncio.base_tasks._task_print_stack", "they print them as asyncio's own"),
    *_attributes("asyncio.Future", "the state of a future, saved and put back", "_callbacks _cancel_message _exception"),
    PrivateName("asyncio.Future._asyncio_future_blocking", "whether a future that a task was given is being awaited"),
    PrivateName("asyncio.Future._asyncio_awaited_by", "what awaits a future, as call graphs show it", since=(3, 14)),
    PrivateName("asyncio.Future._log_traceback", "whether a failure that nobody has asked for is reported"),
    PrivateName("asyncio.Future._make_cancelled_error", "the exception that awaiting a cancelled future raises"),
    *_attributes("asyncio.Handle", "the state of a callback to come", "_callback _args _cancelled _context _loop"),
    *_attributes("asyncio.Handle", "what a callback that is loaded has as a new one", "_repr _source_traceback"),
    PrivateName("asyncio.Handle._run", "calls it, as the loop of the process does"),
    *_attributes("asyncio.TimerHandle", "the state of a timer", "_when _scheduled"),
    *_attributes("asyncio.Queue", "those who wait at a queue", "_getters _putters"),
    *_attributes("asyncio.Lock", "those who wait for a lock, an event, a semaphore", "_waiters"),
    *_attributes("asyncio.Semaphore", "passes on a slot that was given to a task which is let go of", "_value _wake_up_next"),
    PrivateName("asyncio.BoundedSemaphore._bound_value", "how many slots one has that is made again"),
    *_attributes("asyncio.Condition", "the lock of a condition, whose methods it borrows", "_lock"),
    # threads
    PrivateName("_thread.RLock._is_owned", "whether a lock is held: it cannot be saved then"),
    *_attributes("threading.Condition", "the lock of a condition, and the threads that wait for it", "_lock _waiters"),
    PrivateName("threading.Event._cond", "the threads that wait for an event"),
    *_attributes("concurrent.futures.Future", "who is told of a call's end", "_done_callbacks _waiters"),
    # classes
    PrivateName("_abc._abc_init", "makes a class that is loaded an abstract base class"),
    PrivateName("_abc._get_dump", "the classes registered with one"),
    PrivateName("abc.ABC._abc_impl", "what a class keeps of that in C: it is made again"),
    PrivateName("dataclasses.Field._field_type", "whether a field is a pseudo-field"),
    *_attributes("dataclasses", "kinds of fields, compared by identity", "_FIELD _FIELD_CLASSVAR _FIELD_INITVAR"),
    PrivateName("dataclasses._HAS_DEFAULT_FACTORY", "the default that stands for a factory, compared by identity"),
    PrivateName("dataclasses._AutoDocstring", "the class of docstrings that dataclass writes late", since=(3, 15)),
    *_attributes("enum.Enum", _ENUM, "_member_names_ _member_map_ _value2member_map_ _unhashable_values_ _member_type_"),
    *_attributes("enum.Enum", _ENUM, "_value_repr_ _use_args_"),
    *_attributes("enum.Flag", _ENUM, "_boundary_ _flag_mask_ _all_bits_ _inverted_"),
    *_attributes("enum.Flag", _ENUM, "_singles_mask_"),
    PrivateName("enum.Enum._unhashable_values_map_", _ENUM, since=(3, 13), earlier=True),
    PrivateName("enum.Enum._hashable_values_", _ENUM, since=(3, 14), earlier=True),
    PrivateName("typing.Protocol._is_protocol", "whether a class is a protocol, or only derived from one"),
    PrivateName("typing.Protocol._is_runtime_protocol", "whether one may ask for instances of a protocol"),
    # functions, caches, iterators
    PrivateName("_compat_pickle.IMPORT_MAPPING", "the modules that pickles of protocol 2 name as Python 2 had them"),
    PrivateName("_compat_pickle.NAME_MAPPING", "the names in them, likewise"),
    PrivateName("copyreg._inverted_registry", "names that a program has given numbers, for those who only read pickles"),
    PrivateName("copyreg._slotnames", "the slots of a class, as pickle finds them"),
    PrivateName("dis._parse_exception_table", "where the exceptions of a function's instructions go"),
    PrivateName("functools._lru_cache_wrapper", "the class of cached functions"),
    PrivateName("functools._make_key", "has the mark between positional and keyword arguments in a cache's keys"),
    PrivateName("functools._HashedSeq", "the class of a cache's keys; plain tuples since", until=(3, 14)),
    PrivateName("itertools._grouper", "the class of what groupby gives with each key"),
    PrivateName("itertools._tee", "the class of what tee gives"),
    PrivateName("itertools._tee_dataobject", "the class of the values between those"),
    PrivateName("pickle._Pickler", "the pickler in Python, for graphs deeper than the C stack"),
    PrivateName("pickle._Unpickler", "the unpickler in Python, for snapshots with forms that a later Python has no more"),
    # files, settings, modules
    PrivateName("_signal.getsignal", "the handlers of signals, without an enum's member made of each"),
    PrivateName("logging._addHandlerRef", "lets a handler be flushed and closed at the end of the process"),
    PrivateName("_csv.reader", "the class of what csv.reader gives"),
    PrivateName("_csv.writer", "the class of what csv.writer gives"),
    *_attributes("bz2.BZ2File", _BELOW, "_fp _closefp _buffer"),
    *_attributes("lzma.LZMAFile", _BELOW, "_fp _closefp _buffer"),
    PrivateName("lzma.LZMAFile._buffer.raw._decomp_args", "the settings that it is read with"),
    PrivateName("gzip.GzipFile._buffer", _BELOW),
    *_attributes("compression.zstd.ZstdFile", _BELOW, "_fp _close_fp _buffer", since=(3, 14)),
    PrivateName("compression.zstd.ZstdFile._pos", "how much was written", since=(3, 14)),
    PrivateName("compression.zstd._zstdfile.ZstdFile", "the class of such files, by its module", since=(3, 14)),
    PrivateName("_io._IOBase", "the base of all streams"),
    PrivateName("tempfile._TemporaryFileWrapper", "the class of what NamedTemporaryFile gives"),
    PrivateName("contextlib._GeneratorContextManager", "the class of what a function of contextmanager gives"),
    PrivateName("contextlib._AsyncGeneratorContextManager", "the same of asynccontextmanager"),
    PrivateName("contextlib._RedirectStream", "the base of redirect_stdout and redirect_stderr"),
    PrivateName("contextlib.chdir._old_cwd", "the folders to go back to"),
    *_attributes("contextlib.redirect_stdout", "which stream it is, and the ones to go back to", "_stream _old_targets"),
    *_attributes("warnings.catch_warnings", "whether it is entered, and what module it changes", "_entered _module"),
    *_attributes("warnings.catch_warnings", "what showed warnings before: kept by name", "_showwarning _showwarnmsg_impl"),
    PrivateName("warnings._showwarnmsg_impl", "what shows warnings, changed by catch_warnings"),
    PrivateName("warnings._filters_mutated", "tells that filters were put back"),
    PrivateName("os.environ._data", "the variables of the environment, encoded: faster to compare"),
    PrivateName("importlib.machinery.ModuleSpec._initializing", "whether a module is still being imported"),
)

#: Instructions of the interpreter, to read code that was compiled.
INSTRUCTIONS: tuple[PrivateName, ...] = (
    PrivateName("SEND", "a frame is at it while another one runs for it, in an await or yield from"),
    PrivateName("YIELD_VALUE", "a frame stands at it while it waits for another one, and where a generator yields"),
    PrivateName("RESUME", "a frame goes on at it, and begins at it"),
    PrivateName("RETURN_GENERATOR", "what comes before has made the frame of a generator, and does not run in it"),
    PrivateName("EXTENDED_ARG", "is a part of the instruction that follows"),
    PrivateName("FOR_ITER", "advances what a loop is over"),
    PrivateName("LOAD_CONST", "what is yielded may be a constant"),
    PrivateName("LOAD_COMMON_CONSTANT", "the same, for None since 3.15", since=(3, 14)),
    PrivateName("CACHE", "is a part of the instruction before"),
    PrivateName("LOAD_FAST", "reads a local variable; what has it in its name does the same, or binds or deletes some"),
    PrivateName("RERAISE", "does not go on with the next instruction, and so others that return, raise or jump"),
    PrivateName("STORE_DEREF", "changes a variable that is shared by closures"),
    PrivateName("DELETE_DEREF", "the same"),
    PrivateName("LOAD_GLOBAL", "reads a variable of a module"),
    PrivateName("LOAD_NAME", "the same, in the body of a class or of a module"),
    PrivateName("STORE_GLOBAL", "changes one"),
    PrivateName("DELETE_GLOBAL", "the same"),
    PrivateName("IMPORT_NAME", "the same, by an import"),
)

DOCUMENTED = frozenset(
    {
        "sys._getframe",
        "os._exit",
        "ast.AST._fields",
        "ast.AST._attributes",
        "enum.Enum._name_",
        "enum.Enum._value_",
        "namedtuple._fields",
        "namedtuple._field_defaults",
        "namedtuple._make",
        "namedtuple._replace",
        "namedtuple._asdict",
    }
)  # public in spite of their underscore


_BY_NAME = {row.name: row for row in (*TABLE, *INSTRUCTIONS)}
MISSING: list[str] = []  # names of modules that this Python is to have, that were asked for and are not there


def _left_filters() -> Any:
    with warnings.catch_warnings() as _, (left := warnings.catch_warnings()):
        return left


_OPTIONAL = ("bz2.", "gzip.", "lzma.", "compression.zstd.")  # modules that a build of Python may be without


def _made_in_loop(cls: Any, *arguments: Any) -> Any:
    """An object that is made where an event loop runs: in a thread of its own, as this one may have a loop already."""

    async def make() -> Any:
        return cls(*arguments)

    with concurrent.futures.ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(make())).result()


#: How to get an object that has the attributes which its class does not tell of, by the name of that class.
_SAMPLES: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(
        (
            "asyncio.BoundedSemaphore",
            "asyncio.Condition",
            "asyncio.Lock",
            "asyncio.Queue",
            "asyncio.Semaphore",
            "asyncio.taskgroups.TaskGroup",
            "concurrent.futures.Future",
            "argparse.ArgumentParser",
            "threading.Condition",
            "threading.Event",
        ),
        lambda cls: cls(),
    ),
    **dict.fromkeys(("bz2.BZ2File", "lzma.LZMAFile"), lambda cls: cls(io.BytesIO())),
    "compression.zstd.ZstdFile": lambda cls: SimpleNamespace(**(vars(cls(io.BytesIO(), "wb")) | vars(cls(io.BytesIO())))),
    "asyncio.tasks._AsCompletedIterator": lambda cls: _made_in_loop(cls, (), None),
    "gzip.GzipFile": lambda cls: cls(fileobj=io.BytesIO()),
    "contextlib.chdir": lambda cls: cls("."),
    "contextlib.redirect_stdout": lambda cls: cls(None),
    "importlib.machinery.ModuleSpec": lambda _: warnings.__spec__,
    "warnings.catch_warnings": lambda _: _left_filters(),
}


def private(name: str) -> Any:
    """What a private name of a module stands for; None where a known Python has none."""
    if not _BY_NAME[name].is_in(sys.version_info[:2]):
        return None
    module, _, attribute = name.rpartition(".")
    try:
        return getattr(import_module(module), attribute)
    except (ImportError, AttributeError):
        MISSING.append(name)
        return _stand_in(name)


def _stand_in(name: str) -> type:
    """A class of which there are no objects: it refuses to be called."""

    def refuse(cls: type, *_: Any, **__: Any) -> NoReturn:  # noqa: ARG001
        raise refused(lacks([name]))

    return type(name.rpartition(".")[2], (), {"__new__": refuse})


def lacks(names: list[str]) -> str:
    """In words, which private names there are not."""
    rows = [f"{name} ({_BY_NAME[name].purpose})" for name in names[:3]]
    return f"it has no {', no '.join(rows)}" + (f", and {len(names) - 3} more" if len(names) > 3 else "")


def is_there(name: str) -> bool:
    """Whether this Python has what a dotted name names: in a module, in a class, or in an object made by the class."""
    module, *path = _split(name)
    found: Any = sys.modules.get(module)
    for number, attribute in enumerate(path):
        of = ".".join([module, *path[:number]])
        if not hasattr(found, attribute) and of in _SAMPLES:
            found = _SAMPLES[of](found)
        if not hasattr(found, attribute):
            return False
        found = getattr(found, attribute)
    return True


def _split(name: str) -> list[str]:
    """The longest module that a dotted name begins with, and the attributes from there on."""
    parts = name.split(".")
    for end in range(len(parts) - 1, 0, -1):
        module = ".".join(parts[:end])
        try:
            import_module(module)
        except ImportError:
            continue
        return [module, *parts[end:]]
    return parts


def _is_left_out(name: str) -> bool:
    """Whether this build of Python is without the module, and its classes with it."""
    return _split(name)[0] not in sys.modules and name.startswith(_OPTIONAL)


def missing() -> list[str]:
    """The names and instructions that this Python is to have, as the newest one known has them, and has not."""
    version = sys.version_info[:2]
    names = [row.name for row in TABLE if row.is_in(version) and not is_there(row.name) and not _is_left_out(row.name)]
    return names + [row.name for row in INSTRUCTIONS if row.is_in(version) and row.name not in opcode.opmap]


def check_names() -> None:
    """Raise UnsupportedPythonError if private names are missing: of a Python that is known, among those that were asked for."""
    with tried("looking for what it has"):
        found = MISSING if IS_KNOWN else missing()
    if found:
        raise refused(lacks(found))
