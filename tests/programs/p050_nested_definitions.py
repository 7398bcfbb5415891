# durable: on
"""Awaits in defaults, decorators, annotations, bases and keywords of nested definitions, in order."""
import asyncio

from world import effect


trace = []


async def t(name, value=None):
    trace.append(name)
    return await effect(name, value)


def decorator(tag):
    def decorate(thing):
        trace.append(f"apply {tag}")
        thing.tags = getattr(thing, "tags", ()) + (tag,)
        return thing
    return decorate


class Base:
    def __init_subclass__(cls, **kwargs):
        trace.append(("subclass", sorted(kwargs.items())))
        super().__init_subclass__()


class Meta(type):
    def __new__(mcls, name, bases, namespace, **kwargs):
        trace.append(("meta", name))
        return super().__new__(mcls, name, bases, namespace, **kwargs)

    def __init__(cls, name, bases, namespace, **kwargs):
        super().__init__(name, bases, namespace)


async def main():
    x = 1

    @(await t("deco1", decorator("one")))
    @(await t("deco2", decorator("two")))
    async def nested(a=await t("default", 5), *, b=await t("kwdefault", 6)) -> None:
        return a, b, x, await t("in nested", 7)

    @decorator(await t("class tag", "ct"))
    class Local(await t("base", Base), metaclass=await t("metaclass", Meta), flag=await t("flag", True)):
        y = x + 1

        async def method(self, z=x):
            return self.y, z, x, __class__.__name__

    x = 2
    out = [await nested(), nested.tags, await Local().method(), Local.tags, Local.__qualname__]
    await t("before lambda")
    pick = lambda k=await t("lambda default", 3), *, j=x: (k, j, x)
    x = 3
    out.append(pick())
    out.append((isinstance(Local, Meta), issubclass(Local, Base)))
    return out, trace


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
