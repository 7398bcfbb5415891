# durable: on
"""for loops over many iterables, with else, nested breaks, and iterators shared between loops."""
import asyncio

from world import effect


async def main():
    out = []
    for a in await effect("outer", [1, 2, 3]):
        for b in range(a):
            if b == 1 and a == 2:
                await effect("breaking")
                break
            out.append((a, b))
        else:
            out.append(f"else {a}")
            if a == 3:
                continue
            await effect(f"no break {a}")
        out.append(f"tail {a}")
    else:
        out.append("outer else")
    shared = iter("abcdef")
    for x in shared:
        out.append(x)
        for y in shared:
            out.append(await effect(f"inner-{y}", y.upper()))
            break
        if x == "c":
            break
    out.append("".join(shared))
    data = [1, 2]
    for item in data:
        if item < 3:
            data.append(item + await effect(f"grow{item}", 2))
    out.append(data)
    for k, (i, *j) in {"p": (1, 2, 3)}.items():
        await effect("items")
        out.append((k, i, j))
    for index, (left, right) in enumerate(zip("xy", reversed([1, 2])), start=await effect("start", 5)):
        out.append((index, left, right))
        await effect(f"zip{index}")
    return out, x, y, item


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
