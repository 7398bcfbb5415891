"""What the garbage collector looks at."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def only_new_garbage() -> Iterator[None]:
    """Let the collector, and who asks it for referrers, see what is made meanwhile: the process may hold a million others."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def reachable(root: object, among: dict[int, object]) -> dict[int, object]:
    """What an object leads to by way of those ``among`` which, by id, itself included."""
    found: dict[int, object] = {}
    ahead = [root]
    while ahead:
        each = ahead.pop()
        if id(each) in among and id(each) not in found:
            found[id(each)] = each
            ahead += gc.get_referents(each)
    return found


def new_objects() -> dict[int, object]:
    """What there is that was made in ``only_new_garbage`` and is in use, by id."""
    gc.collect()
    return {id(each): each for each in gc.get_objects()}
