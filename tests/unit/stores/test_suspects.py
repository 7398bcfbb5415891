"""Limits for what may kill its process."""

from __future__ import annotations

import time

import pytest

from durable_import.errors import InstanceHeldBackError
from durable_import.stores import suspects
from durable_import.stores.state import Claim
from durable_import.stores.suspects import Rule, Suspects


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
        flying.admit(claim)
    assert taken(flying.room(), 3) == 3
    flying.forget("i0", 99)
    assert taken(flying.room(), 3) == 3
    flying.forget("i0", 0)
    assert taken(flying.room(), 3) == 4


def test_one_that_is_started_keeps_the_rule() -> None:
    """It is not counted itself, nor those that wait for it."""
    flying, later = Suspects(), time.monotonic() + 60
    first, second = (Claim(name, 7, attempts=4, proven_at=later) for name in ("first", "second"))
    flying.admit(first, Rule())
    flying.admit(first, Rule())
    with pytest.raises(InstanceHeldBackError, match="'second' is held back") as held:
        flying.admit(second, Rule())
    assert held.value.attempts == 4
    flying.admit(second, Rule(beside=["first"]))
    flying.drop(7)
    flying.admit(second, Rule())
