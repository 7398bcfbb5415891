# durable: on
"""A caller and its callees at three depths share arguments, and each sees the other's changes."""
import asyncio

from world import effect


async def deep(basket, trail, n):
    trail.append(("in", n, len(basket)))
    basket.append(await effect(f"deep {n}", n))
    if n:
        await deep(basket, trail, n - 1)
    trail.append(("out", n, len(basket)))
    basket.append(await effect(f"leave {n}", -n))
    return basket


async def main():
    basket = []
    trail = []
    view = {"basket": basket, "trail": trail}
    same = await deep(basket, trail, 3)
    await effect("after")
    view["basket"].append("end")
    return basket, trail, same is basket, same[-1]


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
