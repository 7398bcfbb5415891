# durable: on
"""Coroutines of code that is not rewritten are kept unstarted in containers over other awaits."""
import asyncio

from world import effect, fail


async def main():
    pending = [effect(f"later {n}", n) for n in range(3)]
    table = {"x": effect("table", "tx")}
    await effect("now")
    out = []
    while pending:
        out.append(await pending.pop())
    out.append(await table["x"])
    bad = fail("bad", ValueError("kept"))
    await effect("before bad")
    try:
        await bad
    except ValueError as error:
        out.append(str(error))
    return out


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
