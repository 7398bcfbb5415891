"""What becomes of frames whose code has changed: said for a runtime, and by ``on_change`` for single functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any, Literal, TypeAlias, TypeVar, get_args

from ..hook.code_table import CodeInfo

OnChange: TypeAlias = Literal["pin", "move", "refuse"]
OfFunction: TypeAlias = Literal["pin", "move", "refuse", "latest"]
F = TypeVar("F", bound=Callable[..., Any])

_policies: dict[tuple[str, str], OfFunction] = {}  # by module and place


def on_change(policy: OfFunction) -> Callable[[F], F]:
    """Decide for one function what becomes of its calls in flight when its code changes; functions inside of it are alike.

    ``"pin"``: they go on in the code that they began with. ``"move"``: they go on in today's, where their place is certain.
    ``"refuse"``: CodeChangedError. ``"latest"``: code of any version calls today's function; a call in flight moves.

    The decorator may stand among others, above those that wrap the function. Raises ValueError for another word, TypeError for
    what is no function.
    """
    if policy not in get_args(OfFunction):
        raise ValueError(f"on_change({policy!r}) is not one of {', '.join(map(repr, get_args(OfFunction)))}")

    def note(function: F) -> F:
        inner: Any = function
        while not isinstance(inner, FunctionType):
            inner = getattr(inner, "__func__", None) or getattr(inner, "__wrapped__", None) or getattr(inner, "fget", None)
            if inner is None:
                raise TypeError(f"on_change({policy!r}) decorates functions, not {function!r}")
        while isinstance(wrapped := getattr(inner, "__wrapped__", None), FunctionType):
            inner = wrapped
        _policies[inner.__module__, inner.__qualname__] = policy
        return function

    return note


def policy_of(module: str, place: str) -> OfFunction | None:
    """What was said for a function, or for one around it; None if nothing was."""
    return policy_in(_policies, module, place) if _policies else None


def policy_in(policies: Mapping[tuple[str, str], OfFunction], module: str, place: str) -> OfFunction | None:
    """The same of policies that were read from texts."""
    parts = place.split(".")
    found = (policies.get((module, ".".join(parts[:end]))) for end in range(len(parts), 0, -1))
    return next((policy for policy in found if policy is not None), None)


def is_never_pinned(info: CodeInfo) -> bool:
    """Whether code of any version calls this function as it is today."""
    return policy_of(info.module.name, info.place) == "latest"
