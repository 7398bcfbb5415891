# durable: on
"""Classes with __reduce__, __getnewargs_ex__, copyreg and singletons by __new__ follow their own protocols."""
import asyncio
import copyreg

from world import effect


class Single:
    instance = None

    def __new__(cls):
        if cls.instance is None:
            cls.instance = super().__new__(cls)
        return cls.instance

    def __reduce__(self):
        return Single, ()


class Unit:
    def __new__(cls, *, name, factor):
        self = super().__new__(cls)
        self.name, self.factor = name, factor
        return self

    def __getnewargs_ex__(self):
        return (), {"name": self.name, "factor": self.factor}


class Handle:
    def __init__(self, number):
        self.number = number
        self.source = (n for n in ())

    def __reduce_ex__(self, protocol):
        return Handle, (self.number,)


class Registered:
    def __init__(self, a):
        self.a = a
        self.opened = object()


copyreg.pickle(Registered, lambda r: (Registered, (r.a,)))


async def main():
    single, unit, handle, registered = Single(), Unit(name="km", factor=1000), Handle(3), Registered([1])
    shared = {"unit": unit, "all": [single, handle, handle, registered]}
    unit.shared = shared
    await effect("made")
    registered.a.append(await effect("two", 2))
    await effect("held")
    return [
        single is Single() is shared["all"][0],
        (unit.name, unit.factor, unit.shared is shared, shared["unit"] is unit),
        (handle.number, shared["all"][1] is shared["all"][2] is handle, list(handle.source)),
        registered.a,
    ]


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
