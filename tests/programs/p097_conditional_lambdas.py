# durable: on
"""Lambdas and nested functions in defaults, conditions, returns and containers, called after awaits."""
import asyncio

from world import effect


def compose(*functions):
    def composed(x):
        for f in functions:
            x = f(x)
        return x
    return composed


async def make(kind):
    offset = await effect(f"offset-{kind}", {"add": 3, "mul": 4}.get(kind, 0))
    if kind == "add":
        return lambda x, *, o=offset: x + o
    elif kind == "mul":
        def multiply(x):
            return x * offset
        offset += 1
        return multiply
    return (lambda: lambda x: (x, offset, kind))()


async def main():
    functions = [await make(kind) for kind in ("add", "mul", "tag")]
    await effect("made")
    out = [compose(*functions)(1), [f.__name__ for f in functions]]
    chosen = (lambda: "yes") if await effect("choose", False) else (lambda: "no")
    table = {"f": lambda s, n=len(out): s * n, **{k: lambda k=k: k for k in "xy"}}
    await effect("table")
    out.append((chosen(), table["f"]("ab"), table["x"](), table["y"]()))
    count = 0

    def bump(by=lambda: 1):
        nonlocal count
        count += by()
        return count

    y = lambda f: (lambda x: x(x))(lambda x: f(lambda v: x(x)(v)))
    factorial = y(lambda self: lambda n: 1 if n < 2 else n * self(n - 1))
    await effect("combinator")
    out.append((factorial(6), bump(), bump(lambda: 10), count))
    bump.calls = await effect("attribute", [])
    bump.calls.append(bump)
    await effect("self reference")
    out.append((bump.calls[0] is bump, bump(by=lambda: count)))
    gen = (lambda n: (yield n) or (yield n + 1))(5)
    out.append(next(gen))
    await effect("generator lambda")
    out.append((gen.send(0), [*gen]))
    return out


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
