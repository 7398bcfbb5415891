"""Graphs of objects that are nested more deeply than the stack of C allows."""

from __future__ import annotations

from tests.harness.processes import KILLED, Desk

CHAIN = """
    # durable: on
    import asyncio
    from world import effect

    class Node:
        def __init__(self, number, following):
            self.number, self.following = number, following

    async def main():
        head = None
        for number in range(20_000):
            head = Node(number, head)
        await effect("first")
        await effect("second")
        numbers = []
        while head is not None:
            numbers.append(head.number)
            head = head.following
        print(len(numbers), numbers == sorted(numbers, reverse=True))

    asyncio.run(main())
"""
ENDLESS = """
    # durable: on
    import asyncio
    from world import effect

    class Odd:
        def __reduce__(self):
            return type, (self,)

    async def main():
        held = {"deep": [Odd()]}
        await effect("first")
        print(len(held))

    asyncio.run(main())
"""


def test_a_chain_of_objects(desk: Desk) -> None:
    """It is saved, and there again after a kill."""
    desk.write("chain.py", CHAIN)
    assert desk.run("chain.py", kill_at=2).status == KILLED
    ended = desk.run("chain.py")
    assert (ended.status, ended.out) == (0, "20000 True\n"), ended
    assert desk.effects == ["first", "second", "second"]


def test_an_object_whose_parts_lead_back_to_it_without_end(desk: Desk) -> None:
    """It is told, with the way to it; the program goes on."""
    desk.write("odd.py", ENDLESS)
    ended = desk.run("odd.py")
    assert (ended.status, ended.out) == (0, "1\n"), ended
    assert "`held['deep'][0]`" in ended.said
    assert "what __main__.Odd.__reduce__ gives leads back to the object itself" in ended.said
