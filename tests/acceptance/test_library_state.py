"""What rewritten libraries keep outside of frames is back after a kill, or told: dictionaries, counters, ids as keys, weak ones."""

from __future__ import annotations

import pytest

from tests.harness.processes import KILLED, Desk

KEEPER = """
    {mark}
    import itertools
    import weakref
    from collections import Counter, defaultdict

    CONSTANTS = {{"one": 1}}
    REGISTRY = {{"first": [1]}}
    NESTED = {{"deep": {{"list": []}}}}
    COUNTS = Counter()
    GROUPS = defaultdict(list)
    NUMBERS = itertools.count(1)
    BY_ID = {{}}
    NOTES = weakref.WeakKeyDictionary()
    BY_NAME = weakref.WeakValueDictionary()
    KNOWN = weakref.WeakSet()
    total = 0

    class Box:
        made = 0
        kinds = {{}}

        def __init__(self, name):
            global total
            total += 1
            Box.made += 1
            self.kinds[name] = next(NUMBERS)
            self.name = name

    class Settings:
        pass

    SETTINGS = Settings()

    def keep(box):
        REGISTRY[box.name] = [box.name]
        NESTED["deep"]["list"].append(box.name)
        COUNTS[box.name] += 2
        GROUPS["all"].append(box.name)
        BY_ID[id(box)] = box.name
        NOTES[box] = [box.name]
        BY_NAME[box.name] = box
        KNOWN.add(box)
        SETTINGS.last = box.name

    def seen(box):
        return [
            CONSTANTS, REGISTRY, NESTED, sorted(COUNTS.items()), dict(GROUPS), BY_ID.get(id(box)), NOTES.get(box),
            BY_NAME.get(box.name) is box, box in KNOWN, len(NOTES), SETTINGS.last, total, Box.made, Box.kinds,
        ]
"""

PROGRAM = """
    # durable: on
    import asyncio

    import durable_import

    durable_import.install(modules=["keeper", "keeper.*"])

    import keeper
    from world import effect

    async def main():
        boxes = []
        for number in range(4):
            boxes.append(keeper.Box(f"box {number}"))
            keeper.keep(boxes[-1])
            await effect(number)
            for box in boxes:
                print(keeper.seen(box))
        if len(boxes) > 2:
            del boxes[0]
        await effect("last")
        print(keeper.seen(boxes[0]), [*keeper.BY_NAME])

    asyncio.run(main())
"""


@pytest.mark.parametrize("mark", ["# a library", "# durable: on"])
def test_state_of_a_library(desk: Desk, mark: str) -> None:
    """A library keeps what it has noted of the program's objects, over several kills."""
    desk.write("keeper.py", KEEPER.format(mark=mark))
    desk.write("shop.py", PROGRAM)
    expected = desk.native("shop.py")
    assert expected.status == 0, expected
    (desk.folder / "effects").unlink()
    printed = ""
    for kill in (1, 2, 3, None):
        ended = desk.run("shop.py", kill_at=kill)
        assert ended.status == (0 if kill is None else KILLED), ended
        assert ended.err == "", ended
        printed += ended.out
    assert [line for line in expected.out.splitlines() if line not in printed] == []
