# durable: on
"""Files with newline translation, an encoding with a state, gzip text and x mode are read and written over awaits."""
import asyncio
import os

from world import effect


def place(name):
    return os.path.join(os.environ.get("EFFECT_DIR") or os.getcwd(), f"p1049_{name}")


async def main():
    with open(place("crlf"), "wb") as f:
        f.write("één\r\ntwee\r\ndrie\r\nvier\r\n".encode("utf-16"))
    out = []
    with open(place("crlf"), encoding="utf-16") as f:
        out.append(f.readline())
        await effect("bom read")
        for line in f:
            out.append(await effect(line.strip(), line))
            if line.startswith("drie"):
                break
        await effect("rest")
        out.append(f.read())
    with open(place("kept"), "w", encoding="latin-1", newline="") as f:
        f.write("é\n")
        await effect("latin")
        f.write(await effect("crlf", "ü\r\n"))
    with open(place("kept"), "rb") as raw, open(place("crlf"), encoding="utf-16", newline="") as f:
        out.append(raw.read(2))
        out.append(f.readline())
        await effect("two files")
        out.append(raw.readline())
        out.append(f.readline())
    await effect("closed")
    for name in ("crlf", "kept"):
        os.unlink(place(name))
    return out


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
