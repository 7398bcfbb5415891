"""What ``typing`` puts into protocols and the classes derived from them, in each version."""

from __future__ import annotations

import typing
from types import CellType, FunctionType
from typing import Any

from .versions import THIS, Version

_PROTOCOL_TYPE: Any = type(typing.Protocol)
_HOOK = "__subclasshook__"
_MEMBERS, _DATA_MEMBERS = "__protocol_attrs__", "__non_callable_proto_members__"  # since Python 3.12 and 3.13
_ONLY_METHODS = "__callable_proto_members_only__"  # of Python 3.12
_SINCE: dict[str, Version] = {
    _MEMBERS: (3, 12), _DATA_MEMBERS: (3, 13), "__static_attributes__": (3, 13), "__firstlineno__": (3, 13),
}  # fmt: skip


def is_hook(name: str, value: Any) -> bool:
    """Whether it is the ``__subclasshook__`` that all protocols have: some look whether it is that very one."""
    return name == _HOOK and getattr(getattr(value, "__func__", value), "__module__", None) == "typing"


def attributes_of_protocol(cls: type, attributes: dict[str, Any]) -> dict[str, Any]:
    """Saved attributes of a class, as those that this Python gives a protocol: others it would take for members of it."""
    if not isinstance(cls, _PROTOCOL_TYPE):
        return attributes
    found = {n: v for n, v in attributes.items() if n != _ONLY_METHODS and _SINCE.get(n, (3, 11)) <= THIS}
    found.setdefault(_HOOK, _hook_of(cls))
    return found


def _hook_of(cls: type) -> Any:
    """Until Python 3.11 it is a function that knows the class."""
    example = _PROTOCOL_TYPE("Example", (typing.Protocol,), {})
    hook = vars(example)[_HOOK]
    if isinstance(hook, FunctionType):
        return FunctionType(hook.__code__, hook.__globals__, hook.__name__, None, (CellType(cls),))
    return hook


def complete_protocol(cls: Any) -> None:
    """Give a protocol that an earlier Python has saved what this one notes about its members when it makes the class."""
    if not isinstance(cls, _PROTOCOL_TYPE) or not vars(cls).get("_is_protocol"):
        return
    if _MEMBERS not in vars(cls) or THIS == (3, 12):
        _PROTOCOL_TYPE.__init__(cls, cls.__name__, cls.__bases__, {})
    if THIS >= (3, 13) and _DATA_MEMBERS not in vars(cls) and vars(cls).get("_is_runtime_protocol"):
        cls.__non_callable_proto_members__ = {name for name in cls.__protocol_attrs__ if not callable(getattr(cls, name, None))}
