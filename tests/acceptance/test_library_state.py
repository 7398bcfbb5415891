"""What rewritten libraries keep outside of frames is back after a kill, or told: dictionaries, counters, ids, weak ones."""

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
        by_id = {{}}

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
        box.by_id[id(box)] = box
        NOTES[box] = [box.name]
        BY_NAME[box.name] = box
        KNOWN.add(box)
        SETTINGS.last = box.name

    def seen(box):
        return [
            CONSTANTS, REGISTRY, NESTED, sorted(COUNTS.items()), dict(GROUPS), BY_ID.get(id(box)), NOTES.get(box),
            box.by_id.get(id(box)) is box, BY_NAME.get(box.name) is box, box in KNOWN,
            len(NOTES), SETTINGS.last, total, Box.made, Box.kinds,
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
    for kill in (2, 4, 6, None):
        ended = desk.run("shop.py", kill_at=kill)
        assert ended.status == (0 if kill is None else KILLED), ended
        assert ended.err == "", ended
        printed += ended.out
    assert [line for line in expected.out.splitlines() if line not in printed] == []


LATE = """
    # durable: on
    import asyncio

    import durable_import

    durable_import.install(modules=["keeper"])

    from world import effect

    async def worker(number, boxes):
        import keeper
        boxes[number] = keeper.Box(f"box {number}")
        keeper.keep(boxes[number])
        await asyncio.sleep(0.05 * number)
        return keeper.BY_ID[id(boxes[number])], keeper.NOTES[boxes[number]]

    async def main():
        boxes = {}
        tasks = [asyncio.create_task(worker(number, boxes)) for number in range(40)]
        for number in range(4):
            await effect(number)
            print(await tasks[10 * number])
        print([await each for each in tasks])

    asyncio.run(main())
"""


@pytest.mark.slow
def test_library_that_is_imported_late(desk: Desk) -> None:
    """A library that the program imports while it runs keeps its state too, among many tasks."""
    desk.write("keeper.py", KEEPER.format(mark=""))
    desk.write("shop.py", LATE)
    expected = desk.native("shop.py")
    (desk.folder / "effects").unlink()
    for kill in (2, 4, None):
        ended = desk.run("shop.py", kill_at=kill)
        assert (ended.status, ended.err) == (0 if kill is None else KILLED, ""), ended
    assert expected.status == 0
    assert ended.out.splitlines()[-1] == expected.out.splitlines()[-1]


UNSAVABLE = """
    {mark}
    import mmap
    import weakref

    FIRST = {{"first": mmap.mmap(-1, 8)}}
    USED = {{}}
    NOTES = weakref.WeakKeyDictionary()

    class Cache:
        region = mmap.mmap(-1, 8)

    def fill(name):
        USED[name] = FIRST["first"], mmap.mmap(-1, 8)

    class Box:
        pass

    def note(box, note):
        NOTES[box] = note
"""

INSIDE = """
    {mark}
    STATE = {{"ids": {{}}}}
    NOTES = {{}}

    class Box:
        pass

    def fill(name):
        pass

    def note(box, note):
        STATE["ids"][id(box)] = note

    FIRST = {{"first": ()}}
"""

FILLING = """
    # durable: on
    import asyncio

    import durable_import

    durable_import.install(modules=["keeper"])

    import keeper
    from world import effect

    async def main():
        boxes = [keeper.Box(), keeper.Box()]
        keeper.note(boxes[0], "kept")
        keeper.note(boxes[1], keeper.FIRST["first"])
        for number in range(3):
            keeper.fill(number)
            await effect(number)
        print(*map(keeper.NOTES.get, boxes))

    asyncio.run(main())
"""


@pytest.mark.parametrize("mark", ["# a library", "# durable: on"])
def test_state_that_cannot_be_saved(desk: Desk, mark: str) -> None:
    """What cannot be saved is told once, with its place, if it is not as the module's own code has made it."""
    desk.write("keeper.py", UNSAVABLE.format(mark=mark))
    desk.write("shop.py", FILLING)
    ended = desk.run("shop.py", kill_at=3)
    assert ended.status == KILLED, ended
    told = sorted(ended.err.splitlines())
    assert len(told) == 2
    assert "keeper.py:6: what the program has put into USED of module keeper cannot be saved (TypeError: " in told[0]
    assert "keeper.py:7: what the program has put into NOTES of module keeper cannot be saved (TypeError: " in told[1]
    assert desk.run("shop.py").out == "kept None\n"


@pytest.mark.parametrize("mark", ["# a library", "# durable: on"])
def test_ids_inside_of_data(desk: Desk, mark: str) -> None:
    """A dictionary with ids as keys that is not itself a variable of a module is told once, with its place."""
    desk.write("keeper.py", INSIDE.format(mark=mark))
    desk.write("shop.py", FILLING)
    ended = desk.run("shop.py")
    assert ended.status == 0, ended
    (told,) = ended.err.splitlines()
    assert "keeper.py:2: a dictionary in STATE of module keeper has ids of objects as keys" in told
