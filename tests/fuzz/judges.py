"""What is wrong with a random program: how its runs differ from native ones."""

from __future__ import annotations

import importlib
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from .changes import judge_changed
from .concurrency import HEADER
from .edits import judge_moved, judge_pinned
from .native import Outcome, observed, run_native, turns_of_effects

#: A mode's judgement of one program: what is wrong with it, or an empty string.
Judge = Callable[[str], str]

#: The programs that were refused at import: their blocks are nested too deeply.
REFUSED: list[str] = []

TIME_LIMIT = 20.0  # seconds of the processor for one run of a program of many tasks
PATIENCE = 5  # how many times that it may take, waiting included

#: About how often a program of one task is replaced by a restored one, at equal distances; 0: at every checkpoint. Nearly all
#: programs have fewer checkpoints; the few that have hundreds say little more by being replaced at each.
REPLACED = int(os.environ.get("FUZZ_REPLACED", "60"))


class TimeIsUp(KeyboardInterrupt):
    """A run takes too long. Tasks let it through, whatever their program catches."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise TimeIsUp in the block when it computes for longer, or waits very long; again and again if it is caught there."""

    def raise_it(signal_number: int, frame: Any) -> None:  # noqa: ARG001
        raise TimeIsUp(f"took more than {seconds:g} s")

    timers = ((signal.SIGALRM, signal.ITIMER_REAL, seconds * PATIENCE), (signal.SIGPROF, signal.ITIMER_PROF, seconds))
    before = [signal.signal(number, raise_it) for number, _, _ in timers]
    for _, timer, limit in timers:
        signal.setitimer(timer, limit, 0.5)
    try:
        yield
    finally:
        for (number, timer, _), handler in zip(timers, before, strict=True):
            signal.setitimer(timer, 0)
            signal.signal(number, handler)


def settings(text: str) -> tuple[str, int]:
    """The kind of a program, and at each of how many checkpoints it is to be replaced."""
    found = HEADER.search(text)
    return (found[1], int(found[2])) if found else ("one", 1)


def run(make: Callable[[], str], kind: str) -> Outcome:
    """An outcome; what cannot be compared is left out of it: the order, and the number, of effects of different tasks."""
    if kind == "one":
        return observed(make)
    outcome = None
    try:
        with time_limit(TIME_LIMIT):
            outcome = observed(make)
    except TimeIsUp as error:
        return outcome or Outcome("escaped", (), (f"escaped: {error}",))
    return Outcome(outcome.result, tuple(sorted(set(outcome.effects))), outcome.complaints)


def distance(effects: int) -> int:
    """At each of how many checkpoints a program of one task that has so many effects is to be replaced."""
    return max(1, effects // REPLACED) if REPLACED else 1


def natively(text: str, kind: str) -> Outcome:
    return run(lambda: run_native(text), kind)


def judge_native(text: str) -> str:
    """Two runs are the same, without complaints; in programs of many tasks with effects of other lengths."""
    kind, _ = settings(text)
    first = natively(text, kind)
    with turns_of_effects(lambda name: sum(map(ord, name)) % 4 if kind == "steps" else 1):
        second = natively(text, kind)
    if first.complaints:
        return "; ".join(first.complaints)
    if first.result != second.result:
        return "two native runs: " + difference(first.result, second.result)
    return "" if first == second else f"two native runs differ: {first} and {second}"


def judge_by(name: str, **options: Any) -> Judge:
    """Compares with a function of `tests.harness.torture`, which takes the text of a program and gives the repr of its
    result: result, effects in order, and no complaints (warnings and unraisable errors).
    """
    make = getattr(importlib.import_module("tests.harness.torture"), name)

    def given(kind: str, every: int, native: Outcome) -> dict[str, Any]:
        if "forms" in options:
            return {**options, "every": every}
        if name == "hard_torture" and kind == "one":
            return {**options, "every": distance(len(native.effects))}
        return options

    def judge(text: str) -> str:
        kind, every = settings(text)
        native = natively(text, kind)
        settled = given(kind, every, native)
        durable = run(lambda: make(text, "<program>", **settled), kind)
        if any(line.startswith("escaped: UnsupportedSyntaxError") for line in durable.complaints):
            REFUSED.append(text)
            return ""
        if durable.complaints:
            return "; ".join(durable.complaints)
        if durable.result != native.result:
            return difference(native.result, durable.result)
        return "" if durable == native else "effects: " + difference(repr(native.effects), repr(durable.effects))

    return judge


def difference(native: str, durable: str) -> str:
    shorter = min(len(native), len(durable))
    at = next((i for i in range(shorter) if native[i] != durable[i]), shorter)
    start = max(at - 60, 0)
    return f"differs at {at}: native ...{native[start : at + 60]!r}, durable ...{durable[start : at + 60]!r}"


JUDGES: dict[str, Callable[[], Judge]] = {
    "native": lambda: judge_native,
    "rewritten": lambda: judge_by("rewritten"),
    "plain": lambda: judge_by("rewritten", plain=True),
    "torture": lambda: judge_by("hard_torture"),
    "exchanged": lambda: judge_by("hard_torture", plain=True),
    "changed": lambda: judge_changed,
    "moved": lambda: judge_moved,
    "pinned": lambda: judge_pinned,
    "segments": lambda: judge_by("hard_torture", forms="ssws"),
}
