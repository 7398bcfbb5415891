# durable: on
"""A glider moves over a torus of sets, one await per generation, with a history that detects cycles."""
import asyncio
import itertools

from world import effect


class Board:
    def __init__(self, cells, size):
        self.cells = frozenset(cells)
        self.size = size

    def around(self, cell):
        x, y = cell
        for dx, dy in itertools.product((-1, 0, 1), repeat=2):
            if dx or dy:
                yield (x + dx) % self.size, (y + dy) % self.size

    async def next(self, generation):
        counts = {}
        for cell in sorted(self.cells):
            for other in self.around(cell):
                counts[other] = counts.get(other, 0) + 1
        await effect(f"generation {generation}")
        alive = {cell for cell, n in counts.items() if n == 3 or (n == 2 and cell in self.cells)}
        return Board(alive, self.size)

    def __str__(self):
        return "/".join("".join(".#"[(x, y) in self.cells] for x in range(self.size)) for y in range(self.size))


async def main():
    glider = Board([(1, 0), (2, 1), (0, 2), (1, 2), (2, 2)], 5)
    seen, pictures = {glider.cells: 0}, [str(glider)]
    board = glider
    for generation in itertools.count(1):
        board = await board.next(generation)
        if board.cells in seen or generation == 8:
            break
        seen[board.cells] = generation
        pictures.append(str(board))
    blinker = Board([(1, 0), (1, 1), (1, 2)], 4)
    period = 0
    current = blinker
    while True:
        period += 1
        current = await current.next(f"b{period}")
        if current.cells == blinker.cells:
            break
    return pictures[:2], generation, len(seen), period, str(board), sorted(map(sorted, [blinker.cells, glider.cells]))


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
