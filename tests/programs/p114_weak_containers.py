# durable: on
"""A WeakValueDictionary, a WeakKeyDictionary and a WeakSet of living objects keep their entries."""
import asyncio
import weakref

from world import effect


class Session:
    def __init__(self, key):
        self.key = key


async def main():
    alive = [Session(k) for k in "abc"]
    by_key = weakref.WeakValueDictionary({s.key: s for s in alive})
    notes = weakref.WeakKeyDictionary()
    members = weakref.WeakSet(alive[:2])
    for session in alive:
        notes[session] = await effect(f"note {session.key}", session.key * 2)
    await effect("more")
    members.add(alive[2])
    return [
        sorted(by_key),
        by_key["b"] is alive[1],
        [notes[s] for s in alive],
        [s in members for s in alive],
        len(members),
    ]


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
