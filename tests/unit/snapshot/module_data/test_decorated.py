"""What decorators captured, where they no longer stand over the function: kept, or said to be gone."""

from __future__ import annotations

import pytest

from tests.harness.deploys import deployed, natively
from tests.harness.edit_tables import HEAD

PROGRAM = """
import sys

def guarded(times):
    held, least = HELD, min
    def decorate(function):
        async def wrapper(*arguments):
            await effect("w")
            return least(times, 9) if held else 0, await function(*arguments)
        return wrapper
    return decorate

@guarded(3)
async def charge(n):
    await effect(f"a{n}")
    return n

async def main():
    return await charge(1)
"""


def edited(held: str) -> tuple[dict[str, str], dict[str, str]]:
    """The program with a held, and without its decorator."""
    then = HEAD + PROGRAM.replace("HELD", held)
    return {"program": then}, {"program": then.replace("@guarded(3)\n", "")}


@pytest.mark.parametrize("policy", ["pin", "move"])
def test_what_was_captured_goes_on_with_the_wrapper(policy: str) -> None:
    """A number, functions and an object of the program are kept with the state."""
    then, today = edited("contextlib.nullcontext()")
    assert natively(then) == "w a1 -> (3, 1)"
    assert deployed(then, today, 1, policy, is_script=True) == "w | a1 -> (3, 1)"  # type: ignore[arg-type]


def test_what_could_not_be_saved_is_told() -> None:
    """A frame is there for who makes the wrapper; without the decorator there is none, and nothing goes on without it."""
    then, today = edited("sys._getframe(1)")
    assert natively(then) == "w a1 -> (3, 1)"
    said = deployed(then, today, 1, "pin", is_script=True)
    assert said is not None
    assert said.startswith("w | NO"), said
