# durable: on
"""Zero-argument super() and __class__ in async methods, across multiple inheritance and awaits."""
import asyncio

from world import effect


class Base:
    def __init_subclass__(cls, tag=None, **kwargs):
        super().__init_subclass__(**kwargs)
        cls.tag = tag

    async def run(self, log):
        log.append(("Base", __class__.__name__))
        return await effect("base", "base")

    @property
    def value(self):
        return 1


class Left(Base, tag="L"):
    async def run(self, log):
        log.append("Left before")
        result = await super().run(log)
        log.append(("Left after", super().tag))
        return result + "-left"

    @property
    def value(self):
        return super().value + 10


class Right(Base, tag="R"):
    async def run(self, log):
        await effect("right")
        log.append("Right")
        return await super().run(log) + "-right"

    @classmethod
    async def make(cls, name):
        await effect("make")
        return cls.__name__, name


class Both(Left, Right, tag="B"):
    async def run(self, log):
        await effect("both")

        async def nested():
            await effect("nested")
            return await super(__class__, self).run(log)

        return await nested() + "-both", self.value, super().value

    @classmethod
    async def make(cls, name):
        made = await super().make(name)
        return made, (await effect("again", super().make)).__self__.__name__

    async def items(self):
        yield __class__
        await effect("yielded")
        yield super().tag


async def main():
    log = []
    both = Both()
    out = [await both.run(log), await Both.make("m")]
    out.append([getattr(x, "__name__", x) async for x in both.items()])
    return out, log


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
