# durable: on
"""Tasks share a list, a dict, an object, a closure cell and each other's results; identity is kept."""
import asyncio

from world import effect


class Board:
    def __init__(self):
        self.cells = {}
        self.me = self


def counter():
    total = 0

    async def add(n):
        nonlocal total
        before = total
        total += n
        await asyncio.sleep(0)
        return before

    def read():
        return total

    return add, read


async def player(name, board, moves, row, add):
    row.append(name)
    board.cells[name] = moves
    mark = await effect(f"mark of {name}", [name[0]])
    moves.append(mark)
    await add(len(name))
    return {"board": board, "moves": moves, "row": row, "mark": mark}


async def looker(board, row, expected):
    while len(row) < expected:
        await asyncio.sleep(0)
    return board.cells


async def main():
    board, row, shared_moves = Board(), [], []
    add, read = counter()
    own_moves = []
    ann = asyncio.create_task(player("ann", board, shared_moves, row, add))
    bob = asyncio.create_task(player("bob", board, shared_moves, row, add))
    cid = asyncio.create_task(player("cid", board, own_moves, row, add))
    cells = await asyncio.create_task(looker(board, row, 3))
    results = await asyncio.gather(ann, bob, cid)
    first, second, third = results

    identity = [
        first["board"] is second["board"] is third["board"] is board is board.me,
        first["moves"] is second["moves"] is shared_moves is board.cells["ann"] is cells["bob"],
        third["moves"] is own_moves is board.cells["cid"],
        third["moves"] is not shared_moves,
        all(r["row"] is row for r in results),
        ann.result() is first and results[1] is bob.result(),
        any(mark is first["mark"] for mark in shared_moves),
        third["mark"] is own_moves[0],
        cells is board.cells,
    ]
    befores = await asyncio.gather(add(10), add(100), add(1000))
    await effect("end")
    return identity, row, sorted(shared_moves), own_moves, befores, read()


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
