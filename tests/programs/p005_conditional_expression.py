# durable: on
"""Conditional expressions with awaits in the test and both arms, nested and as arguments."""
import asyncio

from world import effect


async def main():
    seen = []

    async def e(name, value=None):
        seen.append(name)
        return await effect(name, value)

    out = []
    for n in range(3):
        out.append(await e(f"yes{n}", n) if await e(f"test{n}", n % 2) else -n)
    value = ("a" if n > 5 else await e("inner", "b") if await e("t2", True) else await e("never"), n)
    out.append(value)

    def pick(x, *, y):
        return x, y

    out.append(pick(await e("x", 1) if n else 0, y=0 if n else await e("never2")))
    out.append([(k if k else await e("zero", "z")) for k in (0, 4)])
    out.append((lambda q: q * 2 if q else "none")(await e("lam", 0) or (await e("lam2", 3) if n == 2 else 9)))
    x = y = await e("multi", 6) if not [] else None
    x += (1 if await e("aug", True) else 2)
    out.append((x, y, {(await e("key", "k") if y else "n"): x if x > y else y}))
    return out, seen


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
