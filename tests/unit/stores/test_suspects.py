"""Limits for what may kill its process."""

from __future__ import annotations

import time

import pytest

from durable_import.stores import suspects
from durable_import.stores.state import Claim
from durable_import.stores.suspects import Suspects


def taken(room: suspects.Room, deaths: int, many: int = 200) -> int:
    """How many are taken up of so many."""
    return sum(room.takes(deaths) for _ in range(many))


@pytest.mark.parametrize(("deaths", "most"), [(0, 200), (1, 200), (2, 64), (3, 8), (4, 1), (9, 1)])
def test_so_many_at_once(deaths: int, most: int) -> None:
    """The more often their processes have died, the fewer."""
    assert taken(Suspects().room(), deaths) == most


def test_alone_on_the_last_attempt() -> None:
    """However early that is; those of one group share its limit."""
    room = Suspects().room(alone_from=2)
    assert (taken(room, 1), taken(room, 2), taken(room, 3)) == (200, 1, 0)
    assert taken(Suspects().room(alone_from=9), 4) == 1


def test_who_is_in_flight_counts() -> None:
    """Until it ends, or has lived for long enough."""
    flying = Suspects()
    later = time.monotonic() + 60
    claims = [Claim(f"i{number}", number, attempts=3, proven_at=later) for number in range(5)]
    for claim in (*claims, Claim("proven", 7, attempts=3, proven_at=0.0), Claim("innocent", 8)):
        flying.add(claim)
    assert taken(flying.room(), 3) == 3
    flying.forget("i0", 99)
    assert taken(flying.room(), 3) == 3
    flying.forget("i0", 0)
    assert taken(flying.room(), 3) == 4
