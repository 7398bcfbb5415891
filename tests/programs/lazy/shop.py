"""A script whose imports are lazy: modules of all kinds, used or not, before and after awaits."""

# durable: on
import asyncio
import sys

from world import effect

lazy import random
lazy import never_loaded
lazy import nowhere_to_be_found
lazy import warehouse as store
lazy from catalogue import Order, collect, settings
lazy from warehouse import all_items, take


def not_used_yet():
    return sorted(name for name, value in globals().items() if type(value).__name__ == "lazy_import")


async def choose():
    return never_loaded if settings["level"] > 100 else random.random()


async def main():
    random.seed(7)
    told = [not_used_yet(), "catalogue" in sys.modules, "warehouse" in sys.modules]
    first = await effect("begin", random.random())
    order = Order("tea")
    told.append((first, await effect("order", order.price), random.random()))
    settings["level"] += 1
    collect(order.item)
    told.append(await take("tea", 2))
    store.stock["cake"] -= await effect("cake", 4)
    items = all_items()
    told.append(await anext(items))
    kept = store
    shelf = kept.Shelf("cake")
    told.append((await effect("settings", settings["level"]), collect("cake"), type(shelf) is store.Shelf))
    told.append([item async for item in items])
    try:
        nowhere_to_be_found.anything
    except ImportError as error:
        told.append(await effect("missing", str(error)))
    told[4] = (told[4][0].item, told[4][1])
    return told, await choose(), order.price, kept.stock, "never_loaded" in sys.modules, type(globals()["never_loaded"]).__name__


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
