# durable: on
"""deque with maxlen, defaultdict with a lambda factory, Counter, OrderedDict, ChainMap and UserDict survive."""
import asyncio
import collections

from world import effect


class Lower(collections.UserDict):
    def __setitem__(self, key, value):
        super().__setitem__(key.lower(), value)


class Tracker(dict):
    def __missing__(self, key):
        self[key] = f"made {key}"
        return self[key]


async def main():
    made = 0

    def factory():
        nonlocal made
        made += 1
        return [made]

    recent = collections.deque("abcde", maxlen=3)
    groups = collections.defaultdict(lambda: collections.defaultdict(int))
    counted = collections.defaultdict(factory)
    counter = collections.Counter("mississippi")
    ordered = collections.OrderedDict(a=1, b=2, c=3)
    base = {"colour": "red", "size": 1}
    chain = collections.ChainMap({}, base)
    lower, tracker = Lower(), Tracker()
    await effect("made")
    recent.append("f")
    recent.rotate(1)
    groups["x"]["y"] += await effect("y", 2)
    groups["x"]["z"] += 1
    counted["k"].append(await effect("k", "v"))
    counter.update(await effect("more", "mmm"))
    ordered.move_to_end("a")
    chain["size"] = 2
    lower["ABC"] = 1
    await effect("held")
    counted["l"]
    child = chain.new_child({"colour": await effect("colour", "blue")})
    base["late"] = True
    return [
        list(recent),
        recent.maxlen,
        {k: dict(v) for k, v in groups.items()},
        dict(counted),
        made,
        counter.most_common(2),
        list(ordered),
        [child["colour"], child["size"], child["late"], base["size"]],
        dict(lower),
        tracker["t"],
        type(groups["new"]).__name__,
    ]


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
