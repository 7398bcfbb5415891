"""Generators of code that is not rewritten, saved in the middle: which can be read, and that all others are refused."""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from durable_import.errors import CodeChangedError, MissingCodeError
from durable_import.hook import unrewritten
from durable_import.snapshot.pickler import dumps
from durable_import.snapshot.references import References
from durable_import.snapshot.tasks import foreign_generators
from durable_import.snapshot.unpickler import loads

SOURCE = """
import contextlib

def nested(rows):
    for row in rows:
        for item in row:
            if item % 2:
                got = yield item
                if got:
                    yield got
            else:
                yield -item

def delegating(rows):
    yield "begin"
    for row in rows:
        yield from nested([row])
    yield "end"

def with_cells(factor):
    def times(item):
        return item * factor
    for item in (1, 2, 3):
        yield times(item)
        factor += 1

def after_an_error(items):
    for item in items:
        try:
            1 / item
        except ZeroDivisionError:
            item = 100
        yield item

def expression(items):
    return (item * 2 for row in items for item in row if item)

def guarded(items):
    try:
        for item in items:
            yield item
    finally:
        items.append("closed")

def in_a_block(items):
    with contextlib.nullcontext():
        yield from items

def in_an_expression(items):
    for item in items:
        total = item + (yield item)
        yield total

def in_a_handler(items):
    try:
        raise KeyError
    except KeyError:
        yield from items

@contextlib.contextmanager
def manager():
    yield 1
"""


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A module that nothing rewrites."""
    (tmp_path / "a_library.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield importlib.import_module("a_library")
    forget()


def forget() -> None:
    """Forget the module, as a new process would have."""
    for known in (sys.modules, unrewritten._known):
        known.pop("a_library", None)
    foreign_generators._stops.clear()
    importlib.invalidate_caches()


ROWS = [[1, 2], [], [3, 4, 5]]
READABLE: dict[str, Callable[[Any], Any]] = {
    "nested": lambda m: m.nested(ROWS),
    "delegating": lambda m: m.delegating(ROWS),
    "cells": lambda m: m.with_cells(2),
    "after an error": lambda m: m.after_an_error([1, 0, 2]),
    "expression": lambda m: m.expression(ROWS),
}
REFUSED: dict[str, Callable[[Any], Any]] = {
    "finally": lambda m: m.guarded([1, 2]),
    "with": lambda m: m.in_a_block([1, 2]),
    "expression": lambda m: m.in_an_expression([1, 2]),
    "handler": lambda m: m.in_a_handler([1, 2]),
}


@pytest.mark.parametrize("name", READABLE)
def test_goes_on_wherever_it_stands(library: Any, name: str) -> None:
    """A generator restored after any number of items gives the rest, and can be saved again."""
    whole = list(READABLE[name](library))
    for count in range(1, len(whole) + 1):
        generator = READABLE[name](library)
        begun = [next(generator) for _ in range(count)]
        restored = loads(dumps(generator, References()))
        again = loads(dumps(restored, References()))
        assert begun + list(again) == whole
        assert list(generator) == whole[count:]


def test_takes_what_is_sent(library: Any) -> None:
    """The value sent to a restored generator gets to where it waits."""
    generator = library.nested(ROWS)
    next(generator)
    restored = loads(dumps(generator, References()))
    assert [restored.send("sent"), *restored] == ["sent", -2, 3, -4, 5]


@pytest.mark.parametrize("name", REFUSED)
def test_others_are_refused(library: Any, name: str) -> None:
    """One whose stack may hold more, or that does something when it is closed, cannot be saved; it goes on unharmed."""
    generator = REFUSED[name](library)
    next(generator)
    with pytest.raises(Exception, match=r"a generator of '\w+' .*a_library.py:\d+.* is not durable code"):
        dumps(generator, References())
    with contextlib.suppress(TypeError):
        assert next(generator) == 2


def test_managers_of_libraries_are_refused(library: Any) -> None:
    """A generator behind ``contextlib.contextmanager`` is to be entered again instead."""
    manager = library.manager()
    manager.__enter__()
    with pytest.raises(Exception, match="a context manager of 'manager', which is not durable code"):
        dumps(manager, References())


def test_source_must_be_that_of_the_code(library: Any) -> None:
    """A source that was edited after the import says nothing about the code that runs."""
    Path(library.__file__).write_text(SOURCE.replace("def nested", "\ndef nested"))
    generator = library.nested(ROWS)
    next(generator)
    with pytest.raises(Exception, match="is not durable code"):
        dumps(generator, References())


@pytest.mark.parametrize(
    ("edit", "error"),
    [(("yield -item", "yield 0"), CodeChangedError), (("def nested", "def other"), MissingCodeError), (None, MissingCodeError)],
)
def test_another_version_of_the_library(library: Any, edit: tuple[str, str] | None, error: type[Exception]) -> None:
    """A library that has changed since is refused with words that say so."""
    generator = library.nested(ROWS)
    next(generator)
    data = dumps(generator, References())
    path = Path(library.__file__)
    forget()
    if edit is None:
        path.unlink()
    else:
        path.write_text(SOURCE.replace(*edit))
    with pytest.raises(error, match=r"(Install the version|Put it back)"):
        loads(data)
