# durable: on
"""OSError and its subclasses keep errno, strerror and filenames; UnicodeDecodeError keeps its five parts."""
import asyncio
import errno
import os

from world import effect, fail


async def main():
    kept = []
    for number, name in [(errno.ENOENT, "a"), (errno.EACCES, "b"), (errno.EEXIST, "c"), (errno.ETIMEDOUT, "d")]:
        try:
            await fail(f"raise {name}", OSError(number, os.strerror(number), f"/x/{name}", None, f"/y/{name}"))
        except OSError as error:
            kept.append(error)
    try:
        b"ab\xff".decode()
    except UnicodeDecodeError as error:
        bad = error
    try:
        {}["missing"]
    except KeyError as error:
        missing = error
    await effect("held")
    out = [(type(e).__name__, e.errno, e.strerror, e.filename, e.filename2, str(e)) for e in kept]
    await effect("again")
    return out, (bad.encoding, bad.object, bad.start, bad.end, bad.reason), missing.args, isinstance(kept[0], FileNotFoundError)


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
