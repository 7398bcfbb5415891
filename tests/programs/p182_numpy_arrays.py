# durable: on
# needs: numpy
"""NumPy arrays, dtypes, scalars, generators and boolean masks survive."""
import asyncio
import numpy as np

from world import effect


async def main():
    grid = np.arange(12).reshape(3, 4)
    same = grid
    column = grid[:, 1].copy()
    rng = np.random.default_rng(7)
    records = np.array([("a", 1.5), ("b", 2.5)], dtype=[("name", "U3"), ("value", "f8")])
    scalar = np.float32(0.1)
    objects = np.array([[1], None, "x"], dtype=object)
    before = rng.integers(0, 100, 3).tolist()
    await effect("made")
    grid[0, 0] = await effect("corner", 99)
    after = rng.integers(0, 100, 3).tolist()
    mask = grid % 2 == 0
    await effect("masked")
    for row in grid:
        column += await effect(f"row {row[0]}", int(row.sum()))
    records["value"] *= 2
    await effect("held")
    return [
        grid.tolist(),
        same is grid,
        column.tolist(),
        before,
        after,
        int(mask.sum()),
        records["value"].tolist(),
        str(records.dtype),
        type(scalar).__name__,
        float(scalar),
        objects[0] == [1] and objects.dtype.kind,
        bool(np.isnan(np.array([np.nan]))[0]),
    ]


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
