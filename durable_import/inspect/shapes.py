"""What a node of the graph stands for: the class of an object, and what is in it, each by the step that leads there.

Steps are written as in Python: ``.total``, ``[3]``, ``['key']``. A word in parentheses is for what no attribute leads to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from ..snapshot.names import module_today
from .frames import UNBOUND, Resolve, contents_of, frame_of
from .graph import Items, Made, Named, items_of, ours
from .standard import standard_shape

Parts = list[tuple[str, Any]]
OBJECT, MAPPING, PLAIN, TEXT = "object", "mapping", "plain", "text"
_DEEPEST = 20  # calls that make what makes an object
_MOST_BITS = 64  # of an int that is a part of a name, or a key in a step
_KEYS = (str, bool, float, bytes, type(None))
_LONGEST = 80  # characters of a key in a step


class Shape(NamedTuple):
    """``style``: a container is written as in Python ('list', 'tuple', 'set', 'frozenset', 'dict'); an OBJECT as
    ``Type(field=...)``, and a MAPPING as ``Type(key: value)``; PLAIN and TEXT as ``text`` says, a TEXT in angle brackets.
    """

    module: str
    type: str
    parts: Parts
    style: str = OBJECT
    text: str = ""


def shape_of(node: Any, resolve: Resolve) -> Shape:
    """What a node that is no value, and is resolved, stands for."""
    if type(node) is Items:
        return _container(node)
    if type(node) is Named:
        return _name(node.module, node.name)
    if type(node) is not Made:
        return Shape("", type(node).__name__, [], TEXT, type(node).__name__)
    frame = frame_of(node, resolve)
    if frame is not None:
        variables = [(f".{name}", value) for name, value in frame.variables.items()]
        return Shape("", "coroutine", variables, TEXT, f"{frame.qualname} of {frame.module}")
    shape = _OURS.get(node.ours)
    if shape is not None and len(node.arguments) >= shape[0]:
        return shape[1](node, resolve)
    return _made(node, resolve)


def class_of(node: Any, resolve: Resolve, depth: int = 0) -> tuple[str, str]:
    """Module and qualified name of a class or function."""
    node = resolve(node)
    if depth > _DEEPEST:
        return "", "?"
    if type(node) is Named:
        return ("", node.name) if ours(node) else (node.module, node.name)
    if type(node) is not Made:
        return "", "?"
    place = _PLACES.get(node.ours)
    if place is not None and len(node.arguments) > max(place):
        module, name = (node.arguments[index] for index in place)
        if type(module) is type(name) is str:
            return module_today(module), name
    if node.ours == "type_of_interpreter" and node.arguments:
        return "types", _word(node.arguments[0])
    if node.function == Named("builtins", "getattr") and len(node.arguments) == 2:
        module, name = class_of(node.arguments[0], resolve, depth + 1)
        return module, f"{name}.{_word(node.arguments[1])}"
    return class_of(node.function, resolve, depth + 1)


def _word(node: Any) -> str:
    return node if type(node) is str else str(node) if type(node) is int and node.bit_length() <= _MOST_BITS else "?"


# Of the arguments of what names of ours make: where the module and the qualified name stand.
_PLACES = {
    "class.with_fields": (0, 1), "class": (3, 2), "enum": (3, 2), "namedtuple": (2, 1), "by_name": (0, 1),
    "by_name_or_none": (0, 1), "named_variable": (0, 1), "function": (0, 1), "generator_function": (0, 1),
    "late_function": (0, 1), "foreign_function": (0, 1),
}  # fmt: skip


def _name(module: str, name: str) -> Shape:
    if module == "builtins" and name in ("Ellipsis", "NotImplemented"):
        return Shape("", name, [], PLAIN, name)
    full = f"{module}.{name}" if module not in ("", "builtins") else name
    return Shape("", "name", [], TEXT, full)


def _container(node: Items) -> Shape:
    if node.kind == "dict":
        return Shape("", "dict", [(_step(key), value) for key, value in node.items], "dict")
    if node.kind == "bytearray":
        return Shape("", "bytearray", [("(bytes)", node.items[0])])
    return Shape("", node.kind, _indexed(node.items), node.kind)


def _step(key: Any) -> Any:
    """The step to a value by its key; a key that is an object itself stays that."""
    is_short = type(key) is int and key.bit_length() <= _MOST_BITS
    return f"[{key!r}]" if is_short or (type(key) in _KEYS and len(repr(key)) <= _LONGEST) else key


def _indexed(items: Iterable[Any]) -> Parts:
    return [(f"[{index}]", item) for index, item in enumerate(items)]


# --- objects


def _made(node: Made, resolve: Resolve) -> Shape:
    """An object by its class, or the function that makes it, with what it was given."""
    module, name = class_of(node.function, resolve)
    if (module, name) == ("builtins", "getattr") and len(node.arguments) == 2:
        return Shape("", "method", _arguments(node.arguments))
    arguments = _arguments(node.arguments, node.keywords)
    known = standard_shape(module, name, node)
    if known is not None:
        return Shape(module, name.rpartition(".")[2], *known)
    parts = [*arguments, *_states(node, resolve), *_indexed(node.items), *((_step(key), value) for key, value in node.pairs)]
    return Shape(module, name.rpartition(".")[2], parts, MAPPING if node.pairs else OBJECT)


def _arguments(arguments: list[Any], keywords: Any = None) -> Parts:
    named = items_of(keywords, "dict") or []
    return [*((f"({index})", value) for index, value in enumerate(arguments)), *((f".{key}", value) for key, value in named)]


def _states(node: Made, resolve: Resolve) -> Parts:
    return [part for state in node.states for part in attributes(state.value, resolve)]


def attributes(state: Any, resolve: Resolve) -> Parts:
    """What a state says: attributes by their names, or something that only the class itself can read."""
    state = resolve(state)
    found = items_of(state, "dict")
    if found is not None:
        return [(f".{name}", value) for name, value in found if type(name) is str]
    pair = items_of(state, "tuple")
    if pair is not None and len(pair) == 2 and (pair[0] is None or items_of(pair[0], "dict") is not None):
        slots = items_of(pair[1], "dict")
        if slots is not None:
            return [*attributes(pair[0], resolve), *attributes(pair[1], resolve)]
    return [] if state is None else [("(state)", state)]


def _instance(node: Made, resolve: Resolve) -> Shape:
    module, name = class_of(node.arguments[0], resolve)
    known = standard_shape(module, name, node)
    return Shape(module, name.rpartition(".")[2], *(known or (_states(node, resolve),)))


def _value(node: Made, resolve: Resolve) -> Shape:
    module, name = class_of(node.arguments[0], resolve)
    return Shape(module, name.rpartition(".")[2], [("(value)", node.arguments[2]), *_states(node, resolve)])


def _filled_container(node: Made, resolve: Resolve) -> Shape:
    """A subclass of a container: its attributes, then what is in it."""
    module, name = class_of(node.arguments[0], resolve)
    base = class_of(node.arguments[1], resolve)[1]
    is_mapping = base in ("dict", "Counter", "defaultdict", "OrderedDict")
    parts: Parts = []
    for state in node.states:
        held = items_of(state.value, "tuple") or []
        if len(held) == 3:
            contents = items_of(held[2], "list") or []
            parts += attributes(held[0], resolve)
            parts += _pairs(contents) if is_mapping else _indexed(contents)
    return Shape(module, name.rpartition(".")[2], parts, MAPPING if is_mapping else OBJECT)


def _pairs(contents: list[Any]) -> Parts:
    pairs = [items_of(each, "tuple") or [] for each in contents]
    return [(_step(pair[0]), pair[1]) for pair in pairs if len(pair) == 2]


def _member(node: Made, resolve: Resolve) -> Shape:
    module, name = class_of(node.arguments[0], resolve)
    cls = name.rpartition(".")[2]
    return Shape(module, cls, [], PLAIN, f"{cls}.{_word(node.arguments[1])}")


def _flag(node: Made, resolve: Resolve) -> Shape:
    module, name = class_of(node.arguments[0], resolve)
    cls = name.rpartition(".")[2]
    bits = [items_of(bit, "tuple") or ["?"] for bit in items_of(node.arguments[1], "tuple") or []]
    words = [f"{cls}.{_word(bit[0])}" for bit in bits if bit] + ([_word(node.arguments[2])] if node.arguments[2] else [])
    return Shape(module, cls, [], PLAIN, "|".join(words) or f"{cls}(0)")


def _exception(node: Made, resolve: Resolve) -> Shape:
    module, name = class_of(node.arguments[0], resolve)
    parts: Parts = []
    arguments = node.arguments[1]
    for state in node.states:
        held = items_of(state.value, "tuple") or []
        if len(held) == 5:
            arguments = held[2] if held[2] is not None else arguments
            own = items_of(held[1], "tuple") or []
            parts += [*attributes(held[3], resolve), *(part for each in own[:1] for part in attributes(each, resolve))]
            chain = items_of(held[4], "tuple") or []
            causes = zip((".__cause__", ".__context__"), chain, strict=False)
            parts += [(what, each) for what, each in causes if each is not None]
    given = items_of(resolve(arguments), "tuple") or []
    return Shape(module, name.rpartition(".")[2], [*_arguments(given), *parts])


def _function(node: Made, resolve: Resolve) -> Shape:
    module, place = class_of(node, resolve)
    cells = items_of(resolve(node.arguments[3]), "dict") or []
    captured = [(f"({name})", contents_of(resolve(cell))) for name, cell in cells if type(name) is str]
    full = f"{module}.{place}" if module else place
    return Shape("", "function", [part for part in captured if part[1] is not UNBOUND], TEXT, f"function {full}")


def _class(node: Made, resolve: Resolve) -> Shape:
    return _name(*class_of(node, resolve))._replace(type="class")


def _cell(node: Made, resolve: Resolve) -> Shape:
    """Of a type that the interpreter has: mostly the cell of a captured variable."""
    if class_of(node, resolve) != ("types", "CellType"):
        return _class(node, resolve)
    return Shape("", "cell", [], TEXT, "type of cells")


def _task(node: Made, _: Resolve) -> Shape:
    return Shape("", "Task", [], TEXT, f"Task {_word(node.arguments[0])}")


def _future(node: Made, resolve: Resolve) -> Shape:
    module, name = class_of(node.arguments[0], resolve)
    for state in node.states:
        pair = items_of(state.value, "tuple") or []
        held = items_of(pair[0], "tuple") if pair else None
        if held and type(held[0]) is str:
            parts = [("(result)" if held[0] == "done" else "(error)", held[1])] if held[0] in ("done", "failed") else []
            return Shape(module, name, parts, OBJECT if parts else TEXT, f"{name} {held[0]}")
    return Shape(module, name, [], TEXT, name)


def _ended_future(node: Made, _: Resolve) -> Shape:
    return Shape("asyncio", "Future", [(f"({_word(node.arguments[0])})", node.arguments[1])])


def _step_of(node: Made, _: Resolve) -> Shape:
    awaitable, state, value = node.arguments[:3]
    parts = [("(awaits)", awaitable)] if awaitable is not None else [("(outcome)", value)]
    return Shape("", "step", parts, OBJECT, _word(state))


def _call(node: Made, resolve: Resolve) -> Shape:
    """A coroutine of foreign code that has not begun, or begins again."""
    module, name = class_of(node.arguments[0], resolve)
    parts = _arguments(items_of(resolve(node.arguments[1]), "list") or [], resolve(node.arguments[2]))
    return Shape(module, name, parts)


def _ended_frame(node: Made, _: Resolve) -> Shape:
    return Shape("", "coroutine", [], TEXT, f"{_word(node.arguments[0])} {_word(node.arguments[2])}, ended")


def _named_object(node: Made, resolve: Resolve) -> Shape:
    return _name(*class_of(node, resolve))


def _fixed(text: str) -> tuple[int, Callable[[Made, Resolve], Shape]]:
    return 0, lambda *_: Shape("", text, [], TEXT, text)


# By name of ours: how many arguments there are at least, and what it is.
_OURS: dict[str, tuple[int, Callable[[Made, Resolve], Shape]]] = {
    "by_name": (2, _named_object), "by_name_or_none": (2, _named_object), "call": (3, _call), "class": (4, _class),
    "class.with_fields": (2, _class), "condition": (1, _instance), "container": (2, _filled_container),
    "context": _fixed("context"), "enum": (4, _class), "enum.flag": (3, _flag), "enum.member": (2, _member),
    "exception": (2, _exception), "exception.by_own": (2, _exception), "foreign_function": (4, _function),
    "frame.ended": (5, _ended_frame), "function": (4, _function), "future": (1, _future), "future.ended": (2, _ended_future),
    "generator_function": (4, _function), "instance": (1, _instance), "instance.by_own_new": (1, _instance),
    "instance.hashed": (1, _instance), "late_function": (2, _class), "loop": _fixed("event loop"),
    "named_variable": (2, _named_object), "namedtuple": (3, _class), "no_context": _fixed("context"),
    "primitive": (1, _instance), "running_loop": _fixed("event loop"), "step": (3, _step_of), "task": (1, _task),
    "type_of_interpreter": (1, _cell), "value": (3, _value),
}  # fmt: skip
