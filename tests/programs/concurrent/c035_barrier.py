# durable: on
"""Cells of a row are computed in rounds that a barrier keeps in step; a barrier is aborted and reset."""
import asyncio

from world import effect


class Row:
    def __init__(self, cells):
        self.cells = list(cells)
        self.next = list(cells)
        self.barrier = asyncio.Barrier(len(cells))
        self.history = ["".join(cells)]
        self.leaders = []

    async def cell(self, n, rounds):
        """Rule 90: a cell lives if exactly one of its neighbours does."""
        size = len(self.cells)
        for turn in range(rounds):
            left, right = self.cells[n - 1], self.cells[(n + 1) % size]
            self.next[n] = "#" if (left == "#") != (right == "#") else "."
            position = await self.barrier.wait()
            if position == 0:
                self.cells = self.next[:]
                self.history.append("".join(self.cells))
                self.leaders.append(n)
                await effect(f"draw row {turn}")
            await self.barrier.wait()


async def rendezvous(barrier, who, log):
    try:
        async with barrier as position:
            log.append((who, "met", position))
    except asyncio.BrokenBarrierError:
        log.append((who, "broken"))


async def main():
    row = Row("...#...")
    await asyncio.gather(*(row.cell(n, 3) for n in range(7)))

    log = []
    barrier = asyncio.Barrier(3)
    waiting = [asyncio.create_task(rendezvous(barrier, who, log)) for who in ("ann", "bob")]
    await asyncio.sleep(0)
    state = barrier.parties, barrier.n_waiting, barrier.broken
    await barrier.abort()
    await asyncio.gather(*waiting)
    broken = barrier.broken
    await rendezvous(barrier, "cid", log)
    await barrier.reset()
    log.append("reset")
    await asyncio.gather(*(rendezvous(barrier, who, log) for who in ("dot", "eve", "fay")))

    lonely = asyncio.create_task(rendezvous(barrier, "gus", log))
    await asyncio.sleep(0)
    await barrier.reset()
    await lonely
    await effect("frame the picture")
    return row.history, len(row.leaders), state, broken, barrier.broken, log


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
