"""The variables of a comprehension are its own, also once the function around it was restored."""

from __future__ import annotations

import pytest

from tests.fuzz.native import replaced_world
from tests.harness.torture import hard_torture, native

PROGRAM = """
from world import effect

class Holder:
    async def run(self, x, __y):
        seen = lambda: (x, __y)
        await effect('before')
        made = {comprehension}
        await effect('after')
        return x, __y, seen(), [function() for function in made]

def around(z):
    async def inside():
        await effect('inside')
        made = [lambda: z for z in [5, 6]]
        return z, made[0]()
    return inside

async def main():
    return await Holder().run(1, 2), await around(3)()
"""

#: Comprehensions that have variables of the names of variables around them, both of them captured.
COMPREHENSIONS = [
    "[lambda: x for x in [5, 6, x]]",
    "[lambda: __y for __y in [5, __y]]",
    "{(lambda: x): None for x in [5]}",
    "{lambda: (x, __y) for x, __y in [(7, 8)]}",
    "[f for fs in [[lambda: (x, k) for x in [5, x, k]] for k in [x, 9]] for f in fs]",
    "[f for fs in [[lambda: (x, k) for k in [5, x]] for x in [x, 9]] for f in fs]",
    "[lambda: list(g) for g in [(x + i for i in [1]) for x in [5, x]]]",
]


@pytest.mark.parametrize("comprehension", COMPREHENSIONS)
def test_captured_variables_stay_private(comprehension: str) -> None:
    """A captured variable hides one of its name that the function's other closures share, and leaves it as it was."""
    source = PROGRAM.replace("{comprehension}", comprehension)
    with replaced_world():
        assert hard_torture(source) == native(source)
