# durable: on
"""Operands loaded before an await keep their old values when the callee rebinds the names."""
import asyncio

from world import effect


async def main():
    x = 1
    out = []

    async def bump(by):
        nonlocal x
        x += by
        return await effect(f"bump{by}", x)

    out.append(x + await bump(10))
    out.append((x, await bump(1), x))
    out.append([x, *[x, await bump(2)], x])
    out.append({x: await bump(3), await bump(4): x})
    out.append(x < await bump(5) < x + 1)
    out.append(-x ** (await bump(1) % 3) + x)
    out.append((x * 2, not await bump(1), ~x))
    x += await bump(100)
    out.append(x)
    out.append(f"{x} {await bump(1)} {x!r:>5} {await bump(2):<4}|")
    out.append((x if await bump(1) > 3 else -1) - x)
    return out


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
