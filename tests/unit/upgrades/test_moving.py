"""A table of edits of functions in flight: where a frame goes on, or what is in the way."""

from __future__ import annotations

import pytest

from durable_import.upgrades.plan import CannotMoveError
from tests.unit.upgrades.edits import moved

LOOP = """
async def main(rows):
    total = 0
    for row in rows:
        await charge(row)
        total += 100 // row
    return total
"""
HAS = {"rows", "row", "total"}
TRY = """
async def main(x):
    try:
        await f(x)
    finally:
        await close(x)
"""
WITH = """
async def main(x):
    async with client(x) as c:
        await c.get(x)
"""
BRANCH = """
async def main(x):
    if x:
        await f(1)
    else:
        await f(2)
"""
EQUAL = """
async def main(x):
    await f(x)
    await f(x)
"""
HELD = """
async def main(x):
    return g(x) + await f(x)
"""


def body(*lines: str) -> str:
    """A function ``main`` of ``x``."""
    return "\n".join(["async def main(x):", *(f"    {line}" for line in lines)])


# Old text, new text, the line where it waits, its variables, the line where it goes on: with why.
MOVES = [
    # The line after the await was mended: nothing before it matters.
    (LOOP, LOOP.replace("100 // row", "row"), "charge", HAS, "await charge(row)"),
    # Arguments are of the call in flight, which is made as it was; the callee is the same.
    (LOOP, LOOP.replace("charge(row)", "charge(row, 1)"), "charge", HAS, "await charge(row, 1)"),
    # A statement before has run in its old form; the new one only differs in what has been.
    (LOOP, LOOP.replace("total = 0", "total = 1"), "charge", HAS, "await charge(row)"),
    # Another await behind it in the loop: it is reached from here.
    (LOOP, LOOP.replace("total += 100 // row", "await log(row)"), "charge", HAS, "await charge(row)"),
    # Another await before it in the loop: it was not called for this row.
    (LOOP, LOOP.replace("await charge", "await log(row)\n        await charge"), "charge", HAS, "await charge(row)"),
    # A branch around the only such await: the way was taken.
    (LOOP, LOOP.replace("await charge(row)", "if row: await charge(row)"), "charge", HAS, "if row: await charge(row)"),
    # A variable that is assigned after the place, before it is read.
    (LOOP, LOOP.replace("return total", "extra = 1\n    return total + extra"), "charge", HAS, "await charge(row)"),
    # What the new code does not read may be anything.
    (LOOP, LOOP.replace("total += 100 // row", "pass").replace("return total", "return 1"), "charge", HAS, "await charge(row)"),
    # `try` around the failing line.
    (body("await f(x)"), body("try:", "    await f(x)", "except ValueError:", "    pass"), "f(", {"x"}, "await f(x)"),
    # `try` taken away around the body.
    (body("try:", "    await f(x)", "except ValueError:", "    pass"), body("await f(x)"), "f(", {"x"}, "await f(x)"),
    # A `finally` added around the body: nothing is on its way out.
    (body("await f(x)"), TRY, "f(", {"x"}, "await f(x)"),
    # What `finally` does may change while the body is awaited.
    (TRY, TRY.replace("close(x)", "leave(x)"), "f(", {"x"}, "await f(x)"),
    # In the `finally`: another statement behind.
    (TRY, TRY + "        x = 1\n", "close(", {"x"}, "await close(x)"),
    # In a `with`: what is done with the object may change behind it.
    (WITH, WITH + "        await c.put(x)\n", "c.get", {"x", "c"}, "await c.get(x)"),
    # Something before the `with`: the block is the same one.
    (WITH, WITH.replace("    async with", "    y = 1\n    async with"), "c.get", {"x", "c"}, "await c.get(x)"),
    # Entering: the same manager is entered.
    (WITH, WITH.replace("c.get(x)", "c.put(x)"), "client", {"x"}, "async with client(x) as c:"),
    # Words tell which of two branches it was.
    (BRANCH, BRANCH + "    x = 1\n", "f(2)", {"x"}, "await f(2)"),
    # The first of two equal awaits is the first of two.
    (EQUAL, EQUAL + "    x = 1\n", "f(x)", {"x"}, "await f(x)"),
    # A held operand of the same text.
    (HELD, HELD.replace("await f(x)", "await f(x) * 2"), "await", {"x"}, "return g(x) + await f(x) * 2"),
    # The result goes to another variable.
    (body("y = await f(x)", "return y"), body("z = await f(x)", "return z"), "f(", {"x"}, "z = await f(x)"),
    # The same thread function.
    (body("await to_thread(f, x)"), body("await to_thread(f, x + 1)"), "f", {"x"}, "await to_thread(f, x + 1)"),
    # A parameter that is new has its default (given to the planner below).
    # The loop variable's test of a `while` is evaluated again.
    (body("while x:", "    await f(x)"), body("while x > 1:", "    await f(x)"), "f(", {"x"}, "await f(x)"),
    # The only such operand, in another place of its statement.
    (HELD, HELD.replace("await f(x)", "await f(x) - 1"), "await", {"x"}, "return g(x) + await f(x) - 1"),
    # A `try` around one of several calls, all of them as they were.
    (
        body("await f(1)", "await f(2)"),
        body("await f(1)", "try:", "    await f(2)", "finally:", "    x = 1"),
        "f(2)",
        {"x"},
        "await f(2)",
    ),
    # A statement that goes from one branch beside the place into the other.
    (
        body("if x:", "    await f(x)", "else:", "    g(x)"),
        body("if not x:", "    g(x)", "else:", "    await f(x)"),
        "f(",
        {"x"},
        "await f(x)",
    ),
    # What follows in a handler.
    (
        body("try: g()", "except A:", "    await f(x)"),
        body("try: g()", "except A:", "    await f(x)", "    raise"),
        "f(",
        {"x"},
        "await f(x)",
    ),
    # A name that both texts may leave unbound.
    (
        body("if x:", "    y = 1", "await f(x)", "if x: return y"),
        body("if x:", "    y = 1", "await f(x)", "if x: return y + 1"),
        "f(",
        {"x"},
        "await f(x)",
    ),
]

# Old text, new text, the line where it waits, its variables, words of the reason: with why.
REFUSED = [
    # Another function: what it gives is something else.
    (LOOP, LOOP.replace("charge(", "mail("), "charge", HAS, "nothing like it"),
    # The await is gone.
    (LOOP, LOOP.replace("await charge(row)", "pass"), "charge", HAS, "nothing like it"),
    # What is called in a thread is the callee.
    (body("await to_thread(f, x)"), body("await to_thread(g, x)"), "to_thread", {"x"}, "nothing like it"),
    (body("await wait_for(f(x), 1)"), body("await wait_for(g(x), 1)"), "wait_for", {"x"}, "nothing like it"),
    (body("await gather(f(x), g(x))"), body("await gather(f(x), h(x))"), "gather", {"x"}, "nothing like it"),
    (body("await loop.run_in_executor(None, f)"), body("await loop.run_in_executor(None, g)"), "run", {"x"}, "nothing like it"),
    (body("await shield(f(x))"), body("await shield(g(x))"), "shield", {"x"}, "nothing like it"),
    # A third equal await: which one is new?
    (EQUAL, EQUAL + "    await f(x)\n", "f(x)", {"x"}, "not certain"),
    # One of two equal awaits was taken away.
    (EQUAL, body("await f(x)"), "f(x)", {"x"}, "not certain"),
    # Two awaits changed places.
    (body("await f(x)", "await g(x)"), body("await g(x)", "await f(x)"), "f(", {"x"}, "not certain"),
    # The iterable is another one: the iterator is still of the old one.
    (LOOP, LOOP.replace("in rows", "in rows[1:]"), "charge", HAS, "block around it"),
    # The targets changed places.
    (
        body("for a, b in x:", "    await f(a)"),
        body("for b, a in x:", "    await f(a)"),
        "f(",
        {"x", "a", "b"},
        "block around it",
    ),
    # Out of the loop: how often?
    (body("for y in x:", "    await f(x)"), body("for y in x:", "    pass", "await f(x)"), "f(", {"x", "y"}, "block around it"),
    # Into a loop: there is no iterator.
    (body("await f(x)"), body("for y in x:", "    await f(x)"), "f(", {"x"}, "block around it"),
    # A split loop: `g` of the rows before would be called again.
    (
        body("for y in x:", "    await f(y)", "    await g(y)"),
        body("for y in x:", "    await f(y)", "for y in x:", "    await g(y)"),
        "f(",
        {"x", "y"},
        "a block around it",
    ),
    # Another manager.
    (WITH, WITH.replace("client(x)", "client(x, 1)"), "c.get", {"x", "c"}, "block around it"),
    # A manager that was not entered.
    (body("await f(x)"), body("async with c:", "    await f(x)"), "f(", {"x"}, "block around it"),
    # Branches that changed places, with equal awaits.
    (
        BRANCH.replace("f(2)", "f(1)"),
        BRANCH.replace("f(2)", "f(1)").replace("if x", "if not x"),
        "f(1)",
        {"x"},
        "a branch around it",
    ),
    # Handlers that changed places, with equal awaits.
    (
        body("try: g()", "except A:", "    await f(x)", "except B:", "    await f(x)"),
        body("try: g()", "except B:", "    await f(x)", "except A:", "    await f(x)"),
        "f(",
        {"x"},
        "block around it",
    ),
    # A `try` around a place in a `finally`: the way out is recorded in both.
    (
        TRY,
        "async def main(x):\n    try:\n"
        + "\n".join("    " + line for line in TRY.splitlines()[2:])
        + "\n    finally:\n        g()\n",
        "close(",
        {"x"},
        "cleaning up",
    ),
    # A held operand of another text: it has the value of the old one.
    (HELD, HELD.replace("g(x)", "h(x)"), "await", {"x"}, "computed already"),
    # A held operand that was not evaluated.
    (body("return await f(x)"), body("return g(x) + await f(x)"), "await", {"x"}, "the frame has not"),
    # A variable that was never assigned, and is read.
    (LOOP, LOOP.replace("total = 0", "total = count = 0").replace("100 //", "count //"), "charge", HAS, "'count'"),
    # A statement that was before the place: it would run twice.
    (body("g(x)", "await f(x)"), body("await f(x)", "g(x)"), "f(", {"x"}, "stood before it"),
    # One that was behind it: it would not run.
    (body("await f(x)", "g(x)"), body("g(x)", "await f(x)"), "f(", {"x"}, "stood behind it"),
    # One of two of the same words.
    (body("g(x)", "await f(x)", "g(x)"), body("await f(x)", "g(x)", "g(x)"), "f(", {"x"}, "stood before it"),
    # One that leaves the loop, which had it in every turn.
    (
        body("for y in x:", "    await f(y)", "    g(y)"),
        body("for y in x:", "    await f(y)", "for y in x:", "    g(y)"),
        "f(",
        {"x", "y"},
        "not in the same loops",
    ),
    # A new parameter without a default that is read.
    (body("await f(x)"), "async def main(x, y):\n    await f(x)\n    return y", "f(", {"x"}, "'y'"),
    # A local variable that became a global one.
    (body("y = 1", "await f(x)", "return y"), body("await f(x)", "return y"), "f(", {"x", "y"}, "'y'"),
    # A coroutine that became an asynchronous generator.
    (body("await f(x)"), body("await f(x)", "yield 1"), "f(", {"x"}, "generator"),
]


@pytest.mark.parametrize(("old", "new", "at", "has", "line"), MOVES)
def test_moves(old: str, new: str, at: str, has: set[str], line: str) -> None:
    """The place is the same in exactly one way."""
    assert moved(old, new, at, has) == line


@pytest.mark.parametrize(("old", "new", "at", "has", "reason"), REFUSED)
def test_refused(old: str, new: str, at: str, has: set[str], reason: str) -> None:
    """Something is in the way, and both texts are shown."""
    with pytest.raises(CannotMoveError, match=reason) as refusal:
        moved(old, new, at, has)
    assert refusal.value.then


def test_a_new_parameter_has_its_default() -> None:
    """It is as if the call had left it out."""
    new = "async def main(x, y=1):\n    await f(x)\n    return y"
    assert moved(body("await f(x)"), new, "f(", {"x"}, defaults=("y",)) == "await f(x)"


def test_leaving_a_block() -> None:
    """A frame in ``__aexit__`` goes on in it."""
    assert (
        moved(WITH, WITH.replace("c.get(x)", "c.get(x + 1)"), "client", {"x", "c"}, role="aexit") == "async with client(x) as c:"
    )
