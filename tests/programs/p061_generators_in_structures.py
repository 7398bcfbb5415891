# durable: on
"""Many half-run generators inside containers, closures, iterators and objects, advanced after awaits."""
import asyncio
import itertools

from world import effect


def count_from(n, step=1):
    while True:
        n += (yield n) or step


def tree(depth, path=""):
    if depth:
        yield from tree(depth - 1, path + "l")
        yield path
        yield from tree(depth - 1, path + "r")


class Tokens:
    def __init__(self, text):
        self.stream = self._scan(text)
        self.peeked = None

    def _scan(self, text):
        word = ""
        for c in text + " ":
            if c.isspace():
                if word:
                    yield word
                word = ""
            else:
                word += c

    async def take(self):
        return await effect("take", next(self.stream, None))


async def main():
    out = []
    store = {"a": count_from(1), "b": [count_from(10, 5)]}
    walk = tree(3)
    tokens = Tokens("let x  be 5")
    sliced = itertools.islice(count_from(100), 2, 8, 2)
    merged = zip(store["a"], walk)
    mapped = map(lambda v: v * 2, store["b"][0])
    numbered = enumerate(tokens.stream, 1)
    out.append((next(store["a"]), next(walk), next(merged), next(sliced), next(mapped)))
    await effect("one")
    out.append((store["a"].send(50), next(merged), next(sliced), next(mapped), await tokens.take()))
    out.append((next(numbered), list(sliced), [next(mapped) for _ in range(2)]))
    await effect("two")
    out.append((list(merged), await tokens.take(), list(numbered)))
    out.append(next(store["a"]))
    filtered = filter(None, (x % 3 for x in itertools.chain([3, 4], tree_sizes())))
    out.append(next(filtered))
    await effect("three")
    out.append(list(filtered))
    return out


def tree_sizes():
    yield from (len(list(tree(d))) for d in range(4))


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
