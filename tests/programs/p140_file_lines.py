# durable: on
"""A file is read line by line in a for loop with awaits, with explicit readline and tell afterwards."""
import asyncio
import os

from world import effect


def place():
    return os.path.join(os.environ.get("EFFECT_DIR") or os.getcwd(), "p140_lines.txt")


def prepare(path):
    with open(path, "w", encoding="utf-8", newline="\n") as f:
        f.writelines(f"line {n} {'é' * n}\n" for n in range(8))


async def main():
    path = place()
    prepare(path)
    out = []
    f = open(path, encoding="utf-8")
    try:
        out.append(f.readline())
        await effect("first")
        for line in f:
            out.append(line)
            word = await effect(f"line {len(out)}", line.split()[1])
            if word == "5":
                break
        await effect("after loop")
        out.append(f.read(4))
        await effect("part")
        out.append(f.read())
        f.seek(0)
        await effect("rewound")
        out.append(f.readline())
    finally:
        f.close()
    await effect("closed")
    os.unlink(path)
    return out, f.closed, f.mode, f.encoding


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
