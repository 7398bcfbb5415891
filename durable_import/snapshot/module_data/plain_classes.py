"""Classes whose instances are what their attributes are."""

from __future__ import annotations

from types import BuiltinFunctionType, WrapperDescriptorType
from typing import Any

from ..reducers.process_objects import PROCESS_BOUND

_HEAP_TYPE = 1 << 9
_PICKLED_AS_A_WHOLE = ("__reduce__", "__reduce_ex__", "__getnewargs__", "__getnewargs_ex__")
STATE = ("__getstate__", "__setstate__")


def is_plain_class(cls: type) -> bool:
    """Whether an instance is saved and restored by its attributes alone."""
    return is_filled_by_state(cls) and not _defines(cls, STATE)


def is_filled_by_state(cls: type) -> bool:
    """Whether one that is there can be given the state of another, by its attributes or by ``__setstate__``."""
    if issubclass(cls, (BaseException, *PROCESS_BOUND)) or _defines(cls, _PICKLED_AS_A_WHOLE):
        return False
    return all(_holds_attributes_only(base) for base in cls.__mro__)


def gives_state(value: Any) -> bool:
    """Whether an object tells its state: its own ``__getstate__`` may refuse to."""
    if not _defines(type(value), ("__getstate__",)):
        return True
    try:
        value.__getstate__()
    except Exception:  # whatever it says: the object is none that can be filled
        return False
    return True


def _defines(cls: type, names: tuple[str, ...]) -> bool:
    return any(name in base.__dict__ for base in cls.__mro__ if base is not object for name in names)


def _holds_attributes_only(base: type) -> bool:
    """Whether what a base gives its instances to hold are attributes: it is written in Python, or nothing but a name."""
    if base.__basicsize__ == object.__basicsize__ and base.__dictoffset__ == 0:
        return True  # object, Generic, ABC, Protocol
    made_in_c = (BuiltinFunctionType, WrapperDescriptorType)
    is_python = not any(type(base.__dict__.get(name)) in made_in_c for name in ("__new__", "__init__"))
    return is_python and bool(base.__flags__ & _HEAP_TYPE)
