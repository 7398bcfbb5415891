# durable: on
"""Lines are appended over two with blocks; since appending repeats after a kill, readers drop duplicates."""
import asyncio
import os

from world import effect


def place():
    return os.path.join(os.environ.get("EFFECT_DIR") or os.getcwd(), "p142_journal.txt")


async def journal(path, lines):
    with open(path, "a", encoding="utf-8") as f:
        for line in lines:
            f.write(await effect(line, line) + "\n")
        f.flush()
        await effect(f"{len(lines)} written")


async def main():
    path = place()
    with open(path, "w"):
        pass
    await effect("empty")
    await journal(path, ["a1", "a2", "a3"])
    await journal(path, ["b1", "b2"])
    with open(path, encoding="utf-8") as f:
        lines = list(dict.fromkeys(f.read().split()))
    await effect("read")
    os.unlink(path)
    return lines


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
