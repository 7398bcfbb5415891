"""Limits for what may kill its process."""

from __future__ import annotations

import time
from collections import Counter
from types import SimpleNamespace

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


class Service:
    """A process that takes up suspects each second as far as there is room; none of them commits."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, alone_from: int = suspects.NEVER) -> None:
        self.now, self.flying, self.alone_from = 1000.0, Suspects(), alone_from
        self.taken: dict[str, float] = {}
        monkeypatch.setattr(suspects, "time", SimpleNamespace(monotonic=lambda: self.now))

    def lives(self, deaths: dict[str, int], seconds: int) -> None:
        """Each second it looks once."""
        for _ in range(seconds):
            room = self.flying.room(self.alone_from)
            for name in sorted(deaths.keys() - self.taken.keys(), key=lambda name: (deaths[name], name)):
                if room.takes(deaths[name]):
                    self.taken[name] = self.now
                    self.flying.admit(Claim(name, 1, attempts=deaths[name], proven_at=self.now + 10 * 2.0 ** deaths[name]))
            self.now += 1.0


@pytest.mark.parametrize("deaths", [2, 3, 4, 7, 30])
def test_many_that_never_commit_are_under_way_soon(monkeypatch: pytest.MonkeyPatch, deaths: int) -> None:
    """However often their processes have died: a step may take hours."""
    service = Service(monkeypatch)
    service.lives({f"i{number:04}": deaths for number in range(1000)}, 112)
    assert len(service.taken) == 1000


def test_few_are_beside_what_kills_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """A round is as large as all before it; those who have committed are not counted."""
    service = Service(monkeypatch)
    service.lives({f"i{number:04}": 4 for number in range(100)}, 45)
    moments = Counter(service.taken.values())
    assert list(moments.values()) == [1, 1, 2, 4, 8]
    for name in service.taken:
        service.flying.forget(name, 1)
    assert taken(service.flying.room(), 4) == 1


def test_one_that_waits_for_long_makes_room_for_those_that_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    """One beside it at a time."""
    service = Service(monkeypatch)
    service.lives({"long": 4}, 11)
    assert taken(service.flying.room(service.alone_from), 5) == 1


def test_nobody_is_beside_one_on_its_last_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    """It begins when all others have ended or lived for long, and others begin when it has."""
    service = Service(monkeypatch, alone_from=9)
    service.lives({"a": 4, "b": 9, "c": 9}, 400)
    assert service.taken == {"a": 1000.0, "b": 1160.0, "c": 1320.0}
    assert taken(service.flying.room(9), 4) == 0
    service.now += 200
    assert taken(service.flying.room(9), 4) == 1


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
