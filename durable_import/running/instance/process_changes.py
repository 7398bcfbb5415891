"""Says where an instance sets what belongs to the process, and is not made again for it.

In an application that is all of it. Under ``run`` most is part of the saved state (see ``snapshot.module_data.process_state``):
what is not, as nobody can read it back, and what a call sets up in a library, is told there too.

It is found in the text of the functions that an instance is seen in, and of those that they call, once for each: nothing is paid
for it when they run. No code of the program runs for it.
"""

from __future__ import annotations

import ast
import functools
import importlib.util
import inspect
import linecache
import os
import re
import sys
import threading
from collections.abc import Iterable, Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any, NamedTuple

from ...holds.kinds import is_of_library
from ...hook.code_table import MODULES, CodeInfo, info_of
from ...log import about, logger
from ...pythons.codes import silent

_Table = dict[str, str]  # by module and name of a function: what it does

#: What `run` makes again.
_STATE: _Table = {
    **dict.fromkeys(("logging:basicConfig", "logging:disable", "logging:captureWarnings"), "sets logging"),
    **dict.fromkeys(("logging:setLoggerClass", "logging:setLogRecordFactory", "logging:addLevelName"), "sets logging"),
    **dict.fromkeys(("logging.config:dictConfig", "logging.config:fileConfig"), "sets logging"),
    "nest_asyncio:apply": "sets how event loops run within one another",
    "os:chdir": "sets the current folder",
    **dict.fromkeys(("os:putenv", "os:unsetenv"), "sets an environment variable"),
    "signal:signal": "sets the handler of a signal",
    "random:seed": "sets the generator of the module random",
    "locale:setlocale": "sets the locale",
    "socket:setdefaulttimeout": "sets the timeout of sockets",
    "sys:setrecursionlimit": "sets the recursion limit",
    "sys:setswitchinterval": "sets the switch interval",
    **dict.fromkeys(("gc:disable", "gc:enable", "gc:set_threshold"), "sets the garbage collection"),
    **dict.fromkeys(("faulthandler:enable", "faulthandler:disable"), "sets the fault handler"),
    "os:umask": "sets the file mode creation mask",
    "time:tzset": "sets the time zone",
    **dict.fromkeys(("warnings:filterwarnings", "warnings:simplefilter", "warnings:resetwarnings"), "sets the warning filters"),
    "csv:field_size_limit": "sets the longest field of csv",
    "calendar:setfirstweekday": "sets the first day of the week",
    "multiprocessing:set_start_method": "sets the start method of processes",
    "threading:stack_size": "sets the stack size of threads",
    **dict.fromkeys(("csv:register_dialect", "csv:unregister_dialect"), "sets dialects of csv"),
    "copyreg:pickle": "says how objects are pickled",
    "resource:setrlimit": "sets a limit of the process",
    **dict.fromkeys(("os:nice", "os:setpriority"), "sets the priority of the process"),
    "os:sched_setaffinity": "sets which processors the process uses",
    **dict.fromkeys(("sqlite3:register_adapter", "sqlite3:register_converter"), "says how sqlite3 converts values"),
    "tracemalloc:start": "has memory traced",
    "xml.etree.ElementTree:register_namespace": "sets a namespace of XML",
    "structlog:configure": "sets the configuration of structlog",
    "numpy.random:seed": "sets the random generator of numpy",
    **dict.fromkeys(("pandas:set_option", "pandas:reset_option"), "sets options of pandas"),
}
#: What nobody can read back.
_LOST: _Table = {
    "atexit:register": "has something called at the exit of the process",
    **dict.fromkeys(("signal:alarm", "signal:setitimer"), "sets a timer of signals"),
    **dict.fromkeys(("signal:pthread_sigmask", "signal:siginterrupt", "signal:set_wakeup_fd"), "sets how signals come"),
    **dict.fromkeys(("sys:settrace", "sys:setprofile", "threading:settrace", "threading:setprofile"), "sets a tracing function"),
    "sys:addaudithook": "adds an audit hook",
    "mimetypes:add_type": "adds a type of files",
    "codecs:register": "registers a codec",
    "codecs:register_error": "registers a way to handle errors of codecs",
    "os:register_at_fork": "has something called at forks of the process",
    **dict.fromkeys(
        ("os:setuid", "os:setgid", "os:setgroups", "os:setsid", "os:setpgid", "os:chroot"), "sets what the process is"
    ),
    **dict.fromkeys(("shutil:register_archive_format", "shutil:register_unpack_format"), "registers a kind of archives"),
    **dict.fromkeys(("multiprocessing:set_executable", "multiprocessing:set_forkserver_preload"), "sets how processes start"),
    "webbrowser:register": "registers a browser",
    "sys:set_asyncgen_hooks": "sets hooks of asynchronous generators",
    "urllib.request:install_opener": "sets the opener of urllib",
    **dict.fromkeys(("faulthandler:register", "faulthandler:dump_traceback_later"), "sets the fault handler"),
}
#: What sets a context variable: that is state of its own.
_CONTEXT: _Table = {"numpy:set_printoptions": ""}
_OF_LOGGERS = ("addHandler", "removeHandler")
_CHANGING = ("append", "clear", "extend", "insert", "pop", "remove", "setdefault", "update")
_SETTING_UP = re.compile(
    "(activate|autolog|autopatch|bootstrap|configure|disable|enable|init|initiali[sz]e|install|instrument|manual_seed|monkey_patch"
    r"|patch_all|register|seed|set_up|setup|use)(_\w+)?|set_\w+"
)
_UNKNOWN = object()
_seen: set[tuple[str, bool]] = set()  # digests of functions, and whether that was in an application


class _Change(NamedTuple):
    line: int
    what: str
    is_state: bool  # of that which `run` makes again


class _Function(NamedTuple):
    """One whose text is looked at, of a marked module or of another one of the user's own."""

    key: str
    code: CodeType
    module: str
    path: str
    place: str
    source: bytes | None  # None: what is in the file

    @classmethod
    def of(cls, info: CodeInfo) -> _Function:
        return cls(info.digest, info.code, info.module.name, info.module.path, info.place, info.module.source)

    @classmethod
    def plain(cls, function: FunctionType) -> _Function:
        """One that is not rewritten."""
        code = function.__code__
        key = f"{code.co_filename}:{code.co_firstlineno}"
        return cls(key, code, function.__module__, code.co_filename, function.__qualname__, None)

    def lines(self) -> list[str]:
        """Its module's."""
        if self.source is None:
            return linecache.getlines(self.path)
        return importlib.util.decode_source(self.source).splitlines(keepends=True)


def tell_of_process_changes(functions: Iterable[CodeInfo], instance_id: str, *, in_application: bool) -> None:
    """Log where functions, of which an instance has frames, and what they call, set what will not be set again."""
    waiting = [_Function.of(info) for info in functions if (info.digest, in_application) not in _seen]
    while waiting:
        info = waiting.pop()
        if (info.key, in_application) in _seen:
            continue
        _seen.add((info.key, in_application))
        text = _FunctionText.of(info)
        if text is None:
            continue
        waiting += text.called()
        for change in sorted(set(text.changes())):
            if in_application:
                _tell(info, change, instance_id, _IN_APPLICATION)
            elif not change.is_state:
                _tell(info, change, instance_id, _UNDER_RUN)


_IN_APPLICATION = (
    "%s:%s, in %s: instance %s %s, which belongs to the application and is not part of the instance: after a restart that is not "
    "done again. Do it where the application begins"
)
_UNDER_RUN = (
    "%s:%s, in %s: instance %s %s, which is not part of the saved state: after a restart that is not done again. Do it at the "
    "level of the module, so that each run does"
)


def _tell(info: _Function, change: _Change, instance_id: str, text: str) -> None:
    place = info.path, change.line, info.place
    logger.warning(text, *place, instance_id, change.what, extra=about(instance_id))


class _FunctionText:
    """The text of one function. Names are looked up in its module as it is, and among what the function imports itself."""

    def __init__(self, node: ast.AST, info: _Function, namespace: dict[str, Any]) -> None:
        self._node = node
        self._is_plain = info.source is None
        self._namespace = namespace
        self._local = set(info.code.co_varnames) | set(info.code.co_cellvars)
        self._imported = dict(_imported_in(node))

    @classmethod
    def of(cls, info: _Function) -> _FunctionText | None:
        """That of a function that has one."""
        module = sys.modules.get(info.module)
        node = _node_of(info)
        return cls(node, info, vars(module)) if module is not None and node is not None else None

    def called(self) -> Iterator[_Function]:
        """The functions of the user's modules that it calls by their names."""
        for node in ast.walk(self._node):
            function = self._value(node.func) if isinstance(node, ast.Call) else None
            while isinstance(function, FunctionType) and isinstance(inner := function.__dict__.get("__wrapped__"), FunctionType):
                function = inner
            if not isinstance(function, FunctionType):
                continue
            info = info_of(function.__code__)
            if info is None and function.__module__ in sys.modules and not is_of_library(function.__module__):
                yield _Function.plain(function)
            elif info is not None and not info.module.is_library:
                yield _Function.of(info)

    def changes(self) -> Iterator[_Change]:
        """What it sets of the process."""
        for node in ast.walk(self._node):
            if isinstance(node, ast.Call):
                yield from self._by_call(node)
            elif isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load) and self._value(node.value) is os.environ:
                yield _Change(node.lineno, "sets an environment variable", True)
            elif isinstance(node, ast.Expr):
                call = node.value.value if isinstance(node.value, ast.Await) else node.value
                what = self._unkept(call) if isinstance(call, ast.Call) else None
                if what is not None and not (self._is_plain and what.startswith("starts ")):  # which may belong to one step
                    yield _Change(node.lineno, what, False)

    def _by_call(self, call: ast.Call) -> Iterator[_Change]:
        function = self._value(call.func)
        for table, is_state in ((_STATE, True), (_LOST, False)):
            what = _functions_of(table).get(id(function))
            is_in_block = what == "sets the warning filters" and self._mentions("catch_warnings")  # which is saved
            if what is not None and not is_in_block:
                yield _Change(call.lineno, what, is_state)
        if isinstance(call.func, ast.Attribute):
            held = self._value(call.func.value)
            if call.func.attr in _OF_LOGGERS:
                yield _Change(call.lineno, "sets logging", True)
            elif held is os.environ and call.func.attr in _CHANGING:
                yield _Change(call.lineno, "sets an environment variable", True)
            elif held is sys.path and call.func.attr in _CHANGING:
                yield _Change(call.lineno, "sets where modules are searched", True)

    def _mentions(self, name: str) -> bool:
        words = (getattr(node, "attr", getattr(node, "id", None)) for node in ast.walk(self._node))
        return name in words

    def _unkept(self, call: ast.Call) -> str | None:
        """What a call sets going, or up, whose result nobody keeps."""
        function = self._value(call.func)
        if isinstance(call.func, ast.Attribute) and call.func.attr == "start" and isinstance(call.func.value, ast.Call):
            cls = self._value(call.func.value.func)
            process = getattr(sys.modules.get("multiprocessing.process"), "BaseProcess", threading.Thread)
            if isinstance(cls, type) and issubclass(cls, (threading.Thread, process)):
                return "starts a thread" if issubclass(cls, threading.Thread) else "starts a process"
        if function is getattr(sys.modules.get("subprocess"), "Popen", _UNKNOWN):
            return "starts a process"
        if function is None or any(id(function) in _functions_of(table) for table in (_STATE, _LOST, _CONTEXT)):
            return None
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(function, "__name__", "")
        module = getattr(function, "__module__", None)
        if _SETTING_UP.fullmatch(name) and not isinstance(function, type) and isinstance(module, str) and _is_library(module):
            return f"calls {ast.unparse(call.func)}, which may set up something of its library in this process"
        return None

    def _value(self, expression: ast.AST) -> Any:
        """What an expression that leads through modules and classes stands for; None for others."""
        if isinstance(expression, ast.Name):
            if expression.id in self._imported:
                module, *names = self._imported[expression.id]
                return _attribute_of(sys.modules.get(module), names)
            return None if expression.id in self._local else self._namespace.get(expression.id)
        if isinstance(expression, ast.Attribute):
            return _attribute_of(self._value(expression.value), [expression.attr])
        return None


def _attribute_of(held: Any, names: list[str]) -> Any:
    """An attribute of a module or class, as it stands there: a module may load others when it is asked."""
    for name in names:
        bases = held.__mro__ if isinstance(held, type) else (held,) if isinstance(held, ModuleType) else ()
        held = next((vars(base)[name] for base in bases if name in vars(base)), None)
        held = held.__func__ if isinstance(held, (classmethod, staticmethod)) else held
    return held


def _imported_in(function: ast.AST) -> Iterator[tuple[str, list[str]]]:
    """Names that a function imports: each with a module, and names in it."""
    for node in ast.walk(function):
        if isinstance(node, ast.Import):
            for each in node.names:
                yield (each.asname, [each.name]) if each.asname else (each.name.partition(".")[0], [each.name.partition(".")[0]])
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for each in node.names:
                yield each.asname or each.name, [node.module, each.name]


def _node_of(info: _Function) -> ast.AST | None:
    """The text of a function, parsed alone: it is looked at once, and modules are long."""
    first, name = info.code.co_firstlineno, info.code.co_name
    lines = info.lines()[first - 1 :]
    if name.startswith("<") or not lines:
        return None
    text = "".join(inspect.getblock(lines))
    is_inner = text[:1].isspace()
    with silent():
        try:
            tree = ast.parse(f"if True:\n{text}" if is_inner else text)
        except SyntaxError:  # what was written is not what is in the file now, or stands on one line with something else
            return None
    ast.increment_lineno(tree, first - 1 - is_inner)
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return next((node for node in ast.walk(tree) if isinstance(node, kinds) and node.name == name), None)


def _functions_of(table: _Table) -> dict[int, str]:
    """What functions do, by their ids, of the modules that are imported."""
    found = {}
    for place, what in table.items():
        module, _, name = place.partition(":")
        function = getattr(sys.modules.get(module), name, None)
        if function is not None:
            found[id(function)] = what
    return found


@functools.cache
def _is_library(module: str) -> bool:
    """Whether a module is of an installed package that is not rewritten."""
    top = module.partition(".")[0]
    return top not in sys.stdlib_module_names and top != "builtins" and module not in MODULES and is_of_library(module)
