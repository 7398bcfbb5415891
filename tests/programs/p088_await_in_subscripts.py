# durable: on
"""Awaits in subscripts, slices, attribute chains, comparisons, unary and matrix operators."""
import asyncio

from world import effect


class Matrix:
    def __init__(self, name):
        self.name = name

    def __matmul__(self, other):
        return Matrix(f"({self.name}@{other.name})")

    def __imatmul__(self, other):
        self.name += f"@={other.name}"
        return self

    def __getitem__(self, key):
        return f"{self.name}{key}"

    def __contains__(self, item):
        return [item]

    def __invert__(self):
        return Matrix("~" + self.name)

    def __call__(self):
        return self


async def main():
    data = {"a": [[1, 2], [3, 4]], "b": {"c": "deep"}}
    out = [data["a"][await effect("i", 1)][await effect("j", 0)]]
    out.append((await effect("dict", data))["b"][(await effect("keys", ["c"]))[0]].upper()[::await effect("step", -1)])
    m, n = Matrix("m"), Matrix("n")
    alias = m
    m @= await effect("imatmul", n)
    out.append((m is alias, (~(await effect("inv", n))()).name))
    out.append((n[await effect("tuple", 1), ..., 2:3], n[:], n[(lambda: 0)():]))
    out.append((await effect("in", 5) in n, 5 not in n, not await effect("not", 0) in (0,)))
    out.append(-await effect("neg", 2) ** 2 + +await effect("pos", 3) % 2)
    out.append([await effect("shift", 1) << 3 | 1 & 5 ^ 2 >> 1, 7 // 2 % 3])
    out.append(await (await effect("coroutine function", chain))("x"))
    return out


async def chain(x):
    return x + (await effect("chain"  "ed", "y"))


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
