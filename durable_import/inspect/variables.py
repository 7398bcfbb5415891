"""Variables in a snapshot by their paths, as in ``0/Shop.order.items[0].price``: task, frame, variable, and the way on."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from .frames import FILLS, Resolve, SavedFrame, frame_of
from .graph import Items, Made, items_of, ours
from .places import Held
from .shapes import class_of
from .state import SavedTask

Step = tuple[str, Any]  # "." and the name of an attribute, or "[" and an index or key
_NAME = re.compile(r"[^\W\d]\w*")
_MAPPINGS = ("dict", "Counter", "defaultdict", "OrderedDict")
_CELL_FILL = "cell.fill"


class NamedFrame(NamedTuple):
    """A frame of the program's own, with its ``name``: what the paths of its variables begin with."""

    name: str
    frame: SavedFrame

    def short_names(self) -> tuple[str, ...]:
        """Those that it has where they are unique."""
        own = self.name.partition("/")[2]
        return own, own.rpartition(".")[2], f"{self.name.partition('/')[0]}/{own.rpartition('.')[2]}"


def frame_names(task: SavedTask) -> list[str]:
    """What paths of variables begin with, for each frame of a task; empty for those of asyncio's own.

    Of frames of one function the second is ``0/fact#2``, as they come from the outside in.
    """
    found: list[str] = []
    counts: dict[str, int] = {}
    for frame in task.frames:
        if frame.is_library:
            found.append("")
            continue
        count = counts[frame.qualname] = counts.get(frame.qualname, 0) + 1
        found.append(f"{task.path}/{frame.qualname}" + (f"#{count}" if count > 1 else ""))
    return found


def named_frames(task: SavedTask) -> Iterator[NamedFrame]:
    """The frames of the program's own."""
    return (NamedFrame(name, frame) for name, frame in zip(frame_names(task), task.frames, strict=True) if name)


# --- paths


class Found(NamedTuple):
    """A variable that a path begins with. ``rest``: what follows in the path."""

    frame: NamedFrame
    variable: str
    rest: str

    @property
    def path(self) -> str:
        """In full."""
        return f"{self.frame.name}.{self.variable}{self.rest}"


def find(path: str, frames: list[NamedFrame]) -> Found:
    """The variable that a path begins with. Raises ValueError, which names those that there are."""
    levels: tuple[Callable[[NamedFrame], tuple[str, ...]], ...] = (
        lambda each: (f"{each.name}.",), lambda each: tuple(f"{name}." for name in each.short_names()), lambda _: ("",),
    )  # fmt: skip
    for beginnings in levels:
        found = {each.path: each for frame in frames for begin in beginnings(frame) for each in _at(path, begin, frame)}
        if len(found) == 1:
            return next(iter(found.values()))
        if found:
            raise ValueError(f"{path!r} may be {_listed(found)}: name the one that is meant")
    known = [f"{each.name}.{name}" for each in frames for name in each.frame.variables]
    raise ValueError(f"no variable is called {path!r} at this checkpoint: there is {_listed(known) if known else 'none at all'}")


def _listed(names: Any) -> str:
    shown = [*names]
    more = f" and {len(shown) - 20} others" if len(shown) > 20 else ""
    return ", ".join(shown[:20]) + more


def _at(path: str, beginning: str, frame: NamedFrame) -> Iterator[Found]:
    if not path.startswith(beginning):
        return
    name = _NAME.match(path, len(beginning))
    rest = path[name.end() :] if name is not None else ""
    if name is not None and name[0] in frame.frame.variables and (not rest or rest[0] in ".["):
        yield Found(frame, name[0], rest)


def steps_of(path: str, rest: str) -> list[Step]:
    """The steps behind the variable. Raises ValueError for what is no way to an attribute, an index or a key."""
    try:
        node: Any = ast.parse(f"_{rest}", mode="eval").body
        return chain(node, ast.literal_eval)[1]
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        raise ValueError(f"{path!r} is no path: behind the variable come .attribute, [index] and ['key']") from None


def chain(node: ast.expr, index_of: Callable[[ast.expr], Any]) -> tuple[str, list[Step]]:
    """The name with which an expression of attributes and items begins, and the steps from there. Raises ValueError."""
    steps: list[Step] = []
    while not isinstance(node, ast.Name):
        if isinstance(node, ast.Attribute):
            steps.append((".", node.attr))
        elif isinstance(node, ast.Subscript):
            steps.append(("[", index_of(node.slice)))
        else:
            raise ValueError("another expression")
        node = node.value
    return node.id, steps[::-1]


# --- where they are held


def held_by_frame(frame: SavedFrame, variables: list[Any], name: str, resolve: Resolve) -> Held | None:
    """Where a frame refers to what one of its variables holds. ``variables``: its own, as pairs."""
    for index, pair in enumerate(variables):
        if pair[0] == name:
            return Held(variables, index)
    cells = dict(items_of(resolve(_cells(frame)), "dict") or [])
    cell = resolve(cells.get(name))
    for state in reversed(cell.states if type(cell) is Made else []):
        contents = items_of(state.value, "tuple") if ours(state.setter) == _CELL_FILL else None
        if contents:
            return Held(contents, 0)
    return None


def _cells(frame: SavedFrame) -> Any:
    arguments = frame.node.arguments
    return arguments[5] if frame.node.ours != "unchanged" and len(arguments) > 5 else None


def own_variables(frame: SavedFrame, resolve: Resolve) -> list[Any]:
    """The pairs of a frame that was not pickled by itself."""
    values = next((state.value for state in frame.node.states if ours(state.setter) in FILLS), None)
    found = items_of(values, "tuple") or []
    return items_of(resolve(found[1]), "dict") or [] if len(found) > 1 else []


def held_by(node: Any, step: Step, resolve: Resolve) -> Held | None:
    """Where an object refers to what an attribute, an index or a key of it leads to; None if there is no such place."""
    node = resolve(node)
    kind, name = step
    if kind == ".":
        return _attribute(node, name, resolve) if type(node) is Made else None
    if type(node) is Items:
        return _key(node.items, name) if node.kind == "dict" else _index(node, name)
    if type(node) is not Made:
        return None
    if node.ours == "container":
        return _in_container(node, name, resolve)
    return _key(node.pairs, name) if node.pairs else _position(node.items, name)


def _key(pairs: list[Any], key: Any) -> Held | None:
    found = (index for index, (known, _) in enumerate(pairs) if type(known) is type(key) and known == key)
    place = next(found, None)
    return Held(pairs, place) if place is not None else None


def _index(node: Items, index: Any) -> Held | None:
    return _position(node.items, index) if node.kind in ("list", "tuple") else None


def _position(items: list[Any], index: Any) -> Held | None:
    if type(index) is not int or not -len(items) <= index < len(items):
        return None
    return Held(items, index % len(items))


def _attribute(node: Made, name: str, resolve: Resolve) -> Held | None:
    frame = frame_of(node, resolve)
    if frame is not None:  # a generator, or a coroutine that nobody awaits yet
        return held_by_frame(frame, own_variables(frame, resolve), name, resolve)
    for state in reversed(node.states):
        value = resolve(state.value)
        if node.ours == "container":
            value = resolve((items_of(value, "tuple") or [None])[0])
        elif node.ours in ("exception", "exception.by_own"):
            parts = items_of(value, "tuple") or []
            value = resolve(parts[3]) if len(parts) == 5 else None
        found = _in_state(value, name, resolve)
        if found is not None:
            return found
    keywords = items_of(resolve(node.keywords), "dict") if node.keywords is not None else None
    return _key(keywords, name) if keywords else None


def _in_state(state: Any, name: str, resolve: Resolve) -> Held | None:
    """In the attributes that a state says, or in the second part of one with slots."""
    pairs = items_of(state, "dict")
    if pairs is not None:
        return _key(pairs, name)
    for part in items_of(state, "tuple") or []:
        inner = items_of(resolve(part), "dict")
        found = _key(inner, name) if inner is not None else None
        if found is not None:
            return found
    return None


def _in_container(node: Made, key: Any, resolve: Resolve) -> Held | None:
    is_mapping = class_of(node.arguments[1], resolve)[1] in _MAPPINGS if len(node.arguments) > 1 else False
    for state in node.states:
        held = items_of(state.value, "tuple") or []
        contents = items_of(resolve(held[2]), "list") if len(held) == 3 else None
        if contents is None:
            continue
        if not is_mapping:
            return _position(contents, key)
        for each in contents:
            pair = items_of(each, "tuple") or []
            if len(pair) == 2 and type(pair[0]) is type(key) and pair[0] == key:
                return Held(pair, 1)
    return None
