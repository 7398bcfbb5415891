# durable: on
"""An exception caught earlier is raised again later, many awaits on, from another function."""
import asyncio

from world import effect


async def risky(n):
    await effect(f"risky {n}")
    if n % 2:
        raise ValueError(f"odd {n}")
    return n


async def run_all(ns):
    results = []
    for n in ns:
        try:
            results.append(("ok", await risky(n)))
        except ValueError as error:
            results.append(("error", error))
    return results


async def unwrap(pair):
    kind, value = pair
    await effect(f"unwrap {kind}")
    if kind == "error":
        raise value
    return value


async def main():
    results = await run_all([2, 3, 4, 5])
    out = []
    for pair in results:
        try:
            out.append(await unwrap(pair))
        except ValueError as error:
            await effect("caught")
            out.append((error is pair[1], str(error), error.__context__ is None))
    return out


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
