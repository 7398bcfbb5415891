# durable: on
"""Class bodies inside async functions read enclosing, global and class names in the right order across awaits."""
import asyncio

from world import effect


name = "global"


async def main():
    out = []
    name = "function"
    other = await effect("other", "o")

    class First:
        seen = name
        name = "class"
        after = name
        listed = [other for _ in range(2)]

        def get(self):
            return name

        async def late(self):
            await effect("late")
            return name, self.name

    class Second:
        global name
        before = name
        name = "changed global"

    class Third:
        nonlocal name
        name = "changed function"

        class Inner:
            value = name
            await_free = [lambda: name, lambda: other]

    await effect("classes")
    out.append((First.seen, First.name, First.after, First.listed, First().get(), await First().late()))
    out.append((Second.before, hasattr(Second, "name"), globals()["name"], name))
    out.append((Third.Inner.value, Third.Inner.await_free[0]()))
    for k in range(2):
        class Loop(First if k else object):
            index = k
            tag = other + "!"
        out.append((await effect(f"loop{k}", Loop.index), Loop.tag, Loop.__bases__[0].__name__))
    try:
        class Unbound:
            value = not_yet
    except NameError as error:
        out.append(str(error))
    not_yet = await effect("bound now", 1)
    return out, not_yet, name


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
