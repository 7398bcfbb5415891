# durable: on
"""Stages declared by a decorator pass batches on, count what they drop and report per stage."""
import asyncio
import collections
import itertools

from world import effect


STAGES = []


def stage(*, batch=1):
    def register(fn):
        STAGES.append((fn.__name__, fn, batch))
        return fn

    return register


@stage()
async def parse(rows):
    for row in rows:
        name, _, value = row.partition("=")
        if value.isdigit():
            yield {"name": name, "value": int(value)}


@stage(batch=3)
async def enrich(rows):
    extra = await effect(f"enrich {len(rows)}", [r["name"].upper() for r in rows])
    for row, label in zip(rows, extra, strict=True):
        yield {**row, "label": label}


@stage(batch=2)
async def store(rows):
    total = sum(r["value"] for r in rows)
    yield await effect(f"store {'+'.join(r['label'] for r in rows)}", total)


def batched(items, n):
    it = iter(items)
    while chunk := list(itertools.islice(it, n)):
        yield chunk


async def main():
    rows = ["a=1", "b=2", "bad", "c=3", "d=4", "e=x", "f=6"]
    counts = collections.Counter()
    history = {}
    for name, fn, size in STAGES:
        output = []
        for batch in batched(rows, size):
            counts[name, "in"] += len(batch)
            async for item in fn(batch):
                output.append(item)
                counts[name, "out"] += 1
        history[name] = rows = output
        await effect(f"done {name}")
    return rows, dict(counts), history["enrich"][-1], [len(v) for v in history.values()]


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
