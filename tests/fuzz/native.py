"""Runs the text of a program in this process, natively, and says what it gave and what it did.

The module `world` is the programs' only import beyond the standard library; here it is replaced by one that keeps the
effects in a list, so that a run touches no file.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
import types
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.harness.garbage import only_new_garbage


@dataclass(frozen=True)
class Outcome:
    """What a native run gave: the repr of the result, the names of the effects in order, and complaints."""

    result: str
    effects: tuple[str, ...]
    complaints: tuple[str, ...] = ()


def run_native(text: str) -> str:
    """The repr of what `main()` of the program gives natively."""
    return repr(asyncio.run(fresh_main(text)()))


def observed(run: Callable[[], str]) -> Outcome:
    """The outcome of a run. A complaint is a warning, an unraisable error or an error (or cancellation) that escaped."""
    with replaced_world() as effects, complaints() as heard, only_new_garbage():
        try:
            result = run()
        except (Exception, asyncio.CancelledError) as error:
            heard.append(f"escaped: {type(error).__name__}: {error}")
            result = "escaped"
        gc.collect()
        return Outcome(result, tuple(effects), tuple(heard))


def fresh_main(text: str) -> Any:
    module = types.ModuleType("program")
    exec(compile(text, "<program>", "exec"), module.__dict__)
    return module.main


EFFECTS: list[str] = []
Turns = Callable[[str], int]
TURNS: list[Turns] = [lambda name: 1]  # noqa: ARG005


@contextmanager
def turns_of_effects(turns: Turns) -> Iterator[None]:
    """How many turns of the event loop effects take meanwhile."""
    TURNS.append(turns)
    try:
        yield
    finally:
        TURNS.pop()


async def pass_turns(name: str) -> None:
    for _ in range(TURNS[-1](name)):
        await asyncio.sleep(0)


async def effect(name: str, value: Any = None) -> Any:
    """As in `world`, but the effect is noted in this process only."""
    EFFECTS.append(name)
    await pass_turns(name)
    return value


async def fail(name: str, exc: BaseException) -> None:
    """As in `world`, but the effect is noted in this process only."""
    EFFECTS.append(name)
    await pass_turns(name)
    raise exc


@contextmanager
def replaced_world() -> Iterator[list[str]]:
    """Let `import world` give the functions above; yields the effects that happen meanwhile."""
    world = types.ModuleType("world")
    world.__dict__.update(effect=effect, fail=fail)
    before = sys.modules.get("world")
    sys.modules["world"] = world
    EFFECTS.clear()
    try:
        yield EFFECTS
    finally:
        del sys.modules["world"]
        if before is not None:
            sys.modules["world"] = before


@contextmanager
def complaints() -> Iterator[list[str]]:
    """Collect warnings, asyncio's included, and errors that Python can only report."""
    heard: list[str] = []
    before = sys.unraisablehook
    sys.unraisablehook = lambda report: heard.append(f"unraisable: {report.exc_value!r} in {report.object!r}")
    logger, handler = logging.getLogger("asyncio"), logging.Handler(logging.WARNING)
    handler.addFilter(lambda record: "was never retrieved" not in record.getMessage())  # programs may not care
    handler.emit = lambda record: heard.append(f"logged: {record.getMessage()}")  # type: ignore[method-assign]
    propagates, logger.propagate = logger.propagate, False
    logger.addHandler(handler)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield heard
        # The programs may say `0 == ...` or call a literal's method: warnings of the compiler are no fault of a run.
        heard += [str(item.message) for item in caught if not issubclass(item.category, SyntaxWarning)]
    finally:
        sys.unraisablehook = before
        logger.removeHandler(handler)
        logger.propagate = propagates
