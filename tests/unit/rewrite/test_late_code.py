"""Code that is evaluated when somebody asks for it: annotations since Python 3.14, bounds and aliases since 3.12."""

from __future__ import annotations

import sys

import pytest

from durable_import.pythons.codes import nested_codes
from durable_import.rewrite.compiler import compile_module

LATE_ANNOTATIONS = sys.version_info >= (3, 14)
DEFINITIONS = """
def outer(T):
    def plain(x: T): return x
    @deco
    @deco
    def decorated(x: T) -> T: return x
    class Body:
        a: T
        def method(self, x: T): ...
        def __annotate__(format, /) -> T: ...
        f = lambda: 1
    class Bare:
        def __annotate__(format, /): ...
        def after(self, x: T): ...
    def twice(x: T): ...
    def twice(x: (lambda: T)): ...
    @deco
    class Late:
        b: T
"""
EARLY = (
    "", ".plain", ".decorated", ".Body", ".Body.method", ".Body.__annotate__", ".Body.<lambda>", ".Bare", ".Bare.__annotate__",
    ".Bare.after", ".twice", ".twice#2.<lambda>", ".twice#2", ".Late",
)  # fmt: skip
AMBIGUOUS = "    two = lambda: 1, lambda: 2\n"  # by name and first line
OWNERS = {  # of annotations, by the code object that follows theirs, or that they are the last one of
    ".plain",
    ".decorated",
    ".Body",
    ".Body.method",
    ".Body.__annotate__",
    ".Bare.after",
    ".twice",
    ".twice#2",
    ".Late",
}


@pytest.mark.parametrize("more", ["", AMBIGUOUS], ids=["by name", "by marks"])
def test_each_code_object_has_its_place(more: str) -> None:
    """What evaluates annotations belongs to its definition, whatever users call their own functions."""
    module = compile_module((DEFINITIONS + more).encode(), "<late>", "late")
    found = {row[0]: code for code, row in zip(nested_codes(module.code), module.table, strict=True) if row}
    places = {place.removeprefix("outer").replace(".<locals>", ""): code for place, code in found.items()}
    late = {place.removesuffix(".<annotate>") for place in places if place.endswith(".<annotate>")}
    assert set(EARLY) <= places.keys()
    assert late == (OWNERS if LATE_ANNOTATIONS else set())
    assert all(code.co_name == "__annotate__" for place, code in places.items() if place.endswith("annotate>"))
    assert places[".Body.__annotate__"].co_argcount == places[".Bare.__annotate__"].co_argcount == 1
    assert places[".Body.__annotate__"].co_firstlineno == places[".Body"].co_firstlineno + 3


def test_bounds_and_aliases_have_places() -> None:
    """Each bound, default and value of an alias has a place of its own, also where names repeat; before 3.13 there are fewer."""
    if sys.version_info >= (3, 13):
        source = "def f[A: int, B: (int, str) = int, *C = A, **D = A](): ...\ntype f = int\ntype f[A: int] = A\n"
        table = compile_module(source.encode(), "<late>", "late").table
        assert sorted(row[0] for row in table if row) == [
            "<bound A>",
            "<value f>",
            "<value f>#2",
            "f",
            "f.<locals>.<bound A>",
            "f.<locals>.<bound B>",
            "f.<locals>.<default B>",
            "f.<locals>.<default C>",
            "f.<locals>.<default D>",
        ]
