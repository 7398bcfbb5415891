"""The functions and classes of this package that snapshots name: by a short name that stays, wherever they are defined."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

Kept = TypeVar("Kept", bound=Callable[..., object])


def kept(name: str) -> Callable[[Kept], Kept]:
    """Decorates what snapshots call by ``name``: it is saved and found as ``durable_import.kept.<name>``."""

    def keep(thing: Kept) -> Kept:
        if globals().setdefault(name, thing) is not thing:
            raise ValueError(f"two things would be called {name!r} in snapshots")
        thing.__module__, thing.__qualname__ = __name__, name
        return thing

    return keep
