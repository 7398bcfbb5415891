# durable: on
"""Empty bodies, docstring-only functions, pass, ellipsis, bare annotations and one-line compound statements."""
import asyncio

from world import effect


async def nothing(): pass


async def only_doc():
    """Only this."""


async def dots(): ...


async def annotated():
    x: int
    y: "undefined name" = await effect("annotated", 1)
    (z): int = 2
    return sorted(locals())


async def empty_gen():
    return
    yield


async def one_line(n):
    if n: await effect("one"); x = 1; return x
    else: return await effect("two", n)


class Empty: ...


async def main():
    out = [await nothing(), await only_doc(), await dots(), await annotated(), only_doc.__doc__]
    out.append([x async for x in empty_gen()])
    out += [await one_line(1), await one_line(0)]
    for _ in (): pass
    else: await effect("for else")
    while False: pass
    try: pass
    except: pass
    else: out.append(await effect("try else", "else"))
    finally: await effect("finally")
    async with Quiet(): pass
    async for _ in empty_gen(): out.append("never")
    with Quiet() as q: (await effect("body"))
    await effect("statement"); 1 + 1; "string"; ...; await nothing()
    lambda: (yield)
    return out, type(q).__name__, Empty.__name__


class Quiet(object):
    def __enter__(self): return self
    def __exit__(self, *_): return None
    async def __aenter__(self): return self
    async def __aexit__(self, *_): return None


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
