"""Settings of the process, and of libraries in it, that a call sets and another one reads.

A script that sets them at module level does so again by itself. Of what it sets later, the value is saved, if it is another one
than when the run began, and set again by the same call. What cannot be read back is told: see ``running.instance``.
"""

from __future__ import annotations

import copyreg
import faulthandler
import gc
import locale
import logging
import os
import socket
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from ...log import logger


class Setting(NamedTuple):
    """How a setting is read and set.

    ``module``: what it belongs to, looked at once it is imported; those of ``sys`` without ``words`` are in the ``_sign``.
    ``words``: names that functions mention which change it, where reading it costs something. ``kept``: of what it was at first
    and is now, what is saved.
    """

    read: Callable[[], Any]
    write: Callable[[Any], Any]
    module: str = "sys"
    words: frozenset[str] = frozenset()
    kept: Callable[[Any, Any], Any] = lambda _, now: now


def _added_paths(known: Iterable[str], now: list[str]) -> tuple[list[str], list[str]]:
    """Of ``sys.path`` what was put before all that was there, and what behind; the rest is this process's own."""
    old = set(known or ())
    first = next((number for number, each in enumerate(now) if each in old), len(now))
    return now[:first], [each for each in now[first:] if each not in old]


def add_paths(added: tuple[list[str], list[str]]) -> None:
    """Put before ``sys.path`` the first ones, and behind it the others."""
    front, back = ([each for each in paths if each not in sys.path] for paths in added)
    sys.path[:] = [*front, *sys.path, *back]


def _set_filters(filters: list[Any]) -> None:
    warnings.simplefilter("default")  # what has been found out by the filters of before is forgotten
    warnings.filters[:] = filters  # type: ignore[index]


def _captures_warnings() -> bool:
    return getattr(warnings.showwarning, "__module__", None) == "logging"


def _set_level_names(names: dict[str, int]) -> None:
    for name, level in names.items():
        logging.addLevelName(level, name)


def _set_collecting(is_on: bool) -> None:
    (gc.enable if is_on else gc.disable)()


def _set_fault_handler(is_on: bool) -> None:
    (faulthandler.enable if is_on else faulthandler.disable)()


def _set_time_zone(_: Any) -> None:
    time.tzset()  # by the variable TZ, which is set again by now


def _read_umask() -> int:
    now = os.umask(0o77)
    os.umask(now)
    return now


def _read_stack_size() -> int:
    now = threading.stack_size()
    if now:
        threading.stack_size(now)  # asking sets it to the usual one
    return now


def _read_streams() -> list[tuple[Any, ...]]:
    streams = (sys.stdin, sys.stdout, sys.stderr)
    parts = ("encoding", "errors", "line_buffering", "write_through")
    return [tuple(getattr(stream, part, None) for part in parts) for stream in streams]


def _write_streams(states: list[tuple[Any, ...]]) -> None:
    for stream, (encoding, errors, line_buffering, write_through) in zip(
        (sys.stdin, sys.stdout, sys.stderr), states, strict=True
    ):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding=encoding, errors=errors, line_buffering=line_buffering, write_through=write_through)


def _of(module: str) -> Any:
    return sys.modules[module]


def _changed_entries(known: dict[Any, Any] | None, now: dict[Any, Any]) -> dict[Any, Any]:
    """Of a dictionary what it has more than before, or else."""
    return {name: value for name, value in now.items() if name not in (known or {}) or value != (known or {})[name]}


_DIALECT = ("delimiter", "doublequote", "escapechar", "lineterminator", "quotechar", "quoting", "skipinitialspace", "strict")


def _read_dialects() -> dict[str, dict[str, Any]]:
    csv = _of("csv")
    return {name: {part: getattr(csv.get_dialect(name), part) for part in _DIALECT} for name in csv.list_dialects()}


def _write_dialects(dialects: dict[str, dict[str, Any]]) -> None:
    for name, parts in dialects.items():
        _of("csv").register_dialect(name, **parts)


def _read_limits() -> dict[str, tuple[int, int]]:
    resource = _of("resource")
    return {name: resource.getrlimit(getattr(resource, name)) for name in dir(resource) if name.startswith("RLIMIT_")}


def _write_limits(limits: dict[str, tuple[int, int]]) -> None:
    resource = _of("resource")
    for name, limit in limits.items():
        resource.setrlimit(getattr(resource, name), limit)


def _read_conversions() -> tuple[dict[Any, Any], dict[str, Any]]:
    return dict(_of("sqlite3").adapters), dict(_of("sqlite3").converters)


def _changed_conversions(known: Any, now: tuple[dict[Any, Any], dict[str, Any]]) -> tuple[dict[Any, Any], dict[str, Any]]:
    adapters, converters = known or ({}, {})
    return _changed_entries(adapters, now[0]), _changed_entries(converters, now[1])


def _write_conversions(conversions: tuple[dict[Any, Any], dict[str, Any]]) -> None:
    _of("sqlite3").adapters.update(conversions[0])
    _of("sqlite3").converters.update(conversions[1])


def _memory_traced() -> int:
    """How many frames of it are kept; 0 if it is not."""
    tracemalloc = _of("tracemalloc")
    return tracemalloc.get_traceback_limit() if tracemalloc.is_tracing() else 0


def _trace_memory(frames: int) -> None:
    _of("tracemalloc").start(frames) if frames else _of("tracemalloc").stop()


def _read_structlog() -> dict[str, Any] | None:
    structlog = _of("structlog")
    found: dict[str, Any] | None = structlog.get_config() if structlog.is_configured() else None
    return found


def _write_structlog(configuration: dict[str, Any] | None) -> None:
    structlog = _of("structlog")
    structlog.reset_defaults() if configuration is None else structlog.configure(**configuration)


_DRAWING = ("numpy.random", "choice", "normal", "permutation", "rand", "randint", "randn", "shuffle", "uniform")


def _read_generator() -> tuple[Any, ...]:
    name, key, *rest = _of("numpy").random.get_state()
    return name, key.tobytes(), *rest


def _write_generator(state: tuple[Any, ...]) -> None:
    numpy = _of("numpy")
    name, key, *rest = state
    numpy.random.set_state((name, numpy.frombuffer(key, numpy.uint32), *rest))


def _read_pandas() -> dict[str, Any]:
    """The options that hold plain values, by their full names."""
    options: Any = _of("pandas").options
    return dict(_plain_options(getattr(options, "d", None), ""))


def _plain_options(held: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    for name, value in held.items() if isinstance(held, dict) else ():
        if isinstance(value, dict):
            yield from _plain_options(value, f"{prefix}{name}.")
        elif value is None or isinstance(value, (bool, int, float, str)):
            yield f"{prefix}{name}", value


def _write_pandas(options: dict[str, Any]) -> None:
    for name, value in options.items():
        _of("pandas").set_option(name, value)


#: By what they are called in messages.
SETTINGS = {
    "recursion limit": Setting(sys.getrecursionlimit, sys.setrecursionlimit),
    "switch interval": Setting(sys.getswitchinterval, sys.setswitchinterval),
    "longest number as text": Setting(sys.get_int_max_str_digits, sys.set_int_max_str_digits),
    "module search path": Setting(lambda: list(sys.path), add_paths, kept=_added_paths),
    "garbage collection": Setting(gc.isenabled, _set_collecting),
    "thresholds of the garbage collection": Setting(gc.get_threshold, lambda thresholds: gc.set_threshold(*thresholds)),
    "fault handler": Setting(faulthandler.is_enabled, _set_fault_handler),
    "timeout of sockets": Setting(socket.getdefaulttimeout, socket.setdefaulttimeout),
    "locale": Setting(
        lambda: locale.setlocale(locale.LC_ALL),
        lambda name: locale.setlocale(locale.LC_ALL, name),
        words=frozenset(("setlocale",)),
    ),
    "warning filters": Setting(lambda: list(warnings.filters), _set_filters),
    "capturing of warnings": Setting(_captures_warnings, logging.captureWarnings),
    "class of loggers": Setting(logging.getLoggerClass, logging.setLoggerClass),
    "factory of log records": Setting(logging.getLogRecordFactory, logging.setLogRecordFactory),
    "names of log levels": Setting(logging.getLevelNamesMapping, _set_level_names),
    "file mode creation mask": Setting(_read_umask, os.umask, words=frozenset(("umask",))),
    "standard streams": Setting(_read_streams, _write_streams, words=frozenset(("reconfigure",))),
    "longest field of csv": Setting(lambda: _of("csv").field_size_limit(), lambda size: _of("csv").field_size_limit(size), "csv"),
    "first day of the week": Setting(
        lambda: _of("calendar").firstweekday(), lambda day: _of("calendar").setfirstweekday(day), "calendar"
    ),
    "start method of processes": Setting(
        lambda: _of("multiprocessing").get_start_method(allow_none=True),
        lambda method: _of("multiprocessing").set_start_method(method, force=True),
        "multiprocessing",
    ),
    "stack size of threads": Setting(_read_stack_size, threading.stack_size, words=frozenset(("stack_size",))),
    "debugging of the garbage collection": Setting(gc.get_debug, gc.set_debug, words=frozenset(("set_debug",))),
    "depth at which coroutines are traced": Setting(
        sys.get_coroutine_origin_tracking_depth,
        sys.set_coroutine_origin_tracking_depth,
        words=frozenset(("set_coroutine_origin_tracking_depth",)),
    ),
    "dialects of csv": Setting(
        _read_dialects, _write_dialects, "csv", frozenset(("register_dialect", "unregister_dialect")), _changed_entries
    ),
    "limits of the process": Setting(_read_limits, _write_limits, "resource", frozenset(("setrlimit",)), _changed_entries),
    "tracing of memory": Setting(_memory_traced, _trace_memory, "tracemalloc", frozenset(("tracemalloc",))),
    "conversions of sqlite3": Setting(
        _read_conversions,
        _write_conversions,
        "sqlite3",
        frozenset(("register_adapter", "register_converter")),
        _changed_conversions,
    ),
    "ways in which objects are pickled": Setting(
        lambda: dict(copyreg.dispatch_table), copyreg.dispatch_table.update, "sys", frozenset(("copyreg",)), _changed_entries
    ),
    "namespaces of XML": Setting(
        lambda: dict(_of("xml.etree.ElementTree")._namespace_map),
        lambda names: _of("xml.etree.ElementTree")._namespace_map.update(names),
        "xml.etree.ElementTree",
        frozenset(("register_namespace",)),
        _changed_entries,
    ),
    "configuration of structlog": Setting(_read_structlog, _write_structlog, "structlog"),
    "random generator of numpy": Setting(_read_generator, _write_generator, "numpy", frozenset(("random", *_DRAWING))),
    "options of pandas": Setting(
        _read_pandas, _write_pandas, "pandas", frozenset(("set_option", "options", "reset_option")), _changed_entries
    ),
}
if hasattr(os, "nice"):
    SETTINGS["priority of the process"] = Setting(
        lambda: os.nice(0), lambda nice: os.nice(nice - os.nice(0)), words=frozenset(("nice", "setpriority"))
    )
if hasattr(os, "sched_getaffinity"):
    SETTINGS["processors that the process uses"] = Setting(
        lambda: os.sched_getaffinity(0), lambda numbers: os.sched_setaffinity(0, numbers), words=frozenset(("sched_setaffinity",))
    )
if hasattr(time, "tzset"):
    SETTINGS["time zone"] = Setting(lambda: time.tzname, _set_time_zone)


def _sign() -> tuple[Any, ...]:
    """What is another one when a setting of the standard library was changed; read at once, since that is done often."""
    return (
        sys.getrecursionlimit(), sys.getswitchinterval(), sys.get_int_max_str_digits(), sys.path[:], gc.isenabled(),
        gc.get_threshold(), faulthandler.is_enabled(), socket.getdefaulttimeout(), warnings.filters[:], warnings.showwarning,
        logging.getLoggerClass(), logging.getLogRecordFactory(), logging.getLevelNamesMapping(), time.tzname,
    )  # fmt: skip


class SettingsState:
    """The settings when the run began. ``mentioned``: names that the program's functions use."""

    def __init__(self) -> None:
        self.mentioned: set[str] = set()
        read_now = ((name, setting) for name, setting in SETTINGS.items() if not setting.words)
        self._known = {name: setting.read() for name, setting in read_now if setting.module in sys.modules}
        self._sign: Any = _sign()
        self._last_sign, self._signed = self._sign, dict[str, Any]()  # at the last look, and what was changed of what is in it
        self._extent = 0
        self._names: list[str] = []  # of those that are looked at, as for the next one
        self._others: list[str] = []  # that are not in the sign

    def begin(self) -> None:
        """It is known what the program's functions mention; they have not run."""
        for name, setting in SETTINGS.items():
            if name not in self._known and self._is_looked_at(setting):
                self._known[name] = setting.read()

    def changes(self) -> dict[str, Any]:
        """What is set to something else now, by the names of settings."""
        if self._extent != len(self.mentioned) + len(sys.modules):
            self._extent = len(self.mentioned) + len(sys.modules)
            self._names = [name for name, setting in SETTINGS.items() if self._is_looked_at(setting)]
            self._others = [name for name in self._names if SETTINGS[name].words or SETTINGS[name].module != "sys"]
            self._last_sign, self._signed = self._sign, {}
        sign = _sign()
        if sign != self._last_sign:
            self._signed = self._changed(name for name in self._names if name not in self._others) if sign != self._sign else {}
            self._last_sign = sign
        return {**self._signed, **self._changed(self._others)} if self._signed or self._others else {}

    def _changed(self, names: Iterable[str]) -> dict[str, Any]:
        now, before = {name: SETTINGS[name].read() for name in names}, self._known
        return {name: SETTINGS[name].kept(before.get(name), value) for name, value in now.items() if value != before.get(name)}

    def _is_looked_at(self, setting: Setting) -> bool:
        return setting.module in sys.modules and (not setting.words or not self.mentioned.isdisjoint(setting.words))


def restore_setting(name: str, value: Any) -> None:
    """Set a setting as the program had."""
    setting = SETTINGS.get(name)
    if setting is None:
        logger.warning("the %s, which the program had set, is not set again: this version does not know it", name)
        return
    try:
        __import__(setting.module)
        setting.write(value)
    except Exception as error:
        logger.warning("the %s, which the program had set, cannot be set again here: %s: %s", name, type(error).__name__, error)
