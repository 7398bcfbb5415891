# durable: on
"""The name of `except ... as e` is unbound after its handler however the handler is left."""
import asyncio

from world import effect, fail


async def main():
    out = []
    e = "before"
    try:
        await fail("one", ValueError(1))
    except ValueError as e:
        await effect("handler")
        out.append(repr(e))
    try:
        out.append(e)
    except UnboundLocalError:
        out.append("unbound")
    for k in range(3):
        e = k
        try:
            await fail(f"loop{k}", KeyError(k))
        except KeyError as e:
            if await effect(f"check{k}", k == 0):
                continue
            if k == 2:
                break
        out.append("e" in locals())
    out.append("e" in locals())
    try:
        raise OSError("x")
    except OSError as e:
        del e
        await effect("deleted early")
    try:
        raise OSError("y")
    except OSError as e:
        e = "rebound"
        await effect("rebound")
        out.append(e)
    out.append("e" in locals())
    try:
        raise IndexError
    except IndexError as outer:
        try:
            raise TypeError from outer
        except TypeError as outer:
            out.append(repr(outer.__cause__))
        await effect("inner same name")
        out.append("outer" in locals())
    peek = None
    try:
        raise LookupError("captured")
    except LookupError as captured:
        peek = lambda: captured
        await effect("captured")
        out.append(repr(peek()))
    try:
        peek()
    except NameError as error:
        out.append(error.name)
    return out


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
