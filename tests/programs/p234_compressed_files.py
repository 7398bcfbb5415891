# durable: on
"""Compressed files are read over awaits, as bytes and as text, by path and over another file."""
import asyncio
import bz2
import gzip
import lzma
import os

from world import effect

LIBRARIES = [gzip, bz2, lzma]


def place(name):
    return os.path.join(os.environ.get("EFFECT_DIR") or os.getcwd(), f"p234_{name}")


async def read(library, name):
    with library.open(place(name), "wb") as whole:
        whole.write(b"".join(b"line %d\n" % number for number in range(4000)))
    out = []
    with library.open(place(name), "rt") as text:
        for line in text:
            out.append(line)
            if line.endswith(("1\n", "2\n")) and len(out) in (2, 3, 1003, 3992):
                await effect(f"{name} {len(out)}")
    with open(place(name), "rb") as raw, library.open(raw, "rb") as inner:
        found = [inner.read(7), await effect(f"{name} bytes", inner.tell()), inner.readline(), inner.read(20)]
    await effect(f"{name} closed")
    return len(out), out[-1], found, inner.closed


async def main():
    out = []
    for number, library in enumerate(LIBRARIES):
        out.append(await read(library, f"read{number}"))
        os.unlink(place(f"read{number}"))
    return out


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
