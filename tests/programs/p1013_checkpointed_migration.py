# durable: on
"""Records of a file are migrated one by one; the migration keeps its own counts, rejects and progress file."""
import asyncio
import json
import os

from world import effect


def place(name):
    return os.path.join(os.environ.get("EFFECT_DIR") or os.getcwd(), f"p1013_{name}")


def prepare():
    with open(place("old.jsonl"), "w") as f:
        for n in range(6):
            record = {"id": n, "name": f"User {n}", "age": "x" if n == 3 else str(20 + n)}
            f.write(json.dumps(record) + "\n")


def convert(record):
    first, _, last = record["name"].partition(" ")
    return {"id": record["id"], "first": first, "last": last, "age": int(record["age"])}


async def migrate(source, target, stats, rejects):
    for number, line in enumerate(source):
        try:
            record = convert(json.loads(line))
        except ValueError as error:
            rejects.append((number, type(error).__name__, await effect(f"reject {number}")))
            continue
        target.write(json.dumps(record) + "\n")
        stats["done"] += 1
        stats["ages"] = [*stats.get("ages", ()), await effect(f"record {number}", record["age"])]
        if stats["done"] % 2 == 0:
            target.flush()
            with open(place("progress"), "w") as f:
                json.dump(stats, f)


async def main():
    prepare()
    stats, rejects = {"done": 0}, []
    with open(place("old.jsonl")) as source, open(place("new.jsonl"), "w") as target:
        await migrate(source, target, stats, rejects)
    await effect("migrated")
    with open(place("new.jsonl")) as f:
        records = [json.loads(line) for line in f]
    with open(place("progress")) as f:
        progress = json.load(f)
    await effect("read back")
    for name in ("old.jsonl", "new.jsonl", "progress"):
        os.unlink(place(name))
    return stats, rejects, [r["last"] for r in records], records[-1], progress


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
