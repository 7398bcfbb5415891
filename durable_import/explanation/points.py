"""What in a function is a checkpoint, and what cannot be one, and why: ``explain`` and ``explain_source``."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from ..errors import NoSourceCodeException
from ..hook.code_table import info_of
from ..hook.live_code import functions_behind, places_by_code, source_of
from ..hook.marker import source_is_marked
from ..pythons.codes import silent
from ..rewrite.analysis.places import Places
from ..rewrite.analysis.suspensions import LISTS, Pause, evaluated_here, is_asynchronous, suspends
from ..rewrite.passes.pauses import mark_pauses
from .callees import BLOCKING, DECORATED, FOREIGN, FRAME, IMPORTED, LIBRARY, THREAD, Callee, Callees, LiveCallees, WrittenCallees

STEP = "runs as one step: committed when it has ended, begun again if the process dies before"
UNKNOWN_AWAIT = "what it awaits is known when it runs: durable code has checkpoints of its own, anything else is a step"


@dataclass(frozen=True)
class Point:
    """One place of a function: what stands there, what ``kind`` of thing it is, and what it means for its checkpoints."""

    file: str
    lineno: int
    source: str
    kind: str
    meaning: str
    is_checkpoint: bool

    def __str__(self) -> str:
        sign = "*" if self.is_checkpoint else "-"
        return f"  {sign} {self.file}:{self.lineno}  {self.source}\n      {self.kind}: {self.meaning}"


@dataclass(frozen=True)
class Explanation:
    """A function with its places, in the order of the text. ``remark``: whether it is durable at all, and why not."""

    function: str
    file: str
    lineno: int
    is_durable: bool
    remark: str
    points: tuple[Point, ...]

    @property
    def checkpoints(self) -> tuple[Point, ...]:
        """The places where the state is saved."""
        return tuple(point for point in self.points if point.is_checkpoint)

    @property
    def others(self) -> tuple[Point, ...]:
        """The places that are worth knowing of, and where it is not."""
        return tuple(point for point in self.points if not point.is_checkpoint)

    def __str__(self) -> str:
        head = f"{self.file}:{self.lineno} {self.function}: {self.remark}"
        return "\n".join([head, *map(str, self.points)])


def explain(function: Callable[..., Any]) -> Explanation:
    """The checkpoints of a function (``*``), and what in it cannot be one (``-``), each with the reason.

    What its names stand for now is looked at, and nothing is run. Raises NoSourceCodeException if it has no source.
    """
    functions = list(functions_behind(function))
    if not functions:
        raise NoSourceCodeException(f"{function!r} cannot be explained: it is not written in Python, so it has no source")
    inner = functions[-1]
    info = info_of(inner.__code__)
    with silent():
        tree, place, path = _text_of(inner) if info is None else (ast.parse(info.module.source), info.place, info.module.path)
    mark_pauses(tree)
    node: Any = Places(tree).by_path[place]
    callees = LiveCallees(inner, _owner_of(inner), first_parameter(node))
    around = [each.__globals__.get("__name__") for each in functions[:-1] if info_of(each.__code__) is None]
    if info is None:
        remark = "not durable: its module is not marked with `# durable: on` and it was not given to make_durable(); if it were:"
    elif around:
        remark = f"durable, but called through a decorator of module {around[0]}, which is not marked: so it is part of one step"
    else:
        remark = "durable"
    points = _points(node, path, callees)
    return Explanation(inner.__qualname__, path, node.lineno, info is not None and not around, remark, points)


def explain_source(source: bytes, path: str) -> list[Explanation]:
    """The same for all async functions of a text, as far as it can be told without importing anything. Raises SyntaxError."""
    tree = ast.parse(source, path)
    mark_pauses(tree)
    is_marked = source_is_marked(source)
    remark = "durable" if is_marked else "not durable: the file is not marked with `# durable: on`; if it were:"
    places = Places(tree)
    classes = {child: node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for child in node.body}
    found = []
    for place, node in places.by_path.items():
        if isinstance(node, ast.AsyncFunctionDef):
            callees = WrittenCallees(tree, path, classes.get(node), first_parameter(node))
            found.append(Explanation(place, path, node.lineno, is_marked, remark, _points(node, path, callees)))
    return sorted(found, key=lambda each: each.lineno)


def first_parameter(function: Any) -> str | None:
    """The name of the first positional parameter of a definition."""
    arguments = [*function.args.posonlyargs, *function.args.args]
    return arguments[0].arg if arguments else None


def _text_of(function: FunctionType) -> tuple[ast.Module, str, str]:
    module = sys.modules.get(str(function.__globals__.get("__name__")))
    found = source_of(module) if module is not None else None
    place = places_by_code(*found).get(function.__code__) if found is not None else None
    if found is None or place is None:
        raise NoSourceCodeException(
            f"{function.__qualname__} cannot be explained: the source that it was made of is not that of an imported module"
        )
    return ast.parse(found[0], found[1]), place, found[1]


def _owner_of(function: FunctionType) -> type | None:
    """The class that a method is defined in, found by its name."""
    owner: Any = sys.modules.get(function.__module__)
    for name in function.__qualname__.split(".")[:-1]:
        owner = inspect.getattr_static(owner, name, None)
    return owner if isinstance(owner, type) else None


def _points(function: Any, path: str, callees: Callees) -> tuple[Point, ...]:
    found = [
        ((node.lineno, node.col_offset), Point(path, node.lineno, _shortened(source), kind, meaning, is_checkpoint))
        for node in _own_nodes(function.body)
        for source, kind, meaning, is_checkpoint in _explained(node, callees)
    ]
    return tuple(point for _, point in sorted(found, key=lambda pair: pair[0]))


def _own_nodes(nodes: Any) -> Iterator[Any]:
    """What runs in the function's own frame."""
    for node in nodes:
        yield node
        if isinstance(node, LISTS):
            yield from _own_nodes(ast.iter_child_nodes(node))
        else:
            yield from _own_nodes(evaluated_here(node))


Row = tuple[str, str, str, bool]  # source, kind, meaning, whether it is a checkpoint


def _explained(node: Any, callees: Callees) -> Iterator[Row]:
    if isinstance(node, ast.Await):
        yield ast.unparse(node), "await", _callee_text(node.value, callees), True
    elif isinstance(node, Pause):
        meaning = "pause: the instance is suspended until the event is published, and goes on after this statement"
        yield ast.unparse(ast.Raise(exc=node.exc, cause=node.cause)), "raise", meaning, True
    elif isinstance(node, ast.AsyncFor):
        yield _async_for(node, callees)
    elif isinstance(node, LISTS):
        yield from (_async_for(loop, callees) for loop in node.generators if loop.is_async)
    elif isinstance(node, ast.AsyncWith):
        for item in node.items:
            meaning = "entering and leaving it are awaited; " + OPEN
            yield f"async with {ast.unparse(item)}", "async with", meaning, True
    elif isinstance(node, ast.With) and any(suspends(inner) for inner in node.body):
        for item in node.items:
            yield f"with {ast.unparse(item)}", "with", "open over an await: " + OPEN, False
    elif isinstance(node, ast.GeneratorExp) and is_asynchronous(node):
        meaning = "its awaits are checkpoints where durable code iterates over it; what is not marked does so as part of a step"
        yield ast.unparse(node), "asynchronous generator", meaning, False
    elif isinstance(node, ast.Call):
        yield from _explained_call(node, callees)


def _async_for(loop: Any, callees: Callees) -> Row:
    source = f"async for {ast.unparse(loop.target)} in {ast.unparse(loop.iter)}"
    return source, "async for", f"each item is awaited; {_callee_text(loop.iter, callees)}", True


OPEN = "in between its manager is saved with the state, or opened again on resume; else nothing is saved until it ends"


def _explained_call(node: ast.Call, callees: Callees) -> Iterator[Row]:
    callee = callees.find(node.func)
    if callee.kind == BLOCKING:
        meaning = "a plain call that waits: no other task runs, nothing is saved meanwhile; asyncio.to_thread makes a step of it"
        yield ast.unparse(node), "blocking", meaning, False
    if callee.kind != FOREIGN:
        return
    for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
        given = callees.find(argument.func if isinstance(argument, ast.Call) else argument)
        if given.kind == FRAME:
            meaning = (
                f"durable code is given to {callee.name} of module {callee.where}, which is not marked: where that awaits it, "
                "all of it is part of one step, and nothing in it is a checkpoint"
            )
            yield ast.unparse(argument), "given away", meaning, False


def _callee_text(operand: ast.expr, callees: Callees) -> str:
    if not isinstance(operand, ast.Call):
        return UNKNOWN_AWAIT
    return _TEXTS.get((callee := callees.find(operand.func)).kind, _unknown)(callee)


def _unknown(callee: Callee) -> str:
    if callee.where:
        return f"{callee.name} is decorated with {callee.where}: if that is marked code too, a call of durable code, else a step"
    return UNKNOWN_AWAIT


_TEXTS: dict[str, Callable[[Callee], str]] = {
    FRAME: lambda c: f"a call of durable code, {c.name} ({c.where}): what it awaits are checkpoints of its own",
    LIBRARY: lambda c: f"{c.name} of {c.where} is durable itself: what it waits for is saved, and waited for after a restart",
    THREAD: lambda c: f"{c.name} {STEP}; in a thread",
    FOREIGN: lambda c: f"{c.name} of module {c.where}, which is not marked, {STEP}; nothing inside it is a checkpoint",
    DECORATED: lambda c: (
        f"{c.name} is called by a decorator of module {c.where}, which is not marked and awaits it for the caller: all of it "
        f"{STEP}; nothing inside it is a checkpoint"
    ),
    IMPORTED: lambda c: f"{c.name} is imported from {c.where}: if that is marked, a call of durable code, else a step",
}


def _shortened(source: str) -> str:
    first, _, more = source.partition("\n")
    return f"{first} ..." if more else first
