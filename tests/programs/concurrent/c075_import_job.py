# durable: on
"""An import job: pages are fetched, rows converted and batches stored at the same time; over forty effects."""
import asyncio
from dataclasses import dataclass, field

from world import effect, fail


@dataclass
class Progress:
    fetched: list = field(default_factory=list)
    converted: dict = field(default_factory=dict)
    rejected: dict = field(default_factory=dict)
    batches: list = field(default_factory=list)


class BadRow(Exception):
    pass


async def fetch(pages, rows, progress):
    for page in pages:
        ids = await effect(f"fetch page {page}", [page * 10 + n for n in range(5)])
        progress.fetched.append(page)
        for row in ids:
            await rows.put(row)


async def convert(rows, batches, progress):
    while (row := await rows.get()) is not None:
        try:
            if row % 7 == 0:
                await fail(f"reject row {row}", BadRow(row))
            progress.converted[row] = await effect(f"convert row {row}", row * row)
        except BadRow as error:
            progress.rejected[row] = error
        else:
            await batches.put(row)


async def store(batches, progress, size):
    batch = []
    while True:
        row = await batches.get()
        if row is not None:
            batch.append(row)
        if len(batch) == size or (row is None and batch):
            number = len(progress.batches)
            await effect(f"store batch {number}")
            progress.batches.append(tuple(batch))
            batch = []
        if row is None:
            return len(progress.batches)


async def main():
    progress = Progress()
    rows, batches = asyncio.Queue(4), asyncio.Queue(4)
    converters = [asyncio.create_task(convert(rows, batches, progress), name=f"convert {n}") for n in range(3)]
    storing = asyncio.create_task(store(batches, progress, 6), name="store")
    await asyncio.gather(fetch([1, 2, 3], rows, progress), fetch([4, 5, 6], rows, progress))
    for _ in converters:
        await rows.put(None)
    await asyncio.gather(*converters)
    await batches.put(None)
    count = await storing
    stored = sorted(row for batch in progress.batches for row in batch)
    complete = stored == sorted(progress.converted)
    errors = sorted((row, repr(error)) for row, error in progress.rejected.items())
    sizes = [len(batch) for batch in progress.batches]
    return sorted(progress.fetched), len(stored), sum(progress.converted.values()), errors, sizes, count, complete


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
