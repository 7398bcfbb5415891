# durable: on
"""Names bound on some paths only, compared after awaits, loops, handlers and nested functions."""
import asyncio

from world import effect


async def path(n):
    if n & 1:
        a = await effect(f"a{n}", n)
    if n & 2:
        b = [n]
        def peek():
            return b
    for c in range(n & 1):
        await effect(f"c{n}")
    try:
        if n & 4:
            raise KeyError(n)
    except KeyError as error:
        d = error.args
    else:
        with_else = True
    await effect(f"joined{n}")
    found = sorted(locals())
    got = []
    for read in (lambda: b, lambda: peek(), lambda: 0):
        try:
            got.append(read())
        except NameError as error:
            got.append(error.name)
    try:
        a
    except UnboundLocalError:
        got.append("no a")
    try:
        c, d
    except UnboundLocalError as error:
        got.append(str(error)[29:32])
    return found, got


async def main():
    out = []
    for n in (0, 1, 2, 7):
        out.append(await path(n))
    while True:
        if (first := await effect("first", True)):
            break
        second = 1
    try:
        second
    except UnboundLocalError:
        out.append(first)
    return out


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
