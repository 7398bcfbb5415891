# durable: on
"""Changing a dict or set during iteration with an await in between raises as it does natively."""
import asyncio

from world import effect


async def main():
    out = []
    prices = {"a": 1, "b": 2, "c": 3}
    for key in prices:
        prices[key] = await effect(f"price {key}", prices[key] * 10)
    out.append(dict(prices))
    try:
        for key in prices:
            await effect(f"grow {key}")
            prices[key + key] = 0
    except RuntimeError as error:
        out.append(str(error))
    await effect("between")
    prices["z"] = 26
    members = {1, 2, 3}
    try:
        for n in members:
            await effect("one member")
            members.add(n + 100)
    except RuntimeError as error:
        out.append(str(error))
    return out


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
