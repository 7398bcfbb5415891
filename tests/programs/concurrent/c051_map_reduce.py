# durable: on
"""Words are counted by mappers and reducers that run at the same time, with a shuffle in between."""
import asyncio
import itertools
import zlib
from collections import Counter, defaultdict

from world import effect

TEXTS = {
    "one.txt": "the cat saw the dog",
    "two.txt": "a dog is a dog",
    "three.txt": "the end of the cat",
    "four.txt": "",
}
REDUCERS = 3


def partition(word):
    return zlib.crc32(word.encode()) % REDUCERS


async def read(name):
    return await effect(f"read {name}", TEXTS[name])


async def mapper(name, outboxes):
    words = Counter((await read(name)).split())
    for word, count in words.items():
        await outboxes[partition(word)].put((word, count, name))
    for outbox in outboxes:
        await outbox.put(None)
    return sum(words.values())


async def reducer(inbox, mappers):
    totals, sources = Counter(), defaultdict(set)
    open_mappers = mappers
    while open_mappers:
        item = await inbox.get()
        if item is None:
            open_mappers -= 1
            continue
        word, count, source = item
        totals[word] += count
        sources[word].add(source)
    return totals, {word: sorted(names) for word, names in sources.items()}


async def main():
    queues = [asyncio.Queue(maxsize=2) for _ in range(REDUCERS)]
    reducers = [asyncio.create_task(reducer(q, len(TEXTS)), name=f"reducer {n}") for n, q in enumerate(queues)]
    lengths = await asyncio.gather(*(mapper(name, queues) for name in TEXTS))
    parts = await asyncio.gather(*reducers)
    totals = sum((totals for totals, _ in parts), Counter())
    sources = dict(itertools.chain.from_iterable(s.items() for _, s in parts))
    disjoint = sum(len(t) for t, _ in parts) == len(totals)
    right = all(partition(word) == n for n, (t, _) in enumerate(parts) for word in t)
    top = sorted(totals.items(), key=lambda item: (-item[1], item[0]))[:4]
    await effect("publish the table")
    return lengths, top, sources["dog"], sources["cat"], totals.total(), disjoint, right


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
