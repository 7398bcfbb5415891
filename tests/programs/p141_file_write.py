# durable: on
"""A file is written with awaits between the writes, inside a with block, and read back."""
import asyncio
import os

from world import effect


def place():
    return os.path.join(os.environ.get("EFFECT_DIR") or os.getcwd(), "p141_out.txt")


async def main():
    path = place()
    with open(path, "w", encoding="utf-8") as f:
        f.write("head\n")
        for n in range(5):
            got = await effect(f"fetch {n}", n * n)
            print(n, got, file=f)
        f.flush()
        await effect("flushed")
        position = f.tell()
        f.write(await effect("tail", "tail\n"))
    await effect("closed")
    with open(path) as f:
        first = f.readline()
        await effect("reading")
        rest = f.read()
    os.unlink(path)
    return first, rest, position, f.closed


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
