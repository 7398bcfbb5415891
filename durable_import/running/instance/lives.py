"""How many lives of an instance have begun before its first checkpoint: kept as its place, since there is no other yet."""

from __future__ import annotations

import re

from ...stores.state import InstanceState

_LIFE = re.compile(r"life:(\d+)")  # the one that began last; the first one keeps nothing


def lives_before(state: InstanceState) -> int:
    """Those before the present one."""
    found = _LIFE.fullmatch(state.location)
    return int(found[1]) - 1 if found else 0


def with_another_life(state: InstanceState) -> InstanceState:
    """The state, when a later life begins."""
    return state._replace(location=f"life:{lives_before(state) + 2}")
