"""How many lives of an instance have begun from where it goes on. Where the store does not count, its place says it before the
first checkpoint: there is no other yet."""

from __future__ import annotations

import re

from ...aio.loop import InstanceLoop
from ...stores.state import InstanceState

_LIFE = re.compile(r"life:(\d+)")  # the one that began last; the first one keeps nothing


def lives_before(state: InstanceState) -> int:
    """Those before the present one."""
    found = _LIFE.fullmatch(state.location)
    return int(found[1]) - 1 if found else 0


def with_another_life(state: InstanceState) -> InstanceState:
    """The state, when a later life begins."""
    return state._replace(location=f"life:{lives_before(state) + 2}")


def count_lives(loop: InstanceLoop, lives: int) -> None:
    """So many have begun from this checkpoint before, and have made no other."""
    loop.earlier_lives += lives
    for task in loop.tasks:
        step = task.step_at()
        if step is not None:
            step.has_begun_again(lives)
