# durable: on
"""Async classmethods, staticmethods, properties returning coroutines, __call__ and private methods are held and awaited."""
import asyncio

from world import effect


class Service:
    __count = 0

    def __init__(self, name):
        self.name = name
        self.__secret = [name]

    @classmethod
    async def create(cls, name):
        self = cls(await effect(f"create {name}", name))
        self.__count += 1
        return self

    @staticmethod
    async def ping(x):
        return await effect(f"ping {x}", x)

    @property
    def status(self):
        return self.__status()

    async def __status(self):
        return await effect(f"status {self.name}", (self.name, self.__count, self.__secret))

    async def __call__(self, *args, **kw):
        return await effect(f"call {self.name}", (args, kw))

    async def __aenter__(self):
        self.__secret.append(await effect("enter", "in"))
        return self.__secret

    async def __aexit__(self, *exc):
        self.__secret.append(await effect("exit", exc[0]))

    def __aiter__(self):
        return self

    async def __anext__(self):
        if len(self.__secret) > 4:
            raise StopAsyncIteration
        self.__secret.append(await effect(f"next {len(self.__secret)}", len(self.__secret)))
        return self.__secret[-1]


async def main():
    create, ping = Service.create, Service.ping
    await effect("held")
    service = await create("s")
    pending, call = service.status, service
    out = [await ping(1), await call(1, *[2], k=3)]
    out.append(await pending)
    async with service as secret:
        out.append(len(secret))
    out.append([n async for n in service])
    return out, service._Service__secret is secret, secret


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
