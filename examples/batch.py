# durable: on
"""A batch job: several hundred rows, some at a time; what fails is tried again later and later, in plain Python.

Run it, kill it as often as you like (from another terminal: kill -9 PID), and run the same command again:

    python -m durable_import run examples/batch.py
    python -m durable_import run examples/batch.py --rows 1000 --at-a-time 50

It goes on with all the rows that it was at, each at its own attempt and with what is left of its pause. The input is a CSV
file, made if it is not there; the output another one, with a price or the reason why there is none for each row.
"""

import argparse
import asyncio
import csv
import random
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

Row = dict[str, str]
COLUMNS = ["parcel", "country", "grams"]
RATES = {"DE": 5, "FR": 6, "IT": 7, "ES": 7}  # cents for 100 grams


class ServiceDownError(Exception):
    """It may work a little later."""


class NoRateError(Exception):
    """It never will."""


async def ask_for_price(row: Row, attempt: int) -> int:
    """Stands for a web service, slow and unreliable: every fourth request fails."""
    chance = random.Random(f"{row['parcel']} {attempt}")
    await asyncio.sleep(chance.uniform(0.02, 0.1))
    if chance.random() < 0.25:
        raise ServiceDownError("no answer")
    if row["country"] not in RATES:
        raise NoRateError(f"nobody delivers to {row['country']}")
    return RATES[row["country"]] * (int(row["grams"]) // 100 + 1)


class Job:
    """What all rows share."""

    def __init__(self, attempts: int, at_a_time: int) -> None:
        self.attempts = attempts
        self.places = asyncio.Semaphore(at_a_time)
        self.results: list[Row] = []
        self.counts: Counter[str] = Counter()

    async def process(self, row: Row) -> None:
        """Find the price of one row; a row that has to wait for its next attempt takes no place."""
        pause = 0.2
        for attempt in range(1, self.attempts + 1):
            try:
                async with self.places:
                    price = await ask_for_price(row, attempt)
            except NoRateError as error:
                return self.put(row, "refused", str(error))
            except ServiceDownError:
                if attempt < self.attempts:
                    self.counts["tried again"] += 1
                    await asyncio.sleep(pause)
                    pause *= 2
            else:
                return self.put(row, "priced", f"{price / 100:.2f}")
        return self.put(row, "given up", f"no answer to {self.attempts} attempts")

    def put(self, row: Row, outcome: str, details: str) -> None:
        self.results.append({**row, "outcome": outcome, "details": details})
        self.counts[outcome] += 1
        if len(self.results) % 50 == 0:
            print(f"{len(self.results):5} rows are done")


def make_input(path: Path, rows: int) -> None:
    """Some parcels, the same ones each time."""
    chance = random.Random(rows)
    countries = [*RATES] * 20 + ["Atlantis"]
    write(path, COLUMNS, ([f"P{n:05}", chance.choice(countries), chance.randint(50, 20_000)] for n in range(rows)))


def read(path: Path) -> list[Row]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def write(path: Path, columns: list[str], rows: Iterable[Iterable[object]]) -> None:
    """Write a file completely or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    with draft.open("w", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    draft.replace(path)


async def main(rows: int, at_a_time: int, attempts: int, folder: Path) -> None:
    source, target = folder / f"parcels-{rows}.csv", folder / f"prices-{rows}.csv"
    if not source.exists():
        await asyncio.to_thread(make_input, source, rows)
    parcels = await asyncio.to_thread(read, source)

    job = Job(attempts, at_a_time)
    async with asyncio.TaskGroup() as group:
        for parcel in parcels:
            group.create_task(job.process(parcel))

    results = sorted(job.results, key=lambda result: result["parcel"])
    await asyncio.to_thread(write, target, [*results[0]], [result.values() for result in results])
    print(f"\n{len(results)} rows: " + ", ".join(f"{number} {what}" for what, number in sorted(job.counts.items())))
    total = sum(float(result["details"]) for result in results if result["outcome"] == "priced")
    print(f"all prices together {total:.2f}, see {target}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Ask for the prices of parcels.")
    parser.add_argument("--rows", type=int, default=300, metavar="N", help="how many parcels (default: 300)")
    parser.add_argument("--at-a-time", type=int, default=10, metavar="N", help="requests at a time (default: 10)")
    parser.add_argument("--attempts", type=int, default=4, metavar="N", help="requests for each parcel (default: 4)")
    parser.add_argument("--folder", type=Path, default=Path(".durable/batch"), help="where the files are")
    options = parser.parse_args()
    asyncio.run(main(options.rows, options.at_a_time, options.attempts, options.folder))
