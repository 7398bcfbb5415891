"""The rules by which doors close and open."""

from __future__ import annotations

import pytest

from durable_import.holds.doors import Doors, Hold

HERE, THERE = ("app.pay", 8), ("app.read", 20)
TURN = ("app.worker", 5)


def doors_with_hold(length: float = 0.0) -> tuple[Doors, Hold]:
    """Doors at second 0 with a block open since then; one before it, at the same place, took so long."""
    doors = Doors(-length)
    if length:
        doors.hold_closed(doors.hold_opened(HERE, -length), 0.0)
    doors.committed(0.0)
    return doors, doors.hold_opened(HERE, 0.0)


@pytest.mark.parametrize(("length", "age"), [(0.0, 0.5), (0.1, 0.5), (0.2, 0.8), (4.0, 16.0)])
def test_doors_close_when_the_last_commit_is_too_old(length: float, age: float) -> None:
    """Half a second after it, or four times the longest recent hold."""
    doors, _ = doors_with_hold(length)
    assert doors.may_open(age - 0.01)
    assert not doors.may_open(age + 0.01)


def test_doors_close_when_all_that_is_open_ends_in_a_moment() -> None:
    """Then to wait costs nearly nothing: tasks that keep step open their blocks at once, and end them at once."""
    doors, hold = doors_with_hold(4.0)
    assert doors.may_open(3.5)
    assert not doors.may_open(3.7)
    doors.hold_closed(hold, 4.0)


def test_how_long_a_hold_still_takes_is_unknown_where_it_is_the_first_one() -> None:
    """Or has lasted longer than any before: as long again, perhaps."""
    doors, hold = doors_with_hold(4.0)
    other = doors.hold_opened(THERE, 3.0)
    assert doors.may_open(3.9)
    doors.hold_closed(other, 3.9)
    doors.hold_closed(hold, 3.9)


def test_a_checkpoint_opens_them() -> None:
    """The block has ended, everything is saved, and the next ones begin."""
    doors, hold = doors_with_hold()
    assert not doors.may_open(1.0)
    doors.hold_closed(hold, 1.2)
    assert not doors.may_open(1.2)
    doors.committed(1.25)
    assert doors.may_open(1.3)


def test_nothing_is_waited_for_where_nothing_is_open() -> None:
    """However old the last commit is."""
    doors = Doors(0.0)
    assert doors.may_open(100.0)
    assert not doors.wants_closed(100.0)


def test_a_block_that_waits_for_the_instance_opens_them() -> None:
    """It may wait for what a task would do that waits at a door; until it has ended they stay open."""
    doors, waiting = doors_with_hold()
    assert not doors.may_open(1.0)
    doors.waits_for_us()
    assert doors.opens_at is None
    other = doors.hold_opened(THERE, 1.0)
    assert doors.may_open(4.0)
    doors.hold_closed(waiting, 4.0)
    assert not doors.may_open(17.0)
    doors.hold_closed(other, 17.0)


def test_an_object_that_holds_opens_them_when_no_block_is_open() -> None:
    """Waiting does not help; they may close again when it is gone."""
    doors, hold = doors_with_hold()
    cursor = doors.hold_opened(THERE, 0.5, is_block=False)
    assert not doors.may_open(1.0)
    doors.hold_closed(hold, 1.1)
    assert doors.may_open(1.1)
    doors.hold_opened(HERE, 1.1)
    assert doors.may_open(90.0)
    doors.hold_closed(cursor, 90.0)
    assert not doors.may_open(90.0)


def test_how_long_an_object_held_says_nothing_of_blocks() -> None:
    """Else a stream of an hour would keep the doors open for four."""
    doors, hold = doors_with_hold()
    doors.hold_closed(doors.hold_opened(THERE, 0.0, is_block=False), 3600.0)
    doors.committed(3600.0)
    assert not doors.may_open(3600.6)
    doors.hold_closed(hold, 3601.0)


@pytest.mark.parametrize(("length", "patience"), [(0.2, 5.0), (4.0, 12.0)])
def test_patience_has_an_end(length: float, patience: float) -> None:
    """They open after three times the longest hold at the places that are waited for, or five seconds."""
    doors, hold = doors_with_hold(length)
    closed = 4 * length + 0.01
    assert not doors.may_open(closed)
    assert doors.opens_at == pytest.approx(closed + patience)
    assert not doors.may_open(closed + patience - 0.01)
    assert doors.may_open(closed + patience)
    assert doors.opens_at is None
    assert doors.may_open(closed + patience + 1000)
    doors.hold_closed(hold, closed + patience + 1000)


def test_a_hold_of_long_ago_is_forgotten() -> None:
    """Only recent ones say how long doors stay open."""
    doors, hold = doors_with_hold(4.0)
    doors.hold_closed(hold, 0.1)
    doors.committed(61.0)
    doors.hold_opened(HERE, 61.0)
    assert not doors.may_open(62.0)


def test_a_turn_is_withheld_only_where_it_has_held_before() -> None:
    """A heartbeat goes on while doors are closed; what has begun a block from its place before does not."""
    doors, hold = doors_with_hold()
    assert doors.may_take_turn(TURN, 1.0)
    doors.hold_closed(doors.hold_opened(THERE, 1.0, turn=TURN), 1.1)
    assert not doors.may_take_turn(TURN, 1.2)
    assert doors.may_take_turn(("app.heartbeat", 3), 1.2)
    doors.hold_closed(hold, 1.3)
    doors.committed(1.3)
    assert doors.may_take_turn(TURN, 1.3)


def test_an_object_that_is_gone_in_a_moment_leaves_them_closed() -> None:
    """Such as a connection on its way into a block, or out of it: the checkpoint is made behind that."""
    doors, hold = doors_with_hold()
    assert not doors.may_open(1.0)
    doors.hold_closed(hold, 1.1)
    passing = doors.hold_opened(THERE, 1.1, is_block=False)
    assert not doors.may_open(1.15)
    assert doors.opens_at == pytest.approx(1.2)
    doors.hold_closed(passing, 1.16)
    assert not doors.may_open(1.3)
    doors.committed(1.3)
    assert doors.may_open(1.3)
