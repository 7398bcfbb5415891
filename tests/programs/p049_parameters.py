# durable: on
"""Positional-only, keyword-only, defaults, *args and **kwargs of async functions across awaits."""
import asyncio

from world import effect


async def every(a, b=2, /, c=3, *args, d, e=5, **kwargs):
    before = (a, b, c, args, d, e, kwargs)
    a, args, kwargs["new"] = await effect("in every", "A"), args + (b,), e
    return before[:3], before[4:6], a, args, sorted(kwargs)


async def shared(item, bucket=[], *, seen={}):
    bucket.append(await effect(f"item{item}", item))
    seen[item] = len(bucket)
    return bucket, seen


async def star(*args, **kwargs):
    await effect("star")
    args = list(args)
    args.append(kwargs.pop("x", None))
    return args, kwargs


async def main():
    out = [await every(1, d=4)]
    out.append(await every(1, 9, 8, 7, 6, d=0, a="kw a", b="kw b"))
    first, _ = await shared(1)
    second, seen = await shared(2)
    out.append((first is second, first, seen, shared.__defaults__[0] is first))
    args, kwargs = await star(1, *(2, 3), x=4, **{"y": 5})
    out.append((args, kwargs))
    for bad in [lambda: every(), lambda: every(a=1, d=2), lambda: every(1, d=1, **{"d": 2}), lambda: star(1, **{1: 2})]:
        try:
            await bad()
        except TypeError as error:
            await effect("bad call")
            out.append(str(error).split("(")[0].split(".")[-1] + str(error)[-24:])
    rest = functools_free(1, 2, 3)
    await effect("held")
    out.append(next(rest))
    out.append(await (lambda x, *y, z=await effect("lambda default", 1), **w: star(x, *y, z=z, **w))(0, 1, q=2))
    return out


def functools_free(*args):
    yield from [args[::-1]]


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
