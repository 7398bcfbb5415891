"""Whether an exception is on its way out of a frame that waits: asked only while one may be, see ``aio.unwinding``.

What a frame says of that is known for each of its suspensions: that it awaits ``__aexit__`` because of an exception, that it is
in a ``finally`` whose outcome may be one, or in a handler that may raise its own again.
"""

from __future__ import annotations

import ast
from functools import lru_cache
from typing import Any, NamedTuple

from ..hook.code_table import CodeInfo, info_of
from ..rewrite.analysis.names import PC, STATE
from ..rewrite.analysis.node_paths import NodePaths
from ..rewrite.analysis.places import Places
from ..rewrite.analysis.raising import raises_behind
from .capture import CREATED, FINISHED, parts_of, variables_in
from .except_star import ExceptStar

LEAVES = "aexit error"  # the role of a suspension in ``__aexit__``, called because of an exception


class _WaysOut(NamedTuple):
    """Of a suspension: whether it is on the way out whatever the frame holds; the variables that say it else."""

    always: bool
    outcomes: tuple[str, ...]


def unwinds(frame: Any) -> bool:
    """Whether an exception is on its way out of a coroutine or generator of rewritten code."""
    parts = parts_of(frame)
    if parts.frame is None or parts.state == FINISHED:
        return False
    names: Any = variables_in(parts.frame)
    if parts.state == CREATED:
        names = names.get(STATE, {})  # restored, and not gone on yet
    info, label = info_of(parts.code), names.get(PC, 0)
    if info is None or not label:
        return False
    ways = _ways_out(info, label)
    return ways.always or any(_is_failure(names.get(name)) for name in ways.outcomes)


def leaves_block(frame: Any) -> bool:
    """Whether what a frame awaits is what the exit of a ``with`` block gave, which an exception leaves."""
    parts = parts_of(frame)
    if parts.frame is None:
        return False
    names: Any = variables_in(parts.frame)
    info, label = info_of(parts.code), (names.get(STATE, {}) if parts.state == CREATED else names).get(PC, 0)
    return info is not None and bool(label) and info.suspensions[label][1] == LEAVES


def _is_failure(outcome: Any) -> bool:
    if type(outcome) is ExceptStar:
        return bool(outcome.rest is not None or outcome.raised or outcome.reraised)
    return isinstance(outcome, BaseException) and not isinstance(outcome, GeneratorExit)


@lru_cache(maxsize=1024)
def _ways_out(info: CodeInfo, label: int) -> _WaysOut:
    place = info.suspensions.get(label)
    if place is None:
        return _WaysOut(False, ())
    if place[1] == LEAVES:
        return _WaysOut(True, ())
    is_handling = bool(info.names(label, "exception")) and _raises_again(info, place[0].split("."))
    return _WaysOut(is_handling, (*info.names(label, "outcome"), *info.names(label, "group")))


def _raises_again(info: CodeInfo, path: list[str]) -> bool:
    """Whether a handler around the suspension at a path may raise its exception again behind it."""
    nodes = _nodes(info)
    for length in range(1, len(path)):
        node = nodes.get(".".join(path[:length]))
        if isinstance(node, ast.ExceptHandler) and path[length] == "body" and raises_behind(node, path[length:]):
            return True
    return False


@lru_cache(maxsize=64)
def _nodes(info: CodeInfo) -> dict[str, Any]:
    function = Places(ast.parse(info.module.source)).by_path.get(info.place)
    return NodePaths(function).by_path() if function is not None else {}
