# durable: on
"""A module-level instance whose attributes change in its methods keeps them."""
import asyncio

from world import effect


class Registry:
    def __init__(self):
        self.items = {}
        self.version = 0

    def put(self, key, value):
        self.items[key] = value
        self.version += 1

    async def load(self, *keys):
        for key in keys:
            self.put(key, await effect(f"load {key}", key * 2))


class Settings:
    debug = False


REGISTRY = Registry()
SETTINGS = Settings()


async def main():
    mine = REGISTRY
    await REGISTRY.load("a", "b")
    SETTINGS.debug = await effect("debug", True)
    SETTINGS.extra = [mine]
    await effect("held")
    mine.put("c", 3)
    await mine.load("d")
    return mine is REGISTRY, REGISTRY.items, REGISTRY.version, vars(SETTINGS) == {"debug": True, "extra": [mine]}


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
