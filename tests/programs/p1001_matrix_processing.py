# durable: on
"""Matrices are multiplied, inverted with fractions and searched for a path, with awaits in the inner loops."""
import asyncio
from fractions import Fraction

from world import effect


async def multiply(a, b):
    result = [[0] * len(b[0]) for _ in a]
    for i, row in enumerate(a):
        for j, column in enumerate(zip(*b)):
            for x, y in zip(row, column):
                result[i][j] += x * y
            if j == 1:
                result[i][j] += await effect(f"cell {i} {j}", 0)
    return result


async def solve(matrix, vector):
    rows = [[Fraction(x) for x in row] + [Fraction(v)] for row, v in zip(matrix, vector, strict=True)]
    n = len(rows)
    for k in range(n):
        pivot = max(range(k, n), key=lambda r: abs(rows[r][k]))
        rows[k], rows[pivot] = rows[pivot], rows[k]
        for i in range(n):
            if i != k and (factor := rows[i][k] / await effect(f"pivot {k} {i}", rows[k][k])):
                rows[i] = [x - factor * y for x, y in zip(rows[i], rows[k])]
    return [row[-1] / row[i] for i, row in enumerate(rows)]


async def main():
    a, b = [[1, 2], [3, 4], [5, 6]], [[1, 0, 2], [0, 1, 3]]
    product = await multiply(a, b)
    transposed = [list(r) for r in zip(*product)]
    await effect("product")
    solution = await solve([[2, 1, -1], [-3, -1, 2], [-2, 1, 2]], [8, -11, -3])
    return product, transposed, solution


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
