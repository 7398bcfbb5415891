"""Values as text, the same for equal values of the same type in each process, whatever order a set or dict has."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterable
from enum import Enum
from functools import partial
from typing import Any

_BY_REPR = (bool, int, float, complex, str, bytes, type(None), type(...), range)
_LOADED_LATE = {  # modules of types whose repr tells all too, which are loaded if there is a value of one
    "datetime": ("date", "datetime", "time", "timedelta", "timezone"),
    "decimal": ("Decimal",),
    "fractions": ("Fraction",),
    "uuid": ("UUID",),
    "zoneinfo": ("ZoneInfo",),
}


def digest_of(parts: Iterable[Any]) -> str:
    """32 characters that tell values from others, and from equal ones of another type: ``1``, ``1.0`` and ``True`` differ.

    Raises TypeError for what has no such text.
    """
    text = ",".join(text_of(each, _refuse) for each in parts)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def text_of(value: Any, otherwise: Callable[[Any], str]) -> str:
    """A value as such a text; ``otherwise`` gives that of what has none by itself."""
    kind = type(value)
    if kind in _BY_REPR or kind.__qualname__ in _LOADED_LATE.get(kind.__module__, ()):
        return f"{kind.__name__}:{value!r}"
    name, text = f"{kind.__module__}.{kind.__qualname__}", partial(text_of, otherwise=otherwise)
    if isinstance(value, Enum):
        return f"{name}.{value.name}"
    if kind in (tuple, list):
        return f"{kind.__name__}({','.join(map(text, value))})"
    if kind in (set, frozenset):
        return f"{kind.__name__}({','.join(sorted(map(text, value)))})"
    if kind is dict:
        return f"dict({','.join(sorted(f'{text(key)}={text(each)}' for key, each in value.items()))})"
    if hasattr(kind, "__fspath__"):
        return f"path:{value.__fspath__()!r}"
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = ",".join(f"{each.name}={text(getattr(value, each.name))}" for each in dataclasses.fields(value))
        return f"{name}({fields})"
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return f"{name}({','.join(map(text, value))})"
    return otherwise(value)


def _refuse(value: Any) -> str:
    raise TypeError(
        f"step_key() was given {value!r:.80} ({type(value).__qualname__}), which names nothing the same way in each process: "
        "give it text, numbers, or an id of it"
    )
