"""Where a frame of an old text goes on in today's, and what its hidden variables are called there; or why it cannot.

Assumes nothing about what the texts mean: a frame moves only where its place is the same in exactly one way, and where all that
the new text needs there is in the frame.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..rewrite.analysis.relative_paths import absolute
from .align import Alignment
from .crossings import crossing
from .texts import FunctionText, Point

if TYPE_CHECKING:
    from ..rewrite.analysis.suspensions import Hidden, Place

# What a hidden variable holds that the old text had no need of, by role: nothing has happened to its block yet.
INITIAL: dict[str, Any] = {"outcome": None, "normal": True, "going": True}
Needed = Callable[[int], Collection[str]]
LEAVING = ("aexit", "aexit error")


@dataclass(frozen=True)
class Move:
    """Where a frame goes on: the label, its hidden variables by their old names, and the initial values of new ones.

    ``idle``: old hidden variables of which today's text has none; each must have the value given, or the frame cannot move.
    """

    label: int
    names: dict[str, str]
    initial: dict[str, Any]
    idle: dict[str, Any]


class CannotMoveError(Exception):
    """Why a frame cannot go on in today's text; ``then`` and ``today``: the lines of text, side by side."""

    def __init__(self, reason: str, then: str, today: str = "") -> None:
        super().__init__(reason)
        self.reason, self.then, self.today = reason, then, today


def plan_move(old: FunctionText, new: FunctionText, place: Place, kept: Collection[str], needed: Needed) -> Move:
    """How a frame that waits at a place of the old text goes on in the new one. Raises CannotMoveError.

    ``kept``: the names of its hidden variables that it has; ``needed``: the variables that can be read from a label of today on.
    """
    point = old.point_at(place)
    if point is None:
        raise CannotMoveError("the kept text of the function does not suspend where the frame waits", old.text.partition("\n")[0])
    partner = _partner(old, new, point)
    _check_blocks(old, new, point, partner)
    reason = crossing(old, new, point, partner)
    if reason:
        raise CannotMoveError(reason, old.line(point), new.line(partner))
    return _hidden(old, new, place, point, partner, kept, needed)


def _partner(old: FunctionText, new: FunctionText, point: Point) -> Point:
    """The same suspension in the new text: it must be so in every best alignment."""
    then = old.line(point)
    least = len(old.points) + len(new.points) + 1

    def weigh(one: Point, other: Point) -> int:
        if one.callee != other.callee:
            return 0
        return least if one.words == other.words else 1

    alignment = Alignment(old.points, new.points, weigh)
    partners = alignment.partners(old.points.index(point))
    found = [new.points[j] for j in partners if j is not None]
    if not found:
        raise CannotMoveError("nothing like it is awaited in the code of today", then, _nearest(new, point))
    if len(partners) > 1:
        where = "; ".join(new.line(each) for each in found)
        raise CannotMoveError("it is not certain which place of today's code it is", then, where)
    partner = found[0]
    _check_containment(old, new, point, partner, alignment)
    return partner


def _nearest(new: FunctionText, point: Point) -> str:
    """The line of today that stands at the same path, if any."""
    same = new.point_at(point.place)
    return new.line(same) if same is not None else ""


def _check_containment(old: FunctionText, new: FunctionText, point: Point, partner: Point, alignment: Alignment) -> None:
    """What was in a block with the place must be in it still, and nothing else that was outside: a split loop is another one."""
    pairs = alignment.pairs()
    for one, other in zip(point.blocks, partner.blocks, strict=False):
        for i, j in pairs:
            was = _is_within(old.points[i], one.path)
            if was != _is_within(new.points[j], other.path):
                raise CannotMoveError(
                    f"`{old.line(old.points[i])}` was {'in' if was else 'outside of'} a block around it and is "
                    f"{'outside of' if was else 'in'} it today",
                    old.line(point),
                    new.line(new.points[j]),
                )


def _is_within(point: Point, path: str) -> bool:
    return point.place[0] == path or point.place[0].startswith(f"{path}.")


def _check_blocks(old: FunctionText, new: FunctionText, point: Point, partner: Point) -> None:
    """Blocks that have a state must be the same; those that have none may differ where there is only one such place."""
    then, today = old.line(point), new.line(partner)
    was, now = [each.says for each in point.blocks], [each.says for each in partner.blocks]
    if was != now:
        differing = next((pair for pair in zip(was, now, strict=False) if pair[0] != pair[1]), None)
        if differing is None:
            more = (was if len(was) > len(now) else now)[min(len(was), len(now))]
            differing = (more, ("nothing",)) if len(was) > len(now) else (("nothing",), more)
        raise CannotMoveError(
            f"a block around it is another one: {_said(differing[0])} became {_said(differing[1])}", then, today
        )
    if point.branches == partner.branches:
        return
    if point.role in LEAVING or any(each.says[1:2] in (("finalbody",), ("handlers",)) for each in point.blocks):
        raise CannotMoveError("it waits in cleaning up, and a branch or `try` around that has changed", then, today)
    calls = [[each.words for each in text.points if each.callee == point.callee] for text in (old, new)]
    is_only = len(calls[0]) == len(calls[1]) == 1
    if not is_only and (calls[0] != calls[1] or calls[0].count(point.words) > 1):
        raise CannotMoveError("a branch around it has changed, and the same is called in another place too", then, today)


def _said(says: tuple[str, ...]) -> str:
    return f"`{' '.join(word for word in says if word).lower()}`"


def _hidden(
    old: FunctionText,
    new: FunctionText,
    place: Place,
    point: Point,
    partner: Point,
    kept: Collection[str],
    needed: Needed,
) -> Move:
    anchors = [(one.path, other.path) for one, other in zip(point.blocks, partner.blocks, strict=True)]
    anchors.append((point.statement, partner.statement))
    today = {(role, absolute(path, partner.place[0])): name for name, role, path in partner.place[2]}
    names: dict[str, str] = {}
    idle: dict[str, Any] = {}
    for hidden in place[2]:
        if hidden[0] not in kept:
            continue
        if hidden[1] == "subject":
            found = _subject(old, new, hidden, place, partner) if point.branches == partner.branches else None
        else:
            found = _counterpart(old, new, hidden, place, anchors, today)
        if found is not None:
            names[hidden[0]] = found
        elif hidden[1] in INITIAL and point.role not in LEAVING:
            idle[hidden[0]] = INITIAL[hidden[1]]
        else:
            raise CannotMoveError(_unmapped(old, hidden, place), old.line(point), new.line(partner))
    initial: dict[str, Any] = {}
    for name, role, path in partner.place[2]:
        if name in names.values() or role == "argument":
            continue
        if role in INITIAL and partner.role not in LEAVING:
            initial[name] = INITIAL[role]
        elif name in needed(partner.label):
            what = _shown(new, absolute(path, partner.place[0]))
            reason = f"today's code has evaluated {what} by then, and the frame has not"
            raise CannotMoveError(reason, old.line(point), new.line(partner))
    return Move(partner.label, names, initial, idle)


def _counterpart(
    old: FunctionText,
    new: FunctionText,
    hidden: Hidden,
    place: Place,
    anchors: list[tuple[str, str]],
    today: dict[tuple[str, str], str],
) -> str | None:
    """The hidden variable of today that one is, if what it holds is the value of the same text."""
    _, role, path = hidden
    where = absolute(path, place[0])
    around = [(one, other) for one, other in anchors if where == one or where.startswith(f"{one}.") or not one]
    if not around:
        return None
    one, other = max(around, key=lambda pair: len(pair[0]))
    rest = where[len(one) :].lstrip(".")
    there = ".".join(part for part in (other, rest) if part)
    name = today.get((role, there))
    # What blocks say was compared; of an operand, the whole text is what was evaluated.
    is_block = where in {each for each, _ in anchors[:-1]} or role in ("outcome", "normal", "going", "exception")
    if name is not None and (is_block or old.says_at(where) == new.says_at(there)):
        return name
    return _same_operand(old, new, hidden, place, today) if role == "operand" else None


def _same_operand(
    old: FunctionText, new: FunctionText, hidden: Hidden, place: Place, today: dict[tuple[str, str], str]
) -> str | None:
    """An operand that is elsewhere in the statement today: the only one of its text, as it was then."""
    says = old.says_at(absolute(hidden[2], place[0]))
    was = [each for each in place[2] if each[1] == "operand" and old.says_at(absolute(each[2], place[0])) == says]
    now = [name for (role, path), name in today.items() if role == "operand" and new.says_at(path) == says]
    return now[0] if len(was) == len(now) == 1 else None


def _subject(old: FunctionText, new: FunctionText, hidden: Hidden, place: Place, partner: Point) -> str | None:
    """The subject of a ``match`` in which it waits: its cases so far are known to be the same."""
    was = [absolute(path, place[0]) for _, role, path in place[2] if role == "subject"]
    now = [(name, absolute(path, partner.place[0])) for name, role, path in partner.place[2] if role == "subject"]
    if len(was) != 1 or len(now) != 1:
        return None
    (name, there), before, after = now[0], old.nodes.get(absolute(hidden[2], place[0])), new.nodes.get(now[0][1])
    same = isinstance(before, ast.Match) and isinstance(after, ast.Match) and ast.dump(before.subject) == ast.dump(after.subject)
    return name if same and there in new.nodes else None


def _unmapped(old: FunctionText, hidden: Hidden, place: Place) -> str:
    what = _shown(old, absolute(hidden[2], place[0]))
    return f"the value of {what}, which was computed already, is not used in the same way today"


def _shown(text: FunctionText, path: str) -> str:
    node = text.nodes.get(path)
    words = ast.unparse(node).partition("\n")[0] if isinstance(node, (ast.expr, ast.withitem, ast.stmt)) else "a block"
    return f"`{words}`"
