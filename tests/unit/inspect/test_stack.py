"""What is seen of an instance can be kept, as any other value of a program."""

from __future__ import annotations

import pickle

from durable_import.api.inspection import EventView
from durable_import.inspect.lines import FunctionText, line_at
from durable_import.inspect.stack import FrameView, InstanceStack, TaskView
from durable_import.inspect.values import Description
from durable_import.inspect.waits import StepView, Wait
from durable_import.rewrite.analysis.places import Places, digests
from durable_import.snapshot.pickler import dumps
from durable_import.snapshot.references import References
from durable_import.snapshot.unpickler import loads
from durable_import.stores import Page

VALUE = Description("int", "7")
WAIT = Wait("the step pay(7)", step=StepView(VALUE, "shop.pay", "o-7/1/0/3", True))
FRAME = FrameView(
    "shop", "order", "order", "d", "body.0.value", "await", "shop.py", 3, "await pay(7)", {"n": VALUE}, False, FunctionText("x")
)
STACK = InstanceStack("o-7", 3, "running", (TaskView("main", "0", "pending", WAIT, (FRAME,)),), {"total": VALUE})


def test_views_are_values() -> None:
    """A program may keep a stack, or events, in its variables over a checkpoint."""
    for value in (STACK, EventView(1, "paid", VALUE)):
        assert loads(dumps(value, References())) == value


def test_like_a_traceback() -> None:
    """In lines that people know how to read."""
    assert str(STACK).splitlines() == [
        "instance o-7, running, checkpoint 3",
        "Task 'main' waits for the step pay(7) (key o-7/1/0/3):",
        '  File "shop.py", line 3, in order',
        "    await pay(7)",
        "      n = 7",
    ]


def test_pages_of_earlier_releases_are_read() -> None:
    """Pages were tuples once, and are made by the same call."""
    was = b"\x80\x05cdurable_import.stores.state\nPage\n]X\x01\x00\x00\x00c\x86\x81."
    for page in (pickle.loads(was), pickle.loads(pickle.dumps(Page([], "c"))), loads(dumps(Page([], "c"), References()))):
        assert (list(page), page.cursor, len(page)) == ([], "c", 0)


SOURCE = """\
    async def total(self):
        async with (
            self.lock,
            self.other as other,
        ):
            return [await price async for price in other]
"""


def test_lines_in_an_indented_text() -> None:
    """A method is kept as it stands in its class; a comprehension may only be found inside of it."""
    import ast

    found = {place: digest for digest, place in _places(ast.parse("if True:\n" + SOURCE)).items()}
    text = FunctionText(SOURCE, "shop.py", 40)
    for path, line in (("body.0.items.1", 43), ("body.0.body.0", 45)):
        at = line_at(found["total"], path, text)
        assert at is not None
        assert (at.number, at.within, at.text) == (line, line - 39, SOURCE.splitlines()[line - 40].strip())
    [inner] = [digest for place, digest in found.items() if "listcomp" in place]
    at = line_at(inner, "generators.0", FunctionText("[await price"), [text])
    assert at is not None
    assert at.number == 45
    assert line_at("another", "", text) is None


def _places(tree: object) -> dict[str, str]:
    places = Places(tree)  # type: ignore[arg-type]
    return {digest: places.path_of[node] for node, digest in digests(places.order).items()}
