# durable: on
"""One open file is shared by an object, a local and an enumerate, with a second file open for output."""
import asyncio
import os

from world import effect


class Reader:
    def __init__(self, file):
        self.file = file
        self.count = 0

    def line(self):
        self.count += 1
        return self.file.readline().rstrip()


async def main():
    base = os.environ.get("EFFECT_DIR") or os.getcwd()
    source, target = os.path.join(base, "p144_in.txt"), os.path.join(base, "p144_out.txt")
    with open(source, "w") as f:
        f.write("\n".join("alpha beta gamma delta epsilon zeta".split()) + "\n")
    with open(source) as f, open(target, "w") as g:
        reader = Reader(f)
        out = [reader.line()]
        await effect("one")
        out.append(f.readline().rstrip())
        out.append(reader.line())
        await effect("two")
        for number, line in enumerate(f, 1):
            g.write(f"{number} {await effect(line.strip(), line.strip()[::-1])}\n")
        same = reader.file is f
        await effect("eof")
        out.append(reader.line())
    closed = (f.closed, reader.file.closed, g.closed)
    await effect("closed")
    with open(target) as g:
        written = g.read()
    os.unlink(source)
    os.unlink(target)
    return out, reader.count, same, closed, written


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
