# durable: on
"""Lambdas and functions made in comprehensions share the comprehension's own variable."""
import asyncio

from world import effect


async def main():
    out = []
    late = [lambda: i for i in range(3) if await effect(f"late{i}", True)]
    out.append([f() for f in late])
    early = [lambda j=j: j for j in range(3)]
    await effect("between")
    out.append([f() for f in early])
    factor = 10
    mixed = {k: (lambda y: y * factor + k) for k in "1" for k in (len(k), 5) if await effect(f"k{k}", k)}
    factor = 100
    out.append({k: f(1) for k, f in mixed.items()})

    def make():
        count = 0
        def step():
            nonlocal count
            count += 1
            return count
        return step

    steps = [make() for _ in range(2)]
    steps[0]()
    await effect("steps")
    out.append([s() for s in steps] + [s() for s in steps])
    nested = [[lambda: (a, b) for b in range(2)] for a in range(2) if await effect(f"row{a}", True)]
    out.append([[f() for f in row] for row in nested])
    i = "untouched"
    gen = (lambda: i for _ in range(1))
    await effect("last")
    out.append(next(gen)())
    return out, late[0] is late[0], [f.__name__ for f in late]


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
