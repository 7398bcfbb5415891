# durable: on
# requires: 3.13
"""Type parameter defaults on async functions and classes whose instances live across awaits."""
import asyncio

from world import effect


class Box[T = int, **P = [int, str]]:
    def __init__(self, value: T):
        self.value = value

    async def get[U = str](self, default: U = None) -> T | U:
        return await effect("get", self.value), U.__default__.__name__


async def pick[K = dict[str, int], *Ts = *tuple[str, bytes]](key: K, *rest: *Ts) -> K:
    await effect("pick")
    return key, rest, str(K.__default__), str(Ts.__default__)


async def main():
    box = Box(5)
    await effect("held")
    out = [await box.get(), await pick("k", 1)]
    out.append([str(p.__default__) for p in Box.__type_params__])

    class Local[V = await_free](Box[V]):
        async def get(self):
            inherited = await super().get()
            return inherited, V.__default__ is await_free

    local = Local("l")
    await effect("local")
    out.append(await local.get())
    return out


class await_free:
    pass


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
