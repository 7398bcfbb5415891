"""Reducers for what the standard library's parsers are and hand out: matches, readers and writers of ``csv``, templates, JSON."""

from __future__ import annotations

import gc
import re
from collections.abc import Callable
from copy import copy
from importlib import import_module
from itertools import chain, islice, repeat, zip_longest
from pickle import PicklingError
from types import SimpleNamespace
from typing import Any

from ...pythons.iterators import read
from ..iterators.feeds import Prepended

Reduced = tuple[Any, ...] | str
_METHODS = ("search", "match", "fullmatch")


def restore_match(pattern: re.Pattern[Any], method: str, text: Any, pos: int, endpos: int) -> Any:
    """Match again: the same pattern at the same place gives the same match."""
    return getattr(pattern, method)(text, pos, endpos)


def _reduce_match(match: re.Match[Any]) -> Reduced:
    """Found again from ``pos``, or (of ``finditer``, ``sub``) from its own start, in which case ``pos`` is that."""
    for pos in (match.pos, match.start()):
        for method in _METHODS:
            again = restore_match(match.re, method, match.string, pos, match.endpos)
            if again is not None and again.regs == match.regs and again.lastindex == match.lastindex:
                return restore_match, (match.re, method, match.string, pos, match.endpos)
    raise PicklingError("this re.Match cannot be found again; keep its groups instead")


def restore_csv_reader(lines: Any, dialect: dict[str, Any], line_num: int) -> Any:
    """A reader that goes on with ``lines``; its line count is reached by reading empty lines."""
    import csv  # which the program uses: others need not load it

    feed = Prepended((), repeat("", line_num))
    reader: Any = csv.reader(feed, **dialect)
    next(islice(reader, line_num, line_num), None)
    feed.rest = lines
    return reader


def _dialect(dialect: Any) -> dict[str, Any]:
    names = (
        "delimiter", "doublequote", "escapechar", "lineterminator",
        "quotechar", "quoting", "skipinitialspace", "strict",
    )  # fmt: skip
    return {name: getattr(dialect, name) for name in names}


def reduce_csv_reader(reader: Any) -> Reduced:
    lines = next((x for x in gc.get_referents(reader) if hasattr(x, "__next__")), None)
    if isinstance(lines, Prepended) and not lines.first:
        lines = lines.rest
    return restore_csv_reader, (lines, _dialect(reader.dialect), reader.line_num)


def restore_csv_writer(file: Any, dialect: dict[str, Any]) -> Any:
    """A writer to ``file``."""
    import csv

    return csv.writer(file, **dialect)


def reduce_csv_writer(writer: Any) -> Reduced:
    write = next((x for x in gc.get_referents(writer) if getattr(x, "__name__", "") == "write"), None)
    file = getattr(write, "__self__", None)
    if file is None:
        raise PicklingError("a csv writer whose target cannot be found; make it again where it is used")
    return restore_csv_writer, (file, _dialect(writer.dialect))


def restore_template_iterator(parts: tuple[Any, ...]) -> Any:
    """An iterator over a template of these parts."""
    return iter(import_module("string.templatelib").Template(*parts))  # since Python 3.14, as are the parts


def reduce_template_iterator(iterator: Any) -> Reduced:
    """By the parts still to come: strings and interpolations take turns."""
    fields = read(iterator)
    strings, interpolations = copy(fields.strings), copy(fields.interpolations)
    turns = (strings, interpolations) if fields.from_strings else (interpolations, strings)
    nothing = object()
    parts = chain.from_iterable(zip_longest(*turns, fillvalue=nothing))
    return restore_template_iterator, (tuple(part for part in parts if part is not nothing),)


def restore_json_scanner(settings: dict[str, Any]) -> Any:
    """What a ``json.JSONDecoder`` reads with."""
    return import_module("json.scanner").make_scanner(SimpleNamespace(**dict.fromkeys(_OF_SCANNER) | settings))


_OF_SCANNER = ("strict", "object_hook", "object_pairs_hook", "array_hook", "parse_float", "parse_int", "parse_constant")


def reduce_json_scanner(scanner: Any) -> Reduced:
    return restore_json_scanner, ({name: getattr(scanner, name) for name in _OF_SCANNER if hasattr(scanner, name)},)


def refuse_parser(iterator: Any) -> Reduced:
    raise PicklingError(f"a {type(iterator).__name__} does not tell its position; iterate over list(...) of it")


TABLE: dict[type, Callable[[Any], Reduced]] = {
    re.Match: _reduce_match,
}
