# durable: on
"""Imports inside async functions, conditional and aliased, whose modules live across awaits."""
import asyncio

from world import effect


async def load(kind):
    if kind == "json":
        import json as codec
        from json import JSONDecodeError as Bad
    elif kind == "literal":
        import ast as codec
        Bad = SyntaxError
        codec_loads = codec.literal_eval
    await effect(f"loaded-{kind}")
    try:
        loads = codec.loads if kind == "json" else codec_loads
    except UnboundLocalError as error:
        return kind, str(error).split("'")[1]
    try:
        return loads(await effect(f"text-{kind}", "[1, 2")), "never"
    except Bad as error:
        return codec.__name__, type(error).__name__


async def main():
    import os.path
    import collections.abc, math as m
    from collections import OrderedDict, namedtuple as nt
    out = [await load("json"), await load("literal"), await load("neither")]
    await effect("in main")
    out.append((os.path.basename("a/b"), m.gcd(12, 18), OrderedDict(a=1)["a"], collections.abc.Sized.__name__))
    pair = nt("pair", "x y", module=__name__)
    out.append(pair(1, 2).y)
    del pair
    try:
        from math import no_such_name
    except ImportError as error:
        out.append(await effect("handler", error.name))
    try:
        import no_such_module_at_all
    except ModuleNotFoundError as error:
        await effect("missing")
        out.append(error.name)
    global late
    import string as late
    await effect("global import")
    out.append(late.digits)
    return out


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
