"""Reducers for small objects that wrap another: cells, descriptors, bound methods, weak references, type variables."""

from __future__ import annotations

import builtins
import dataclasses
import functools
import gc
import operator
import sys
import typing
import weakref
from collections.abc import Callable
from pickle import PicklingError
from types import CellType, MethodType, UnionType
from typing import Any

from durable_import.holds.spent import exit_if_spent
from durable_import.pythons.classes import class_with, is_left_over, named_by_user, namespace_of
from durable_import.pythons.library import FIELD_SENTINELS, KEYWORDS_BEGIN, CacheKey, LruCache
from durable_import.pythons.versions import HAS_TYPE_DEFAULTS, HAS_TYPE_STATEMENTS, LATE_ANNOTATIONS
from durable_import.snapshot.definitions.type_parameters import reduce_late_alias, reduce_late_variable
from durable_import.snapshot.load_context import later
from durable_import.snapshot.names import is_found_by_name

Reduced = tuple[Any, ...] | str

# --- cells and descriptors -------------------------------------------------------------------------------------------


def fill_cell(cell: CellType, contents: tuple[Any]) -> None:
    """Put the contents into a new, empty cell; cycles through closures end here."""
    (cell.cell_contents,) = contents


def _reduce_cell(cell: CellType) -> Reduced:
    try:
        contents = (cell.cell_contents,)
    except ValueError:
        return CellType, ()
    if type(contents[0]) is dict:
        owner = class_with(contents[0])
        if owner is not None:
            return CellType, (), (owner,), None, None, fill_class_cell
        if is_left_over(contents[0]):
            contents = (named_by_user(contents[0]),)
    return CellType, (), contents, None, None, fill_cell


def fill_class_cell(cell: CellType, owner: tuple[type]) -> None:
    """Put the namespace of a class itself into a new, empty cell: annotations find the names of their class there."""
    cell.cell_contents = namespace_of(*owner)


def _reduce_property(descriptor: property) -> Reduced:
    return property, (descriptor.fget, descriptor.fset, descriptor.fdel, descriptor.__doc__)


def _reduce_method_descriptor(descriptor: Any) -> Reduced:
    return type(descriptor), (descriptor.__func__,)


def restore_cached_property(function: Any, name: str | None) -> Any:
    """A cached property that is known under ``name``."""
    descriptor = functools.cached_property(function)
    descriptor.attrname = name
    return descriptor


def _reduce_cached_property(descriptor: functools.cached_property[Any]) -> Reduced:
    return restore_cached_property, (descriptor.func, descriptor.attrname)


def restore_union(members: tuple[Any, ...]) -> Any:
    """``X | Y``, or ``typing.Union`` of what has no ``|``: until Python 3.13 these are not the same."""
    try:
        return functools.reduce(operator.or_, members)
    except TypeError:
        return typing.Union[members]  # noqa: UP007  that very class


def _reduce_union(union: UnionType) -> Reduced:
    return restore_union, (union.__args__,)


def restore_partial_method(function: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    """A method with some of its arguments."""
    return functools.partialmethod(function, *arguments, **keywords)


def _reduce_partial_method(method: functools.partialmethod[Any]) -> Reduced:
    """By its arguments: since Python 3.14 none is made without."""
    return restore_partial_method, (method.func, method.args, method.keywords)


def restore_lru_cache(function: Any, maxsize: int | None, typed: bool) -> Any:
    """A new, empty cache around ``function``."""
    return functools.lru_cache(maxsize, typed)(function)


def _reduce_lru_cache(wrapper: Any) -> Any:
    found: Any = sys.modules.get(wrapper.__module__)
    for name in wrapper.__qualname__.split("."):
        found = getattr(found, name, None)
    if found is wrapper:
        return NotImplemented
    parameters = wrapper.cache_parameters()
    return restore_lru_cache, (wrapper.__wrapped__, parameters["maxsize"], parameters["typed"])


def restore_key(compare: Any, item: tuple[Any, ...]) -> Any:
    """What ``cmp_to_key`` returns, or (with an item) what calling that with the item returns."""
    key: Any = functools.cmp_to_key(compare)
    return key(*item) if item else key


def _reduce_key(key: Any) -> Reduced:
    compare, *item = (x for x in gc.get_referents(key) if x is not type(key))
    return restore_key, (compare, tuple(item))


def restore_cache_key(items: tuple[Any, ...], marks: tuple[int, ...]) -> Any:
    """A key as ``functools._make_key`` makes them: it keeps its hash, which differs from process to process."""
    whole = list(items)
    for place in marks:
        whole[place] = KEYWORDS_BEGIN
    return CacheKey(tuple(whole))


def _reduce_cache_key(key: Any) -> Reduced:
    marks = tuple(place for place, item in enumerate(key) if item is KEYWORDS_BEGIN)
    return restore_cache_key, (tuple(None if place in marks else item for place, item in enumerate(key)), marks)


def _reduce_method(method: MethodType) -> Any:
    """The native form looks the name up again; use it only if that finds the same function.

    In a class that is saved by value there may be nothing to find yet.
    """
    owner, function = method.__self__, method.__func__
    name = getattr(function, "__name__", None)
    spent = exit_if_spent(owner, name)
    if spent is not None:
        return spent.__reduce__()
    if isinstance(name, str) and is_found_by_name(owner if isinstance(owner, type) else type(owner)):
        if isinstance(owner, type):
            if getattr(owner, name, None) == method:
                return NotImplemented
        elif getattr(type(owner), name, None) is function and name not in getattr(owner, "__dict__", ()):
            return NotImplemented
    return MethodType, (function, owner)


# --- weak references -------------------------------------------------------------------------------------------------


class _Gone:
    """What dead references of restored graphs referred to."""


def restore_dead_reference() -> weakref.ref[Any]:
    """A weak reference whose object is gone."""
    return weakref.ref(_Gone())


def _reduce_reference(reference: weakref.ref[Any]) -> Reduced:
    target = reference()
    if target is None:
        return restore_dead_reference, ()
    callback = reference.__callback__
    return weakref.ref, (target,) if callback is None else (target, callback)


def _reduce_weak_method(reference: weakref.WeakMethod[Any]) -> Reduced:
    method = reference()
    return (restore_dead_reference, ()) if method is None else (weakref.WeakMethod, (method,))


def _reduce_proxy(proxy: Any) -> Reduced:
    try:
        target = proxy.__init__.__self__
    except ReferenceError:
        raise PicklingError("a weak proxy whose object is gone; delete the variable") from None
    return weakref.proxy, (target,)


def fill_weak_set(container: weakref.WeakSet[Any], items: list[Any]) -> None:
    """Add the items when they are complete: their hashes may need it."""
    later(container.update, items)


def _reduce_weak_set(container: weakref.WeakSet[Any]) -> Reduced:
    return weakref.WeakSet, (), list(container), None, None, fill_weak_set


def fill_weak_dict(container: Any, items: list[tuple[Any, Any]]) -> None:
    """Add the entries when they are complete."""
    later(container.update, items)


def _reduce_weak_dict(container: Any) -> Reduced:
    return type(container), (), list(container.items()), None, None, fill_weak_dict


# --- typing and dataclasses ------------------------------------------------------------------------------------------


def restore_type_variable(kind: str, name: str, module: str, options: dict[str, Any], bounds: tuple[Any, ...]) -> Any:
    """A type variable that no module-level name leads to, as in ``class C[T]``."""
    if not HAS_TYPE_STATEMENTS:
        options.pop("infer_variance", None)
    if not HAS_TYPE_DEFAULTS:
        options.pop("default", None)
    made = getattr(typing, kind)(name, *bounds, **options)
    made.__module__ = module
    return made


def _reduce_type_variable(variable: Any) -> Any:
    name, module = variable.__name__, variable.__module__
    if getattr(sys.modules.get(module), name, None) is variable:
        return name
    late = reduce_late_variable(variable)
    if late is not None:
        return late
    options: dict[str, Any] = {}
    if not isinstance(variable, typing.TypeVarTuple):
        options = {
            "bound": variable.__bound__,
            "covariant": variable.__covariant__,
            "contravariant": variable.__contravariant__,
            "infer_variance": getattr(variable, "__infer_variance__", False),
        }
        options = {key: value for key, value in options.items() if value}
    if HAS_TYPE_DEFAULTS and variable.has_default():
        options["default"] = variable.__default__
    kind = type(variable).__name__
    return restore_type_variable, (kind, name, module, options, getattr(variable, "__constraints__", ()))


def restore_type_alias(name: str, module: str, value: Any, variables: tuple[Any, ...]) -> Any:
    """A type alias that no module-level name leads to, as of a ``type`` statement in a function (since Python 3.12)."""
    namespace = {"__name__": module, "typing": typing, "name": name, "value": value, "variables": variables}
    return eval("typing.TypeAliasType(name, value, type_params=variables)", namespace)  # it notes its caller's module


def _reduce_type_alias(alias: Any) -> Any:
    name, module = alias.__name__, alias.__module__
    if getattr(sys.modules.get(module), name, None) is alias:
        return NotImplemented
    late = reduce_late_alias(alias)
    if late is not None:
        return late
    return restore_type_alias, (name, module, alias.__value__, alias.__type_params__)


def restore_forward_reference(name: str, module: Any, is_argument: bool, is_class: bool) -> typing.ForwardRef:
    """An annotation written as a string, compiled by this Python version."""
    return typing.ForwardRef(name, is_argument=is_argument, module=module, is_class=is_class)


def fill_forward_reference(reference: Any, kept: dict[str, Any]) -> None:
    """Give one, since Python 3.14, where its names are looked up."""
    if LATE_ANNOTATIONS:
        module = kept.pop("module", None)
        if module is not None:
            reference.__globals__ = vars(sys.modules[module])
        for name, value in kept.items():
            setattr(reference, name, value)


def _reduce_forward_reference(reference: Any) -> Reduced:
    module, is_argument = reference.__forward_module__, reference.__forward_is_argument__
    made = restore_forward_reference, (reference.__forward_arg__, module, is_argument, reference.__forward_is_class__)
    found = {name: getattr(reference, name, None) for name in _WHERE_NAMES_ARE}
    kept = {name: value for name, value in found.items() if value is not None}
    name = kept.get("__globals__", {}).get("__name__", "")
    if name in sys.modules and vars(sys.modules[name]) is kept["__globals__"]:
        kept["module"] = name
        del kept["__globals__"]
    return (*made, kept, None, None, fill_forward_reference) if kept else made


_WHERE_NAMES_ARE = ("__owner__", "__globals__", "__cell__", "__extra_names__")  # of forward references, since Python 3.14


def restore_sentinel(name: str) -> Any:
    """One of the objects of ``dataclasses`` that are compared by identity."""
    return getattr(dataclasses, name)


def restore_local_sentinel(name: str, module: str, text: str) -> Any:
    """A sentinel, as the built-in type of Python 3.15 makes them, that no name leads to."""
    sentinel = _Sentinel(name, repr=text)
    sentinel.__module__ = module
    return sentinel


class _SentinelOfBefore:
    """Stands for that type until Python 3.14."""

    def __init__(self, name: str, /, *, repr: str) -> None:
        self.__name__ = name
        self._repr = repr

    def __repr__(self) -> str:
        return self._repr

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, _: Any) -> Any:
        return self


_Sentinel: Any = getattr(builtins, "sentinel", _SentinelOfBefore)


def _sentinels() -> dict[type, dict[int, str]]:
    found: dict[type, dict[int, str]] = {}
    for name, sentinel in {"MISSING": dataclasses.MISSING, "KW_ONLY": dataclasses.KW_ONLY, **FIELD_SENTINELS}.items():
        found.setdefault(type(sentinel), {})[id(sentinel)] = name
    return found


_SENTINELS = _sentinels()


def _reduce_sentinel(sentinel: Any) -> Any:
    name = _SENTINELS.get(type(sentinel), {}).get(id(sentinel))
    if name is not None:
        return restore_sentinel, (name,)
    name, module = sentinel.__name__, sentinel.__module__
    if getattr(sys.modules.get(module), name, None) is sentinel:
        return name  # found in its module
    return restore_local_sentinel, (name, module, repr(sentinel))


TABLE: dict[type, Callable[[Any], Any]] = {
    CellType: _reduce_cell,
    property: _reduce_property,
    classmethod: _reduce_method_descriptor,
    staticmethod: _reduce_method_descriptor,
    functools.cached_property: _reduce_cached_property,
    LruCache: _reduce_lru_cache,
    functools.partialmethod: _reduce_partial_method,
    UnionType: _reduce_union,
    type(functools.cmp_to_key(max)): _reduce_key,
    MethodType: _reduce_method,
    weakref.ref: _reduce_reference,
    weakref.WeakMethod: _reduce_weak_method,
    weakref.ProxyType: _reduce_proxy,
    weakref.CallableProxyType: _reduce_proxy,
    weakref.WeakSet: _reduce_weak_set,
    weakref.WeakValueDictionary: _reduce_weak_dict,
    weakref.WeakKeyDictionary: _reduce_weak_dict,
    typing.ForwardRef: _reduce_forward_reference,
    typing.TypeVar: _reduce_type_variable,
    typing.ParamSpec: _reduce_type_variable,
    typing.TypeVarTuple: _reduce_type_variable,
    **dict.fromkeys([*_SENTINELS, _Sentinel], _reduce_sentinel),
}
if CacheKey is not tuple:
    TABLE[CacheKey] = _reduce_cache_key
if (alias_type := getattr(typing, "TypeAliasType", None)) is not None:  # since Python 3.12
    TABLE[alias_type] = _reduce_type_alias
