# durable: on
"""Private names are mangled in async methods, nested functions, keyword names and comprehensions."""
import asyncio

from world import effect


class _Safe:
    __secret = "class secret"
    __slots__ = ("__pin", "open_")

    def __init__(self, pin):
        self.__pin = pin

    async def __check(self, *, __pin):
        __local = await effect("check", __pin)
        return __local == self.__pin, sorted(locals())

    async def enter(self, pin):
        self.open_, names = await self.__check(_Safe__pin=pin)
        __names = [n for n in names if await effect(f"n-{n}", "Safe" in n)]

        async def inner():
            nonlocal __names
            __names += [await effect("inner", self.__secret)]
            return [__n async for __n in self.__stream(__names)]

        return self.open_, await inner(), __names

    async def __stream(self, __items):
        for __item in __items:
            yield __item

    async def store(self):
        self.__pin += await effect("add", 5)
        del self.open_
        try:
            self.__missing
        except AttributeError as __error:
            return self._Safe__pin, str(__error)


class __Mangled:
    async def make(self):
        return await effect("make", __Other)


_Mangled__Other = "found"
_Mangled__Mangled = 0


async def main():
    safe = _Safe(1)
    out = [await safe.enter(1), await safe.store(), hasattr(safe, "open_")]
    out.append(await globals()["__Mangled"]().make())
    return out, safe._Safe__pin


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
