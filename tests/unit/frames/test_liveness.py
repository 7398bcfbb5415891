"""Which variables are live at each await."""

from __future__ import annotations

import itertools
import sys
import textwrap
from pathlib import Path

import pytest

from durable_import.frames.liveness import live_at
from durable_import.hook.code_table import MODULES, CodeInfo, ModuleInfo, register_module
from durable_import.rewrite.analysis.names import AWAITED, is_hidden
from durable_import.rewrite.compiler import compile_module
from tests.harness.programs import runnable_programs
from tests.harness.rewriting import PROGRAMS, sources

_numbers = itertools.count()


def rewritten(source: str) -> ModuleInfo:
    """A module's functions as they are known; the module is not run."""
    name = f"liveness_{next(_numbers)}"
    text = textwrap.dedent(source).encode()
    register_module(name, f"{name}.py", text, compile_module(text, f"{name}.py", name), is_library=True)
    return MODULES[name]


def live(source: str, place: str = "f") -> list[str]:
    """The user's variables that are live at each await of a function, in source order."""
    info = rewritten(source).by_place[place]
    return [" ".join(sorted(n for n in live_at(info, label) if not is_hidden(n))) for label in sorted(info.suspensions)]


def body(text: str, arguments: str = "a, b, c") -> str:
    """The source of a function with a body."""
    return f"async def f({arguments}):\n" + textwrap.indent(textwrap.dedent(text), "    ")


TABLE = {
    "what is read later": ("await a()\nawait b()\nreturn c", ["b c", "c"]),
    "what is bound again before it is read": ("x = await a()\nawait b(x)\nx = 1\nreturn x", ["b", ""]),
    "one of two branches": ("await a()\nif b:\n    return c", ["b c"]),
    "a loop reads what it began with": ("while await a():\n    b()", ["a b"]),
    "the value of the round before is not read": (
        "for x in a:\n    y = await b(x)\n    z = await c(y)\nreturn 1",
        ["b c", "b c"],
    ),
    "what a loop is over is kept apart": ("for x in a:\n    await b()", ["b"]),
    "an item that an asynchronous loop has bound": ("async for x in a:\n    await b(x)\n    await c()", ["b c", "b c", "b c"]),
    "del reads": ("await a()\ndel b", ["b"]),
    "except reads": ("x = 1\ntry:\n    await a()\nexcept ValueError:\n    b(x)", ["b x"]),
    "an exception before the variable is bound again": (
        "x = 1\ntry:\n    x = await a()\n    x = await b()\nexcept ValueError:\n    pass\nreturn x",
        ["b x", "x"],
    ),
    "finally reads on all ways": ("try:\n    await a()\n    return 1\nfinally:\n    b()", ["b"]),
    "the name of an exception is forgotten": ("try:\n    a()\nexcept ValueError as e:\n    await b()\nreturn c", ["c"]),
    "the name of an exception that is read": ("try:\n    a()\nexcept ValueError as e:\n    await b()\n    c(e)", ["c e"]),
    "what entering gave, as far as it is read": (
        "async with a as x:\n    await b(x)\n    await c()",
        ["b c", "c", "", "", ""],
    ),
    "a lambda that captures": ("g = lambda: b\nawait a(g)\nreturn c", ["b c"]),
    "what only a comprehension captures": ("x = [a for _ in range(2)]\nawait b(x)\nreturn c", ["c"]),
    "one in a comprehension": ("await a()\nx = [{b for _ in y} for y in c]\nawait a()\nreturn x", ["a b c", "x"]),
    "a lambda in a comprehension": ("x = [lambda: a for _ in range(2)]\nawait b()\nreturn x", ["a x"]),
    "a generator expression": ("x = (a for _ in range(2))\nawait b()\nreturn x", ["a x"]),
    "a generator expression in a comprehension": ("x = {y: (a for _ in c) for y in c}\nawait b()\nreturn x", ["a x"]),
    "a class that captures": ("class C:\n    x = a\nawait b()\nreturn C", ["C a"]),
    "a comprehension that suspends": ("x = [await b(a) for _ in c]\nawait c\nreturn x", ["c", "x"]),
    "what is read behind a comprehension that suspends": ("x = [await b(a) for _ in c]\nawait c\nreturn a, x", ["a c", "a x"]),
    "what is bound again before a comprehension": ("await a()\nb = 1\nreturn [b for _ in c]", ["c"]),
    "what a comprehension binds": ("x = [y := _ for _ in a]\nawait b()\nreturn y", ["y"]),
    "one that a comprehension captures, deleted": ("x = [a for _ in c]\nawait b()\ndel a", ["a"]),
    "a result that nobody keeps": ("x = await a()\nawait b()", ["b", ""]),
    "locals shows all": ("await a()\nreturn locals()", ["a b c"]),
    "eval shows all": ("x = 1\nawait a()\nreturn eval('x')", ["a b c x"]),
    "a method of that name shows nothing": ("await a()\nb.eval()", ["b"]),
    "a call of the module of builtins shows all": ("import builtins\nawait a()\nbuiltins.eval('c')", ["a b builtins c"]),
    "a global is none": ("global g\ng = await a()\nawait b(g)", ["b", ""]),
    "a comprehension's own variable": ("x = a\nawait b()\ny = [x for x in c]\nreturn y", ["c"]),
    "what a comprehension hides for a while": ("x = a\nawait b()\ny = [x for x in c]\nreturn x, y", ["c x"]),
    "two that a comprehension hides": ("x = y = a\nawait b()\n[(x, y) for x, y in c]\nreturn y", ["c y"]),
    "what is bound before a comprehension of it": ("x = a\nx = await b()\n[x for x in c]\nreturn x", ["c"]),
    "match": ("match a:\n    case [x, y]:\n        await b(x)\n        return y\n    case x:\n        await c(x)", ["y", ""]),
    "one that is read inside a later operand": ("await a()\nawait b(c)", ["b c", ""]),
    "an operand of the same await is read already": ("return await a(b) + c", ["c"]),
    "the value of yield is given away": ("yield a\nyield b(c)\nyield c", ["b c", "c", ""]),
    "except* reads": ("x = 1\ntry:\n    await a()\nexcept* ValueError:\n    await b(x)\nreturn c", ["b c x", "c"]),
    "nested finally": ("try:\n    try:\n        await a()\n    finally:\n        await b()\nfinally:\n    c()", ["b c", "c"]),
    "a loop that is left from a try": (
        "while True:\n    try:\n        x = await a()\n        break\n    except OSError as e:\n        await b(e)\nreturn x",
        ["a b", "a b"],
    ),
}


@pytest.mark.parametrize(("text", "expected"), TABLE.values(), ids=list(TABLE))
def test_live_variables(text: str, expected: list[str]) -> None:
    """At each await, the variables whose present value can still be read."""
    assert live(body(text)) == expected


def test_super_reads_the_first_argument() -> None:
    """``super()`` without arguments takes it from the frame, and the class from a cell."""
    source = "class C(B):\n    async def f(self, a):\n        await a\n        return super().f\n"
    assert live(source, "C.f") == ["__class__ self"]


def hidden_roles(info: CodeInfo, label: int) -> list[str]:
    """The roles of the hidden variables that are live."""
    return sorted(role for name, role, _ in info.suspensions[label][2] if name in live_at(info, label))


def test_a_manager_is_kept_as_long_as_it_is_to_be_left() -> None:
    """With its exit method, which nothing reads any more while it is awaited."""
    info = rewritten(body("async with a:\n    await b()")).by_place["f"]
    roles = {info.suspensions[label][1]: hidden_roles(info, label) for label in info.suspensions}
    assert {"manager", "leave"} <= set(roles["aenter"]) & set(roles["await"])
    assert not {"manager", "leave"} & {*roles["aexit"], *roles["aexit error"]}


def test_the_resume_variant_has_what_it_reads_on_its_way() -> None:
    """The iterator of a loop, and the exception that is being handled, are on the interpreter's stack natively."""
    info = rewritten(body("for x in a:\n    try:\n        b()\n    except OSError:\n        await c()")).by_place["f"]
    assert hidden_roles(info, 1) == ["exception", "iterator"]
    assert AWAITED in live_at(info, 1)


def test_all_is_live_where_nothing_is_known() -> None:
    """In a frame that has not begun, and in a generator expression, which runs as compiled."""
    module = rewritten("def f(a, b):\n    x = (i for i in a)\n    yield b\n")
    assert live_at(module.by_place["f"], 0) >= {"a", "b"}
    inner = next(info for place, info in module.by_place.items() if "genexpr" in place)
    assert live_at(inner, 1) >= {".0", "i"}


@pytest.mark.parametrize("path", [*runnable_programs(), *sources(PROGRAMS / "concurrent", sys.version_info[:2])])
def test_hidden_variables_that_are_live_are_kept(path: Path) -> None:
    """What the code reads after a suspension, a snapshot has: the rewriter's own reckoning of it is not less."""
    for info in rewritten(path.read_text()).by_place.values():
        for label in info.suspensions:
            hidden = {name for name in live_at(info, label) if name[0] == "@"}
            assert hidden <= {*info.names(label), AWAITED}, f"{info.place} at {info.suspensions[label]}"
