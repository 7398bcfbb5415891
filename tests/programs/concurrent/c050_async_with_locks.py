# durable: on
"""Editors of several documents hold locks while they work: each document sees its edits one at a time."""
import asyncio
from asyncio import gather
from collections import defaultdict
from contextlib import AsyncExitStack

from world import effect, fail


class Conflict(Exception):
    pass


class Store:
    def __init__(self):
        self.locks = defaultdict(asyncio.Lock)
        self.text = defaultdict(str)
        self.busy = set()

    async def append(self, document, who, text):
        async with self.locks[document]:
            assert document not in self.busy
            self.busy.add(document)
            try:
                if text == "!":
                    await fail(f"{who} spoils {document}", Conflict(document, who))
                before = self.text[document]
                line = await effect(f"{who} edits {document}", f"{who}:{text};")
                self.text[document] = before + line
            finally:
                self.busy.discard(document)
        return len(self.text[document])

    async def merge(self, who, *documents):
        async with AsyncExitStack() as stack:
            for document in sorted(documents):
                await stack.enter_async_context(self.locks[document])
            merged = "".join(self.text[d] for d in sorted(documents))
            await effect(f"{who} merges")
            self.text["+".join(sorted(documents))] = merged
            return [self.locks[d].locked() for d in documents]


async def main():
    store = Store()
    lengths = await gather(
        store.append("memo", "ann", "hello"),
        store.append("plan", "ann", "first"),
        store.append("memo", "bob", "hi"),
        store.append("memo", "cid", "!"),
        store.append("plan", "dot", "second"),
        store.append("memo", "eve", "bye"),
        return_exceptions=True,
    )
    conflict = lengths.pop(3)
    first = dict(sorted(store.text.items()))
    merged, again, _ = await gather(
        store.merge("fay", "plan", "memo"),
        store.merge("gus", "memo", "plan"),
        store.append("news", "hal", "!?"),
    )
    held = [name for name, lock in store.locks.items() if lock.locked()]
    return lengths, conflict.args, first, merged, again, store.text["memo+plan"], store.text["news"], held, store.busy


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
