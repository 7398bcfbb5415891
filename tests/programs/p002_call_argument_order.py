# durable: on
"""Callee, receiver and arguments are evaluated left to right around awaits, with stars and keywords."""
import asyncio

from world import effect


trace = []


def note(name, value):
    trace.append(name)
    return value


class Box:
    def __init__(self, tag):
        self.tag = tag

    def take(self, *args, **kwargs):
        return self.tag, args, list(kwargs.items())


async def main():
    box = Box("old")
    out = []

    async def swap(tag):
        nonlocal box
        trace.append(f"swap {tag}")
        box = Box(tag)
        return await effect(f"swap-{tag}", tag)

    # the bound method is loaded before the await rebinds `box`
    out.append(box.take(box.tag, await swap("new"), box.tag))
    out.append(note("f", box.take)(note("a", 1), *note("b", [2, 3]), await swap("third"), k=note("k", 4), **note("kw", {"z": box.tag})))
    out.append(box.take(*[await swap("s1"), box.tag], *(box.tag,), x=await swap("s2"), **{"y": box.tag}, z=await effect("z", box.tag)))
    out.append((await effect("callee", box.take))(await effect("arg", 1), last=box.tag))
    try:
        box.take(**{"a": 1}, **{"a": await effect("dup", 2)})
    except TypeError as error:
        out.append("multiple values" in str(error))
    missing = None
    try:
        missing.take(await effect("never"))
    except AttributeError as error:
        out.append(str(error))
    try:
        missing(await effect("args come first"))
    except TypeError as error:
        out.append(str(error))
    return out, trace


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
