"""Values of the standard library, saved by one Python and loaded by another: ``python -m tests.versions.values ACTION FOLDER``.

``dump`` writes what this Python saves; ``load`` reads what each has saved, and prints as JSON what came out otherwise.
"""

from __future__ import annotations

import array
import builtins
import calendar
import collections
import configparser
import contextlib
import contextvars
import datetime
import decimal
import email.message
import fractions
import functools
import graphlib
import http
import importlib.util
import inspect
import io
import ipaddress
import json
import operator
import pathlib
import pickle
import random
import re
import shlex
import signal
import statistics
import string
import sys
import textwrap
import threading
import traceback
import types
import typing
import urllib.parse
import uuid
import xml.etree.ElementTree
import zoneinfo
from collections.abc import Callable
from pathlib import Path
from typing import Any

import durable_import  # noqa: F401  (provides what rewritten code calls)
from durable_import.errors import DurableError
from durable_import.snapshot.pickler import dumps
from durable_import.snapshot.references import References
from durable_import.snapshot.unpickler import loads

VARIABLE: contextvars.ContextVar[int] = contextvars.ContextVar("VARIABLE", default=0)


def _begun_random() -> random.Random:
    made = random.Random(7)
    made.gauss(0, 1)
    return made


def _tree() -> Any:
    return xml.etree.ElementTree.fromstring("<a b='1'><c>text</c>tail</a>")


def _parser() -> configparser.ConfigParser:
    made = configparser.ConfigParser()
    made.read_string("[a]\nb = 1\n[c]\nd = %(e)s\ne = 2\n")
    return made


def _message() -> email.message.EmailMessage:
    made = email.message.EmailMessage()
    made["Subject"] = "Übung"
    made.set_content("text\n")
    return made


def _context() -> contextvars.Context:
    made = contextvars.Context()
    made.run(VARIABLE.set, 7)
    return made


def _raised() -> BaseException:
    try:
        try:
            raise KeyError("key")
        except KeyError as error:
            error.add_note("a note")
            raise ExceptionGroup("several", [ValueError(1), OSError(2, "no such file", "name")]) from error
    except ExceptionGroup as group:
        return group


def _cached() -> Any:
    cached = functools.lru_cache(maxsize=4)(operator.neg)
    cached(3)
    return cached


def _partly(function: Any, **more: Any) -> Any:
    return functools.partial(function, 1, *more.pop("positional", ()), **more)


def _sorter() -> graphlib.TopologicalSorter[str]:
    made = graphlib.TopologicalSorter({"b": {"a"}, "c": {"b"}})
    made.prepare()
    made.done(*made.get_ready())
    return made


def _buffer() -> io.BytesIO:
    made = io.BytesIO(b"bytes")
    made.seek(2)
    return made


#: By name: what makes the value, and what of it must be the same.
VALUES: dict[str, tuple[Callable[[], Any], Callable[[Any], Any]]] = {
    "datetime": (lambda: datetime.datetime(2024, 10, 27, 2, 30, fold=1, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin")), repr),
    "date, time, delta": (lambda: (datetime.date(2024, 2, 29), datetime.time(1, 2, 3, 4), datetime.timedelta(1, 2, 3)), repr),
    "timezone": (lambda: datetime.timezone(datetime.timedelta(hours=5), "five"), repr),
    "utc": (lambda: datetime.UTC, lambda value: value is datetime.UTC),
    "zone": (lambda: zoneinfo.ZoneInfo("Asia/Tokyo"), lambda value: value is zoneinfo.ZoneInfo("Asia/Tokyo")),
    "decimal": (lambda: [decimal.Decimal("1.10"), decimal.Decimal("NaN"), decimal.Decimal("-Infinity")], repr),
    "decimal context": (lambda: decimal.Context(prec=5, rounding=decimal.ROUND_UP), repr),
    "fraction": (lambda: fractions.Fraction(3, 7), repr),
    "complex": (lambda: [1j, -0.0, float("inf"), 2**100, True, None, ..., NotImplemented], repr),
    "uuid": (lambda: uuid.UUID(int=5), lambda value: (repr(value), value.is_safe)),
    "path": (lambda: pathlib.Path("a/b.txt"), lambda value: (repr(value), type(value) is type(pathlib.Path()), value.suffix)),
    "pure paths": (lambda: [pathlib.PurePosixPath("/a"), pathlib.PureWindowsPath("c:/b")], repr),
    "parents": (lambda: pathlib.Path("a/b/c").parents[1], repr),
    "partial": (lambda: _partly(pow, mod=5), lambda value: (value(3), value.func is pow, value.keywords)),
    "partial method": (lambda: functools.partialmethod(pow, 2), lambda value: (value.func is pow, value.args)),
    "cache": (_cached, lambda value: (value(3), value.cache_parameters())),
    "reduce by key": (lambda: functools.cmp_to_key(operator.sub), lambda value: sorted([3, 1, 2], key=value)),
    "operators": (lambda: [operator.itemgetter(1), operator.attrgetter("a.b"), operator.methodcaller("f", 1)], repr),
    "pattern": (lambda: re.compile(r"(?P<a>x+)|y", re.IGNORECASE | re.VERBOSE), repr),
    "bytes pattern": (lambda: re.compile(rb"a*"), repr),
    "match": (lambda: re.compile(r"b(c)").search("abcd"), lambda value: (repr(value), value.groups(), value.re.pattern)),
    "flags": (lambda: [re.IGNORECASE | re.DOTALL, signal.SIGTERM, http.HTTPStatus.NOT_FOUND, http.HTTPMethod.GET], repr),
    "random": (_begun_random, lambda value: [value.random(), value.gauss(0, 1), value.randrange(10**6)]),
    "deque": (lambda: collections.deque([1, 2, 3], maxlen=3), repr),
    "counter": (lambda: collections.Counter("abca"), repr),
    "ordered": (lambda: collections.OrderedDict(b=1, a=2), lambda value: list(value.items())),
    "default dict": (lambda: collections.defaultdict(list, a=[1]), lambda value: (repr(value), value["x"])),
    "chain map": (lambda: collections.ChainMap({"a": 1}, {"b": 2}), repr),
    "user containers": (lambda: [collections.UserDict(a=1), collections.UserList([1]), collections.UserString("s")], repr),
    "namespace": (lambda: types.SimpleNamespace(a=1, b=[2]), repr),
    "mapping proxy": (lambda: types.MappingProxyType({"a": 1}), repr),
    "sets": (lambda: [{1, 2}, frozenset("a"), set()], repr),
    "ranges": (lambda: [range(3, 9, 2), slice(1, None, 2), bytearray(b"a"), memoryview(b"abc")[1:].tobytes()], repr),
    "array": (lambda: [array.array("d", [1.5]), array.array("q", [2**40]), array.array("B", b"xy")], repr),
    "typing": (lambda: [list[int], dict[str, list[int]], typing.Any], repr),
    "generic aliases": (lambda: [typing.Callable[[int], str], typing.Literal["a"], typing.ClassVar[int]], repr),
    "unions": (lambda: [int | str, typing.Optional[int]], lambda value: value == [int | str, int | None]),  # noqa: UP045
    "signature": (lambda: inspect.signature(textwrap.indent), str),
    "networks": (lambda: [ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_address("::1")], repr),
    "url": (lambda: urllib.parse.urlsplit("https://user@host:80/path?q#f"), lambda value: (repr(value), value.port)),
    "template": (lambda: string.Template("$a b"), lambda value: value.substitute(a=1)),
    "formatter": (lambda: string.Formatter(), lambda value: value.format("{0:>3}", 1)),
    "wrapper": (lambda: textwrap.TextWrapper(width=5), lambda value: value.wrap("aaa bbb ccc")),
    "lexer": (lambda: shlex.shlex("a 'b c'", posix=True), lambda value: [value.get_token(), value.lineno]),
    "distribution": (lambda: statistics.NormalDist(1, 2), repr),
    "calendar": (lambda: calendar.TextCalendar(6), lambda value: value.formatmonth(2024, 2)),
    "sorter": (_sorter, lambda value: (value.is_active(), value.get_ready())),
    "element": (_tree, lambda value: xml.etree.ElementTree.tostring(value)),
    "settings": (_parser, lambda value: (value.sections(), value["c"]["d"])),
    "message": (_message, lambda value: value.as_string()),
    "text buffer": (lambda: io.StringIO("text"), lambda value: value.read()),
    "byte buffer": (_buffer, lambda value: value.read()),
    "exception": (_raised, lambda value: "".join(traceback.format_exception(value))),
    "errors": (lambda: [UnicodeDecodeError("utf-8", b"x", 0, 1, "why"), StopIteration(3), SystemExit(2), ImportError("m")], repr),
    "names of errors": (lambda: [NameError("n", name="n"), AttributeError("a", name="a")], lambda value: [e.name for e in value]),
    "context": (_context, lambda value: value[VARIABLE]),
    "locks": (lambda: [threading.Lock(), threading.RLock()], lambda value: [lock.__enter__() for lock in value]),
    "stack": (lambda: contextlib.ExitStack(), lambda value: value.__enter__() is value),
    "null context": (lambda: contextlib.nullcontext(3), lambda value: value.__enter__()),
    "modules and functions": (
        lambda: [json, json.dumps, str.join, len],
        lambda value: [value[0] is json, value[1] is json.dumps, value[2:]],
    ),
}  # fmt: skip
PACKAGES = ("numpy",)  # names of their values begin with theirs
if importlib.util.find_spec("numpy"):
    import numpy

    VALUES["numpy"] = lambda: numpy.arange(6.0).reshape(2, 3)[:, ::2], lambda value: (value.tolist(), value.dtype.str)
    VALUES["numpy generator"] = lambda: numpy.random.default_rng(7), lambda value: value.random(3).tolist()
    VALUES["numpy scalar"] = lambda: [numpy.float32(1.5), numpy.datetime64("2024-02-29")], repr
if hasattr(builtins, "frozendict"):
    VALUES["frozendict"] = lambda: {frozendict(a=1): frozendict({2: [3]})}, repr  # type: ignore[name-defined]  # noqa: F821
if hasattr(functools, "Placeholder"):
    VALUES["placeholder"] = (
        lambda: functools.partial(pow, functools.Placeholder, 2),  # type: ignore[attr-defined]
        lambda value: value(3),
    )


def dump(folder: Path) -> None:
    """Save each value, with what must be the same of it."""
    saved: dict[str, tuple[bytes | None, Any]] = {}
    for name, (make, view) in VALUES.items():
        try:
            saved[name] = dumps(make(), References()), view(loads(dumps(make(), References())))
            assert saved[name][1] == view(make()), (saved[name][1], view(make()))
        except Exception as error:  # whatever it is: the other side tells it
            saved[name] = None, f"{type(error).__name__}: {error}"
    (folder / f"{sys.version_info[1]}").write_bytes(pickle.dumps(saved))


def load(folder: Path) -> None:
    """Load what each Python has saved; print what is not the same, or was refused."""
    found = {}
    for file in sorted(folder.iterdir()):
        for name, (data, expected) in pickle.loads(file.read_bytes()).items():
            if data is None:
                found[f"{file.name}: {name}"] = f"not saved: {expected}"
                continue
            if name not in VALUES and name.split()[0] in PACKAGES:
                continue  # which this Python does not have
            view = VALUES[name][1] if name in VALUES else repr
            try:
                given = view(loads(data))
            except DurableError as error:
                given = f"refused: {error}"
            except Exception as error:
                given = f"{type(error).__name__}: {error}"
            if given != expected:
                found[f"{file.name}: {name}"] = f"{given!s} instead of {expected!s}"
    print(json.dumps(found))


if __name__ == "__main__":
    from tests.versions import values  # under the name that snapshots call it by

    {"dump": values.dump, "load": values.load}[sys.argv[1]](Path(sys.argv[2]))
