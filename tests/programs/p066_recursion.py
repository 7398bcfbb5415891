# durable: on
"""Deep, mutual and tree recursion of async functions with locals at every level."""
import asyncio

from world import effect


async def deep(n, path):
    mine = [n]
    if n == 0:
        path.append(await effect("bottom", "bottom"))
        return 0
    result = await deep(n - 1, path) + mine[0]
    mine.append(result)
    if n % 20 == 0:
        path.append((n, await effect(f"up{n}", mine)))
    return result


async def even(n):
    return True if n == 0 else await odd(n - 1)


async def odd(n):
    if n == 3:
        await effect("three")
    return False if n == 0 else await even(n - 1)


async def hanoi(n, a, b, c, moves):
    if n:
        await hanoi(n - 1, a, c, b, moves)
        moves.append(await effect(f"{a}{c}", (a, c)))
        await hanoi(n - 1, b, a, c, moves)


async def tree(n):
    yield n
    if n < 4:
        async for x in tree(n * 2):
            yield x
        async for x in tree(n * 2 + 1):
            yield x


async def main():
    path, moves = [], []
    out = [await deep(60, path), path, await even(30)]
    await hanoi(2, "A", "B", "C", moves)
    out.append(moves)
    out.append([x async for x in tree(1)])

    async def fib(n, memo={}):
        if n not in memo:
            memo[n] = n if n < 2 else await fib(n - 1) + await fib(n - 2)
            if n == 10:
                await effect("ten")
        return memo[n]

    out.append(await fib(20))
    return out


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
