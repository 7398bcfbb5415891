# durable: on
# requires: 3.14
"""Files of compression.zstd are written and read over awaits, as bytes and as text, by path and over another file."""
import asyncio
import os
from compression import zstd

from world import effect


def place(name):
    return os.path.join(os.environ.get("EFFECT_DIR") or os.getcwd(), f"p235_{name}")


async def written(name):
    with zstd.open(place(name), "wt", encoding="utf-8", newline="\n", level=10) as text:
        for number in range(3):
            text.write(f"été {number}\n")
            await effect(f"{name} line {number}")
    with open(place(name), "ab") as raw, zstd.ZstdFile(raw, "w") as end:
        end.write(b"more")
        await effect(f"{name} more")
        end.write(b" and more\n")
    with open(place(name), "rb") as raw:
        return zstd.decompress(raw.read()).decode()


async def read(name):
    with zstd.open(place(name), "wb") as whole:
        whole.write(b"".join(b"line %d\n" % number for number in range(4000)))
    out = []
    with zstd.open(place(name), "rt") as text:
        for line in text:
            out.append(line)
            if len(out) in (2, 3, 1003, 3992):
                await effect(f"{name} {len(out)}")
    with open(place(name), "rb") as raw, zstd.open(raw, "rb") as inner:
        found = [inner.read(7), await effect(f"{name} bytes", inner.tell()), inner.readline(), inner.read(20)]
    await effect(f"{name} closed")
    return len(out), out[-1], found, inner.closed


async def main():
    out = [await written("kept"), await read("kept")]
    os.unlink(place("kept"))
    return out


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
