"""What the interpreter itself puts into classes, in each version."""

from __future__ import annotations

import gc
import typing
import weakref
from collections.abc import Iterable, Iterator
from types import GetSetDescriptorType, MemberDescriptorType
from typing import Any, Generic, TypeVar

T = TypeVar("T")

# Since Python 3.15 these descriptors of all classes are the same objects, which belong to ``object``.
OF_EVERY_CLASS = ("__dict__", "__weakref__")
# What all typed dicts have since Python 3.15 unless they say otherwise.
OF_TYPED_DICTS: dict[str, Any] = (
    {"__closed__": None, "__extra_items__": vars(typing)["NoExtraItems"]} if hasattr(typing, "NoExtraItems") else {}
)
_found: weakref.WeakValueDictionary[int, type] = weakref.WeakValueDictionary()  # by id of the namespace


_HEAP_TYPE = 1 << 9  # Py_TPFLAGS_HEAPTYPE: it may go away


class ByClass(Generic[T]):
    """What was found of classes; no class is kept alive by it. Those that never go away are found at once."""

    __slots__ = ("_lasting", "_others")

    def __init__(self) -> None:
        self._lasting: dict[type, T] = {}
        self._others: weakref.WeakKeyDictionary[type, T] = weakref.WeakKeyDictionary()

    def get(self, cls: type) -> T | None:
        """What was found; None if that is nothing yet."""
        found = self._lasting.get(cls)
        return found if found is not None else self._others.get(cls)

    def keep(self, cls: type, found: T) -> T:
        """Something, not None, was found."""
        (self._others if cls.__flags__ & _HEAP_TYPE else self._lasting)[cls] = found
        return found

    def clear(self) -> None:
        """More is known than before."""
        self._lasting.clear()
        self._others.clear()


def is_made_by_type(cls: type, name: str, value: Any) -> bool:
    """Whether an attribute is a descriptor that making the class makes: of a slot, or of what every instance has."""
    if not isinstance(value, MemberDescriptorType | GetSetDescriptorType):
        return False
    return value.__objclass__ is cls or name in OF_EVERY_CLASS


def is_implied(cls: type, name: str, value: Any) -> bool:
    """Whether an attribute is one that all classes of this kind have in this version, and others have not in earlier ones."""
    return name in OF_TYPED_DICTS and value is OF_TYPED_DICTS[name] and typing.is_typeddict(cls)


def implied(cls: type) -> dict[str, Any]:
    """The attributes that all classes of this kind have in this version."""
    return OF_TYPED_DICTS if typing.is_typeddict(cls) else {}


def namespace_of(cls: type) -> dict[str, Any]:
    """The dict of a class itself, which ``vars`` only shows."""
    namespace: dict[str, Any] = gc.get_referents(vars(cls))[0]
    return namespace


def class_with(namespace: Any) -> type | None:
    """The class whose own dict this is; None if it is none's, or of one that is gone."""
    if not isinstance(namespace, dict) or "__module__" not in namespace or "__doc__" not in namespace or is_left_over(namespace):
        return None
    candidates = [_found.get(id(namespace)), *(getattr(namespace.get(name), "__objclass__", None) for name in OF_EVERY_CLASS)]
    cls = _owner_among(candidates, namespace) or _owner_among(_all_classes(), namespace)
    if cls is not None:
        _found[id(namespace)] = cls
    return cls


def _all_classes() -> Iterator[type]:
    """Every class there is; the garbage collector does not show those that a server has frozen before it forks."""
    met: set[int] = set()  # ids: a metaclass may compare as it likes
    waiting: list[type] = [object]
    while waiting:
        cls = waiting.pop()
        if id(cls) not in met:
            met.add(id(cls))
            yield cls
            waiting += type.__subclasses__(cls)


def _owner_among(candidates: Iterable[Any], namespace: dict[str, Any]) -> type | None:
    return next((c for c in candidates if isinstance(c, type) and namespace_of(c) is namespace), None)


def is_left_over(namespace: dict[str, Any]) -> bool:
    """Whether it is that of a class which ``dataclass(slots=True)`` has made another one of."""
    parameters = namespace.get("__dataclass_params__")
    return getattr(parameters, "slots", False) and "__slots__" not in namespace


def named_by_user(namespace: dict[str, Any]) -> dict[str, Any]:
    """What a class has under names that are not Python's own."""
    return {name: value for name, value in namespace.items() if name[:2] != "__" or name[-2:] != "__"}
