"""When snapshots are in segments and when whole: what a sequence of costs makes of it."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from durable_import.snapshot.incremental.format_policy import FormatPolicy

WHOLE = 1000
SEGMENTS = 2000  # all of them


def cost(changes: list[float], actual: Callable[[float], float] = lambda changed: changed) -> tuple[float, str]:
    """What a program pays of whose tasks such parts run between its checkpoints, in whole snapshots; and the forms.

    ``actual``: what part of the segments has to be pickled when such a part of the tasks has run.
    """
    format_policy = FormatPolicy(least=1)
    paid, forms = 0.0, ""
    are_there = False
    for changed in changes:
        if format_policy.wants_segments():
            pickled = 2 * SEGMENTS if not are_there else SEGMENTS * actual(changed)
            allowance = format_policy.allowance(is_first=not are_there)
            if pickled <= allowance:
                format_policy.was_in_segments(int(pickled), SEGMENTS, is_first=not are_there)
                are_there = True
                paid += pickled * 1.5 / WHOLE
                forms += "s"
                continue
            paid += allowance * 1.5 / WHOLE  # if nothing tells it before
            format_policy.give_up()
        are_there = False
        format_policy.was_whole(WHOLE, changed)
        paid += 1
        forms += "w"
    return paid, forms


def test_whole_while_all_run() -> None:
    """A program all of whose tasks run between two checkpoints pays what whole snapshots cost."""
    assert cost([1.0] * 1000) == (1000, "w" * 1000)


def test_segments_while_few_run() -> None:
    """A program few of whose tasks run pays little, after some whole snapshots and the way to segments."""
    paid, forms = cost([0.001] * 10_000)
    assert forms.lstrip("w") == "s" * len(forms.lstrip("w"))
    assert paid < 5 + 6 + 10_000 * 0.004


def test_one_burst_does_not_end_segments() -> None:
    """When all tasks run once in a while, going back and forth would cost more than segments of all of them."""
    _, forms = cost(([0.001] * 200 + [1.0]) * 10)
    assert "sw" not in forms


def test_segments_end_when_many_run_all_the_time() -> None:
    """A program that changes its ways is followed, each way."""
    paid, forms = cost([0.001] * 100 + [1.0] * 100 + [0.001] * 100)
    assert forms.replace("ww", "w").count("sw") == 1
    assert forms.endswith("s")
    assert paid < 100 + 2 * (5 + 6) + 10


@pytest.mark.parametrize("quiet", range(1, 60))
def test_no_rhythm_costs_much_more_than_whole_snapshots(quiet: int) -> None:
    """Whatever the number of quiet checkpoints between two busy ones, or busy ones between quiet ones."""
    for busy in (1, 2, 5, 20):
        changes = ([0.001] * quiet + [1.0] * busy) * 200
        assert cost(changes)[0] < 1.5 * len(changes)


def test_what_few_tasks_reach_may_be_much() -> None:
    """Where few tasks run but reach most of the state, segments are tried less and less often."""
    paid, forms = cost([0.01] * 10_000, actual=lambda _: 1.0)
    assert paid < 1.2 * 10_000
    assert forms.count("ws") < 200


def test_random_programs_pay_no_more_than_half_as_much_again() -> None:
    """For random sequences of phases, against the cheaper one of always whole."""
    for seed in range(200):
        draw = random.Random(seed)
        changes: list[float] = []
        for _ in range(100):
            changes += [draw.random() ** 4] * draw.randrange(1, 60)
        assert cost(changes)[0] < 1.5 * len(changes)
