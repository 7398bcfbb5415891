# durable: on
"""Nested gathers return in the order of their arguments, whatever the order in which the children finish."""
import asyncio

from world import effect


async def quote(supplier, hops, finished):
    for _ in range(hops):
        await asyncio.sleep(0)
    finished.append(supplier)
    return f"{supplier}:{hops}"


async def region(name, suppliers, finished):
    quotes = await asyncio.gather(*(quote(s, hops, finished) for s, hops in suppliers))
    finished.append(name)
    return name, quotes


async def priced(article):
    price = await effect(f"price of {article}", len(article) * 10)
    tax = await effect(f"tax on {article}", 2)
    return price + tax


async def main():
    finished = []
    await effect("open the market")
    quotes = await asyncio.gather(
        quote("acme", 5, finished),
        quote("bolt", 1, finished),
        quote("cord", 3, finished),
        quote("dyna", 1, finished),
    )
    first_round = tuple(finished)
    finished.clear()

    regions = await asyncio.gather(
        region("north", [("n1", 4), ("n2", 2)], finished),
        region("south", [("s1", 1), ("s2", 1), ("s3", 6)], finished),
        asyncio.gather(quote("inner a", 3, finished), quote("inner b", 0, finished)),
        region("empty", [], finished),
    )
    prices = await asyncio.gather(*map(priced, ["pen", "ruler", "ink"]))
    same = quote("twice", 2, finished)
    pair = await asyncio.gather(same, quote("other", 1, finished), same)
    nothing = await asyncio.gather()
    return quotes, first_round, regions, finished, prices, pair, nothing


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
