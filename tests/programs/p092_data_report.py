# durable: on
"""A small report over records with dataclasses, sorting, grouping, formatting and running totals."""
import asyncio
import collections
import dataclasses
import datetime
import decimal
import pathlib
import re

from world import effect


@dataclasses.dataclass
class Entry:
    day: datetime.date
    amount: decimal.Decimal
    path: pathlib.PurePosixPath = pathlib.PurePosixPath("/")
    notes: set = dataclasses.field(default_factory=set)


LINE = re.compile(r"(?P<y>\d+)-(?P<m>\d+)-(?P<d>\d+)\s+(?P<amount>-?[\d.]+)\s*(?P<rest>.*)")


async def parse(lines):
    for number, line in enumerate(lines, 1):
        if not (found := LINE.fullmatch(line.strip())):
            raise ValueError(f"line {number}: {line!r}")
        day = datetime.date(*(int(found[part]) for part in "ymd"))
        entry = Entry(day, decimal.Decimal(found["amount"]))
        await effect(f"line{number}")
        for word in found["rest"].split():
            if word.startswith("/"):
                entry.path /= word
            else:
                entry.notes.add(word)
        yield entry


async def main():
    text = """2024-01-05 10.50 food /a/b
              2024-02-01 -3.25 back food
              2024-01-20 7 /c"""
    entries = [e async for e in parse(text.splitlines())]
    totals = collections.defaultdict(decimal.Decimal)
    for e in sorted(entries, key=lambda e: e.day):
        totals[e.day.month] += await effect(f"total-{e.day}", e.amount)
    width = max(len(f"{v}") for v in totals.values())
    report = [f"{month:02d} {total:>{width}} {'!' * int(total)}" for month, total in totals.items()]
    span = entries[1].day - entries[0].day
    await effect("before check")
    try:
        async for e in parse(["2024-03-01 1", "nonsense"]):
            report.append(str(e.path))
    except ValueError as error:
        report.append(str(error))
    return report, span.days, sorted(entries[1].notes), str(entries[0].path), LINE.groups


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
