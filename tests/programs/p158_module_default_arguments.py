# durable: on
"""A mutable default argument and an attribute of a module-level function keep what calls put into them."""
import asyncio

from world import effect


def remember(x, seen=[]):  # noqa: B006
    seen.append(x)
    remember.calls += 1
    return list(seen)


remember.calls = 0


async def collect(name, *, into=[]):  # noqa: B006
    into.append(await effect(name, name.upper()))
    return into


async def main():
    out = [remember("a")]
    await effect("a")
    out.append(remember("b"))
    first = await collect("b")
    await effect("c")
    second = await collect("d")
    return out, first is second, second, remember.calls


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
