"""Statements that stood before a place and stand behind it today, or the other way round: they would run twice, or not at all.

Statements are the same if they say the same; of several that do it is counted on which side they are. What is behind a place has
to stay in the loops that are around both, too: what leaves a loop would run again for all that the loop has had.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from .texts import FunctionText, Point

SIMPLE = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Delete, ast.Expr)
LOOPS = (ast.For, ast.AsyncFor, ast.While)
BRANCHING = (ast.If, ast.Match)


def crossing(old: FunctionText, new: FunctionText, point: Point, partner: Point) -> str:
    """What is said of the first statement that has crossed a place; nothing if there is none."""
    was, now = _sides(old, point), _sides(new, partner)
    for words, (before, behind) in was.items():
        before_today, behind_today = now.get(words, ([], []))
        if len(before) > len(before_today) and len(behind) < len(behind_today):
            return f"`{words}` stood before it, and stands behind it today: it would run twice"
        if len(before) < len(before_today) and len(behind) > len(behind_today):
            return f"`{words}` stood behind it, and stands before it today: it would be left out"
        if len(behind) == len(behind_today) and sorted(behind) != sorted(behind_today):
            return f"`{words}` is not in the same loops around it any more"
    return ""


def _sides(text: FunctionText, point: Point) -> dict[str, tuple[list[list[bool]], list[list[bool]]]]:
    """By what it says: the simple statements before a place and behind it; of each in which loops around that it is."""
    order = {path: i for i, path in enumerate(text.nodes)}
    loops = _loops(text, point)
    found: dict[str, tuple[list[list[bool]], list[list[bool]]]] = {}
    for path, node in text.nodes.items():
        if not isinstance(node, SIMPLE) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            continue
        side = 0 if _is_around(path, point) else _side(text, path, point, order)
        if side:
            both = found.setdefault(ast.unparse(node), ([], []))
            both[side > 0].append([path.startswith(f"{loop}.body.") for loop in loops])
    return found


def _is_around(path: str, point: Point) -> bool:
    return f"{point.place[0]}.".startswith(f"{path}.")


def _side(text: FunctionText, path: str, point: Point, order: Mapping[str, int]) -> int:
    """Where a statement stands: -1 before a place, 1 behind it, 0 where the way to the place does not lead."""
    one, other = path.split("."), point.place[0].split(".")
    at = next((i for i, (step, its) in enumerate(zip(one, other, strict=False)) if step != its), None)
    if at is None:  # in the body of the loop that waits for its next item
        return 1
    if point.role.startswith("aexit") and one[at] == "body" and other[at] == "items":
        return -1
    if one[at].isdecimal():  # two of one list
        at -= 1
    if _are_exclusive(text.nodes.get(".".join(one[:at])), one[at:], other[at:]):
        return 0
    return -1 if order[path] < order[point.place[0]] else 1


def _are_exclusive(around: Any, one: list[str], other: list[str]) -> bool:
    """Whether two ways into a statement are alternatives."""
    if isinstance(around, BRANCHING):
        return {one[0], other[0]} <= {"body", "orelse", "cases"}
    if isinstance(around, (ast.Try, ast.TryStar)):
        return {one[0], other[0]} <= {"handlers", "orelse"}
    return False


def _loops(text: FunctionText, point: Point) -> list[str]:
    """The paths of the loops that a place is in the body of, or which wait for their next item there."""
    around = [block.path for block in point.blocks if block.says[1] in ("body", "")]
    return [loop for loop in around if isinstance(text.nodes[loop], LOOPS)]
