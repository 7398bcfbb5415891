# durable: on
"""In-memory files keep content and position."""
import asyncio
import io

from world import effect


async def main():
    text = io.StringIO("one\ntwo\nthree\nfour\n")
    data = io.BytesIO()
    out = [text.readline()]
    data.write(b"head")
    await effect("one")
    for line in text:
        out.append(line)
        data.write(await effect(line.strip(), line.strip().encode()))
        if line == "three\n":
            break
    data.seek(2)
    await effect("sought")
    data.write(b"XX")
    with io.StringIO() as sink:
        print("a", await effect("printed", 1), file=sink)
        sink.write("b")
        await effect("sink")
        body = sink.getvalue()
    return out, text.read(), data.tell(), data.getvalue(), body, sink.closed


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
