"""Exceptions and tracebacks are restored as they were, without calling users' code."""

from __future__ import annotations

import asyncio
import copyreg
import pickle
import sys
import traceback
from types import TracebackType
from typing import Any

import pytest

from durable_import.errors import CheckpointException
from tests.harness.pickling import restored


def caught(function: Any) -> Any:
    """What ``function`` raises."""
    try:
        function()
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


BUILTIN = [
    OSError(2, "no", "f", None, "g"), FileNotFoundError(2, "no", "f"), BlockingIOError(11, "again", 7), OSError("x"),
    StopIteration(4), StopIteration(), SystemExit(3), KeyError("a"), ImportError("x", name="n", path="p"),
    UnicodeDecodeError("utf-8", b"ab", 0, 1, "bad"), UnicodeEncodeError("ascii", "é", 0, 1, "bad"),
    SyntaxError("m", ("f", 1, 2, "t", 1, 3)), NameError("x", name="y"), AttributeError("x", name="y", obj="z"),
    asyncio.CancelledError("why"), ExceptionGroup("g", [ValueError(1), ExceptionGroup("h", [KeyError(2)])]),
    BaseExceptionGroup("g", [KeyboardInterrupt()]), UnicodeError("only text"), StopAsyncIteration(1),
]  # fmt: skip
MEMBERS = (
    "errno", "strerror", "filename", "filename2", "characters_written", "value", "code", "name", "path", "msg", "obj",
    "lineno", "offset", "text", "end_lineno", "end_offset", "encoding", "object", "start", "end", "reason", "message",
)  # fmt: skip


@pytest.mark.parametrize("error", BUILTIN, ids=repr)
def test_builtin_exception(error: BaseException) -> None:
    """Class, text, args and what the class holds in C."""
    again = restored(error)
    assert type(again) is type(error)
    assert (repr(again), str(again)) == (repr(error), str(error))
    assert repr(again.args) == repr(error.args)
    for name in MEMBERS:
        if hasattr(error, name):
            assert getattr(again, name) == getattr(error, name), name
        else:
            assert not hasattr(again, name), name


class Picky(Exception):
    """A required keyword, slots, and an attribute."""

    __slots__ = ("slot",)
    made = 0

    def __init__(self, *, code: int) -> None:
        type(self).made += 1
        super().__init__("text")
        self.code = code
        self.slot = [self]


class PickyFile(FileNotFoundError):
    """Over a builtin class whose ``__new__`` looks at its arguments."""

    made = 0

    def __init__(self, *, code: int) -> None:
        type(self).made += 1
        super().__init__("text")
        self.code = code
        self.slot = [self]


class Group(ExceptionGroup[Any]):
    """A group with another signature."""

    def __new__(cls, errors: list[Exception]) -> Any:
        return super().__new__(cls, "made here", errors)

    def __init__(self, errors: list[Exception]) -> None:
        self.count = len(errors)

    def derive(self, excs: Any) -> Any:
        return Group(excs)


def test_users_init_is_not_called() -> None:
    """Attributes and slots come from the state; cycles hold."""
    for cls in (Picky, PickyFile):
        error = cls(code=3)
        made = cls.made
        again = restored(error)
        assert cls.made == made
        assert (again.args, again.code, again.slot) == (("text",), 3, [again])


def test_users_group() -> None:
    """Its parts keep their identity."""
    part = ValueError(1)
    part.__context__ = error = Group([part])
    again, part_again = restored((error, part))
    assert again.exceptions[0] is part_again
    assert part_again.__context__ is again
    assert (again.message, again.count) == ("made here", 1)
    assert type(again.split(ValueError)[0]) is Group


class OwnReduce(Exception):
    """Says itself how to be saved."""

    def __init__(self, first: int, second: int) -> None:
        super().__init__("own")
        self.first, self.second, self.restored = first, second, 0

    def __reduce__(self) -> Any:
        return type(self), (self.first, self.second), {"restored": self.restored + 1}


class OwnState(Exception):
    """Leaves something out."""

    def __getstate__(self) -> dict[str, Any]:
        return {"kept": 1}

    def __setstate__(self, state: dict[str, Any] | None) -> None:
        self.seen = state


class Registered(Exception):
    """Has an entry in copyreg."""


def test_own_ways_of_pickling_are_used() -> None:
    """And what they forget (cause, context, notes' place, traceback) is added."""
    error = caught(lambda: (_ for _ in ()).throw(OwnReduce(1, 2)))
    error.__cause__ = KeyError(1)
    again = restored(error)
    assert (again.first, again.second, again.restored) == (1, 2, 1)
    assert repr(again.__cause__) == "KeyError(1)"
    assert again.__suppress_context__
    assert traceback.format_tb(again.__traceback__) == traceback.format_tb(error.__traceback__)
    assert restored(OwnState()).seen == {"kept": 1}
    assert restored(CheckpointException(1, {"a": 2})).namespace == {"a": 2}


def test_copyreg_entry_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """As pickle would."""
    monkeypatch.setitem(copyreg.dispatch_table, Registered, lambda _: (Registered, ("by copyreg",)))
    assert restored(Registered("x")).args == ("by copyreg",)


class Opaque(Exception):
    """Its arguments cannot be saved; it says itself what to save instead."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Opaque, ("a lock",)


def test_own_way_decides_on_the_arguments() -> None:
    """Arguments that a class's own way leaves out need not be savable."""
    assert restored(Opaque(i for i in "")).args == ("a lock",)


def test_chain_with_a_cycle() -> None:
    """Contexts may form a ring; suppression is kept as it is."""
    first, second = ValueError(1), KeyError(2)
    first.__context__, second.__context__ = second, first
    first.__cause__, first.__suppress_context__ = second, False
    again = restored(first)
    assert again.__context__.__context__ is again
    assert again.__cause__ is again.__context__
    assert not again.__suppress_context__


def test_attribute_error_does_not_drag_its_object() -> None:
    """The interpreter notes any object there, also one that cannot be saved."""
    error = caught(lambda: (x for x in "").missing)  # type: ignore[attr-defined]
    again = restored(error)
    assert (again.name, again.obj, str(again)) == ("missing", None, str(error))
    assert restored(caught(lambda: sys.missing)).obj is sys  # type: ignore[attr-defined]


def deep(n: int) -> Any:
    """Raises after ``n`` calls, in the middle of an expression of two lines."""
    if n:
        return (
            1  # on a line of its own
            + deep(n - 1)
        )
    nothing: dict[str, Any] = {}
    return nothing["missing"]


def test_printed_form_is_the_same() -> None:
    """Lines, names, markers, of a chain, also after a second save."""
    error = caught(lambda: deep(3))
    error.add_note("noted")
    text = traceback.format_exception(error)
    again = restored(error)
    assert traceback.format_exception(again) == text
    assert traceback.format_exception(restored(again)) == text


def test_traceback_values() -> None:
    """A traceback in a variable is the one of its exception; restored frames hold nobody else."""
    error = caught(lambda: deep(1))
    again, value = restored((error, error.__traceback__))
    assert value is again.__traceback__
    assert isinstance(value, TracebackType)
    frames = [frame for frame, _ in traceback.walk_tb(value)]
    assert [f.f_back for f in frames] == [None] * len(frames)
    assert [f.f_locals for f in frames] == [{}] * len(frames)
    assert frames[-1].f_globals["__name__"] == __name__


def test_very_long_traceback() -> None:
    """The chain is saved flat."""
    error = caught(lambda: deep(400))
    link = error.__traceback__
    for _ in range(5000):
        link = TracebackType(link, link.tb_frame, link.tb_lasti, link.tb_lineno)
    again = restored(link)
    assert len(list(traceback.walk_tb(again))) == len(list(traceback.walk_tb(link)))


def test_restored_exception_can_be_raised() -> None:
    """Its traceback grows at the outer end as usual."""
    again = restored(caught(lambda: deep(0)))
    inner = len(traceback.extract_tb(again.__traceback__))
    with pytest.raises(KeyError) as info:
        raise again
    assert info.value is again
    assert len(traceback.extract_tb(again.__traceback__)) == inner + 1


def test_unsavable_content_is_named_by_pickle() -> None:
    """An exception is no hiding place."""
    with pytest.raises((TypeError, pickle.PicklingError)):
        restored(ValueError(sys._getframe()))
