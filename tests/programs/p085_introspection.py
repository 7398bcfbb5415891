# durable: on
"""inspect and function attributes give the native answers for every kind of function, between awaits."""
import asyncio
import inspect

from world import effect


async def coroutine(a, b: int = 2, *args, c, **kw) -> str:
    """A doc."""
    return await effect("coroutine", a)


async def generator():
    """Gen doc."""
    yield await effect("generator")


def plain():
    yield 1


class Holder:
    async def method(self): return await effect("method")

    @classmethod
    async def cls(cls): return cls.__name__

    call = lambda self, x: x


async def main():
    out = []
    for f in (coroutine, generator, plain, Holder.method, Holder.cls, Holder().call):
        out.append((f.__name__, f.__qualname__, inspect.iscoroutinefunction(f), inspect.isasyncgenfunction(f),
                    inspect.isgeneratorfunction(f), str(inspect.signature(f)), f.__doc__))
    made, gen, agen = Holder().method(), plain(), generator()
    await effect("held")
    out.append((inspect.getcoroutinestate(made), inspect.getgeneratorstate(gen), made.__name__, made.__qualname__, agen.__name__))
    next(gen)
    await made
    out.append((inspect.getcoroutinestate(made), inspect.getgeneratorstate(gen), inspect.isawaitable(made), agen.ag_frame is not None))
    await anext(agen)
    await effect("after anext")
    out.append((type(agen).__name__, await anext(agen, "end"), agen.ag_frame))

    @(lambda f: f)
    async def local(x=out):
        """Local doc."""
        return inspect.currentframe().f_code.co_name

    out.append((local.__qualname__, local.__doc__, local.__defaults__[0] is out, await local(), local.__module__ == __name__))
    out.append((coroutine.__code__.co_varnames[:5], coroutine.__code__.co_argcount, coroutine.__annotations__))
    out.append([line.strip() for line in inspect.getsource(Holder.method).splitlines()])
    del local.__defaults__[0][-1:]
    return out


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
