# durable: on
"""Assignment expressions bind in the right scope around awaits and inside comprehensions."""
import asyncio

from world import effect


async def numbers(n):
    for k in range(n):
        yield await effect(f"num{k}", k)


async def main():
    out = []
    if (n := await effect("n", 3)) > 2 and (m := n * 2) and (m := m + await effect("m", 1)):
        out.append((n, m))
    out.append([last := k async for k in numbers(n)])
    out.append(last)
    out.append({(total := total + k if k else 10): seen for k in range(2) if (seen := await effect(f"if{k}", k * 5)) is not None})
    out.append((total, seen))
    queue = [1, 2, 0, 3]
    while (item := await effect("pop", queue.pop(0))):
        out.append(item)
    else:
        out.append(("else", item, queue))

    def inner():
        nonlocal n
        return [n := n + j for j in range(3)], n

    out.append(inner())
    out.append(n)
    out.append((lambda: (z := 5) + z)())
    print(out, (shown := await effect("arg", "x")), sep="")
    return out, shown


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
