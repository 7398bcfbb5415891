# durable: on
"""A read-only proxy of a dict and of a class's namespace stay views of the same data."""
import asyncio
import types

from world import effect


class Options:
    level = 1


async def main():
    data = {"a": 1}
    proxy = types.MappingProxyType(data)
    box = [proxy, {"proxy": proxy}]
    names = Options.__dict__
    await effect("made")
    data["b"] = await effect("b", 2)
    try:
        proxy["c"] = 3
    except TypeError as error:
        refused = str(error)
    await effect("held")
    data["c"] = 4
    return dict(proxy), proxy is box[1]["proxy"], refused, names["level"], len(proxy)


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
