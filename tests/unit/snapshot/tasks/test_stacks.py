"""Which frames are pickled once only."""

from __future__ import annotations

import pytest

from durable_import.snapshot.tasks.stacks import Stacks, Unchanged
from tests.harness.torture import hard_torture, native

DEEP = """
from tests.unit.snapshot.tasks.test_stacks import number_of

async def count(times):
    total = 0
    for _ in range(times):
        total += await number_of(1)
    return total

async def below(depth, kept):
    text, size = f"frame {depth}", depth * 0.5
    found = await (below(depth - 1, kept) if depth else count(6))
    return found, text, size, len(str(kept))

async def main():
    return await below(5, KEPT)
"""
CAPTURED = """
from tests.unit.snapshot.tasks.test_stacks import number_of

async def below(count):
    for _ in range(6):
        count(await number_of(1))

async def main():
    total = 0
    def count(number):
        nonlocal total
        total += number
    await below(count)
    return total
"""


async def number_of(value: int) -> int:
    """A step: this module is not rewritten."""
    return value


@pytest.fixture
def met(monkeypatch: pytest.MonkeyPatch) -> list[Unchanged]:
    """The frames that were not pickled again."""
    found: list[Unchanged] = []
    end = Stacks.end

    def noted_end(stacks: Stacks) -> None:
        found.extend(met for met in stacks.met.values() if isinstance(met, Unchanged))
        end(stacks)

    monkeypatch.setattr(Stacks, "end", noted_end)
    return found


KEPT_ONCE = ["None", "'text'", "(1, ('a', None))"]


@pytest.mark.parametrize("every", [1000, 4])
@pytest.mark.parametrize("kept", [*KEPT_ONCE, "[1]", "(1, [])", "tuple(range(99))", "'long ' * 1000", "float('nan')"])
def test_frames_with_immutable_variables(kept: str, every: int, met: list[Unchanged]) -> None:
    """Frames whose variables are small immutable values are pickled once; all others each time."""
    source = DEEP.replace("KEPT", kept)
    assert hard_torture(source, every=every) == native(source)
    again = [each.info.place for each in met if each.info.place.startswith("below")]
    assert len(again) >= 5 * 4 if kept in KEPT_ONCE else not again


def test_frames_with_captured_variables(met: list[Unchanged]) -> None:
    """Another function may rebind the variables: such a frame is pickled each time."""
    assert hard_torture(CAPTURED, every=1000) == native(CAPTURED) == "6"
    assert not met
