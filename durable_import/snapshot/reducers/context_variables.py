"""Context variables: each is saved as the place where another process finds it.

That is a name at the level of a module or, if there is none, what leads on from such a name: attributes of classes and instances,
entries of dicts and sequences, captured variables. That way is found backwards, by asking the garbage collector who refers to the
variable: forwards it would be a search through all that the modules hold. A dict that gets its variables when they are first
used, as that of ``structlog.contextvars``, need not have it yet in the process that resumes.
"""

from __future__ import annotations

import contextvars
import gc
import importlib
import sys
from collections.abc import Callable, Iterator
from pickle import PicklingError
from types import CellType, FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

from ...ours import NAME, PREFIX
from ..library import is_standard, missing

Reduced = tuple[Any, ...] | str
Step = tuple[str, Any]  # from an object to one that it holds: see ``_follow``

_NOTHING: Any = object()
_PLAIN = (type(None), bool, int, float, str, bytes, type(Ellipsis))  # defaults that a variable can be made with again
_MOST_STEPS = 7  # from a module to a variable: ``app.state.tenant`` takes as many, with the dicts on the way
_MOST_HOLDERS = 200  # objects that are looked at in all: what is held by more is no part of a program's own structure
_MOST_SEARCHES = 3  # for variables of one name that were not found: who makes one for each call does not get a search for each


class Place(NamedTuple):
    """Where a context variable is. ``default``: a tuple of what it is made with, if it can be made there; else None."""

    module: str
    steps: tuple[Step, ...]
    name: str
    default: tuple[Any, ...] | None


_found: dict[contextvars.ContextVar[Any], Place] = {}
_not_found: dict[str, int] = {}  # by name: how often such a variable was looked for in vain


def named_variable(module: str, name: str) -> Any:
    """The context variable, or another object that is one of its kind, at ``module.name``."""
    holder = importlib.import_module(module)
    if is_standard(module) and not hasattr(holder, name):
        raise missing(module, name)
    return getattr(holder, name)


def variable_at(place: tuple[Any, ...]) -> contextvars.ContextVar[Any]:
    """The context variable at a ``Place``. Raises LookupError if it is not there."""
    module, steps, name, default = place
    try:
        held: Any = importlib.import_module(module)
        for step in steps[:-1]:
            held = _follow(held, step)
        kind, key = steps[-1]
        if kind == "item" and type(held) is dict and key not in held and default is not None and len(steps) > 2:
            held[key] = _made(name, default)
        found = _follow(held, steps[-1])
    except (AttributeError, ImportError, LookupError, TypeError, ValueError) as error:
        found = error
    if type(found) is contextvars.ContextVar and found.name == name:
        return found
    raise LookupError(f"there is no context variable {name!r} at {shown(Place(*place))}")


def _made(name: str, default: tuple[Any, ...]) -> contextvars.ContextVar[Any]:
    return contextvars.ContextVar(name, default=default[0]) if default else contextvars.ContextVar(name)


def shown(place: Place) -> str:
    """A place as people write it."""
    text = place.module
    for kind, key in place.steps[1:]:  # the first is the namespace of the module
        if kind == "item":
            text += f".{key}" if text == place.module else f"[{key!r}]"
        elif kind == "captured":
            text += f" (its variable {key})"
        elif kind == "attribute":
            text += f".{key}"
    return text


def find_place(variable: contextvars.ContextVar[Any]) -> Place | None:
    """Where a context variable is; None if no module leads to it."""
    known = _found.get(variable)
    if known is not None and _is_at(known, variable):
        return known
    _found.pop(variable, None)
    found = _place_in_module(variable)
    if found is None and _not_found.get(variable.name, 0) < _MOST_SEARCHES:
        found = _place_below_module(variable)
        if found is None:
            _not_found[variable.name] = _not_found.get(variable.name, 0) + 1
    if found is not None:
        _found[variable] = found
    return found


def module_name_of(value: Any) -> tuple[str, str] | None:
    """The module, and the name in it, that an object has."""
    for module, namespace in _namespaces():
        for name, held in list(namespace.items()):
            if held is value:
                return module, name
    return None


def reduce_variable(variable: contextvars.ContextVar[Any]) -> Reduced:
    """See the module."""
    place = find_place(variable)
    if place is None:
        raise PicklingError(
            f"the context variable {variable.name!r} is not at module level, and no module, class or object there holds it; "
            "define it at module level"
        )
    if len(place.steps) == 2:
        return named_variable, (place.module, place.steps[1][1])
    return variable_at, (tuple(place),)


def _place_in_module(variable: contextvars.ContextVar[Any]) -> Place | None:
    found = module_name_of(variable)
    return _place(variable, found[0], (("vars", None), ("item", found[1]))) if found is not None else None


def _place(variable: contextvars.ContextVar[Any], module: str, steps: tuple[Step, ...]) -> Place:
    default = contextvars.Context().run(variable.get, _NOTHING)
    if default is _NOTHING:
        return Place(module, steps, variable.name, ())
    return Place(module, steps, variable.name, (default,) if type(default) in _PLAIN else None)


def _is_at(place: Place, variable: contextvars.ContextVar[Any]) -> bool:
    if place.module not in sys.modules:
        return False
    try:
        return variable_at((*place[:3], None)) is variable
    except LookupError:
        return False


def _namespaces() -> Iterator[tuple[str, dict[str, Any]]]:
    """The modules of the program by name, with what they hold."""
    for name, module in list(sys.modules.items()):
        namespace = getattr(module, "__dict__", None)
        if isinstance(namespace, dict) and name != NAME and not name.startswith(PREFIX):
            yield name, namespace


# --- from a variable to a module ---


class _Way(NamedTuple):
    """From an object to the variable."""

    holder: Any
    steps: tuple[Step, ...]


def _place_below_module(variable: contextvars.ContextVar[Any]) -> Place | None:
    modules: dict[int, str] = {}
    for name, namespace in _namespaces():
        modules.setdefault(id(namespace), name)
    ways, seen = [_Way(variable, ())], {id(variable), id(_found)}
    for _ in range(_MOST_STEPS):
        reached = [(modules[id(way.holder)], (("vars", None), *way.steps)) for way in ways if id(way.holder) in modules]
        for module, steps in sorted(reached, key=repr):
            found = _place(variable, module, steps)
            if _is_at(found, variable):
                return found
        if not ways or len(seen) > _MOST_HOLDERS:
            return None
        ways = [longer for way in ways for longer in _holders_of(way, seen)]
    return None


def _holders_of(way: _Way, seen: set[int]) -> Iterator[_Way]:
    """What refers to an object, and how it leads there."""
    for holder in gc.get_referrers(way.holder):
        if id(holder) in seen or type(holder).__module__.startswith(PREFIX) or isinstance(holder, (_Way, ModuleType)):
            continue
        step = _step(holder, way)
        if step is not None:
            seen.add(id(holder))
            yield _Way(holder, step)


def _step(holder: Any, way: _Way) -> tuple[Step, ...] | None:
    """The steps from one object, by another one that it holds, to the variable; None if it is not held by a name."""
    held, kind = way.holder, type(holder)
    if kind is CellType:
        return (("contents", None), *way.steps)
    if isinstance(holder, dict):
        return _with_key(list(dict.items(holder)), way)
    if isinstance(holder, (list, tuple)):
        return _with_key(list(enumerate(holder)), way)
    if kind is FunctionType and holder.__closure__ is held:
        return (("captured", holder.__code__.co_freevars[way.steps[0][1]]), *way.steps[2:])  # by name, not by its place
    if kind is MethodType:
        return (("attribute", "__self__"), *way.steps) if holder.__self__ is held else None
    if isinstance(holder, type):
        return (("vars", None), *way.steps) if held in gc.get_referents(vars(holder)) else None
    return _in_instance(holder, way)


def _with_key(items: list[tuple[Any, Any]], way: _Way) -> tuple[Step, ...] | None:
    key = next((key for key, value in items if value is way.holder), None)
    return (("item", key), *way.steps) if type(key) in (str, int) else None


def _in_instance(holder: Any, way: _Way) -> tuple[Step, ...] | None:
    try:
        namespace = object.__getattribute__(holder, "__dict__")
    except AttributeError:
        namespace = None
    if type(namespace) is dict:
        if namespace is way.holder:
            return (("vars", None), *way.steps)
        inside = _with_key(list(namespace.items()), way)
        if inside is not None:
            return (("vars", None), *inside)
    for cls in type(holder).__mro__:
        for name, member in list(vars(cls).items()):
            if type(member) is _MEMBER and _value_of(member, holder) is way.holder:
                return (("attribute", name), *way.steps)
    return None


def _value_of(member: Any, holder: Any) -> Any:
    """What an object has in a slot; None if nothing."""
    try:
        return member.__get__(holder, type(holder))
    except AttributeError:  # it is not bound
        return None


class _Slotted:
    __slots__ = ("member",)


_MEMBER = type(vars(_Slotted)["member"])


def _follow(held: Any, step: Step) -> Any:
    kind, key = step
    if kind == "vars":
        return vars(held)
    if kind == "item":
        return held[key]
    if kind == "contents":
        return held.cell_contents
    if kind == "captured":
        return held.__closure__[held.__code__.co_freevars.index(key)].cell_contents
    return getattr(held, key)


TABLE: dict[type, Callable[[Any], Any]] = {contextvars.ContextVar: reduce_variable}
