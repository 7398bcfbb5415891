# durable: on
# needs: numpy
"""Two arrays that share memory, a transposed view and a slice, still share it after an await."""
import asyncio
import numpy as np

from world import effect


async def main():
    grid = np.zeros((2, 3), dtype=int)
    row, flipped = grid[0], grid.T
    await effect("made")
    row[1] = await effect("one", 5)
    flipped[2, 1] = await effect("two", 7)
    await effect("held")
    return grid.tolist(), row.tolist(), flipped.tolist()


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
