# durable: on
"""Deleted and never bound locals raise after an await exactly as they do natively."""
import asyncio

from world import effect


def check(call):
    try:
        return call()
    except NameError as error:
        return type(error).__name__, str(error)


async def main():
    out = []
    x = await effect("x", [1, 2, 3, 4])
    y = x
    del x[await effect("i", 0)], x[1:2]
    out.append(y)
    del x
    await effect("gone")
    try:
        x
    except UnboundLocalError as error:
        out.append(str(error))
    if not y:
        never = 1
    await effect("never bound")
    try:
        out.append(never)
    except UnboundLocalError as error:
        out.append(error.name)
    try:
        await effect("args"); never += await effect("not reached")
    except UnboundLocalError as error:
        out.append(error.args)
    cell = 1
    peek = lambda: cell
    del cell
    await effect("cell gone")
    out.append(check(peek))
    cell = 2
    await effect("cell back")
    out.append(check(peek))
    for loop in await effect("empty", []):
        pass
    try:
        loop
    except NameError:
        out.append("loop unbound")
    try:
        del never
    except UnboundLocalError:
        out.append("del unbound")
    (a, b), c = (1, 2), 3
    del (a, [b]), c
    return out, sorted(locals())


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
