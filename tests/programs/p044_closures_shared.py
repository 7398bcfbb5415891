# durable: on
"""Cells shared by several closures and by the frame keep one value across awaits."""
import asyncio

from world import effect


def account(start):
    balance = start
    history = []

    async def deposit(n):
        nonlocal balance
        balance += await effect(f"deposit{n}", n)
        history.append(balance)
        return balance

    async def withdraw(n):
        nonlocal balance
        before = balance
        await effect(f"withdraw{n}")
        balance = before - n
        history.append(-n)

    def peek():
        return balance, history

    return deposit, withdraw, peek


async def main():
    deposit, withdraw, peek = account(10)
    other, _, other_peek = account(0)
    out = [await deposit(5), await other(1)]
    await withdraw(3)
    out.append((peek(), other_peek()))
    level = 0

    async def outer():
        nonlocal level
        level += 1
        inner_value = level

        async def inner():
            nonlocal level, inner_value
            level += 10
            inner_value *= 2
            await effect(f"inner{level}")
            return level, inner_value

        pair = await inner()
        return pair, inner_value, inner

    first, value, keep = await outer()
    level = 100
    out.append((first, value, await keep(), level))
    cells = dict(zip(peek.__code__.co_freevars, peek.__closure__))
    deposit_cells = dict(zip(deposit.__code__.co_freevars, deposit.__closure__))
    await effect("cells")
    out.append((cells["balance"].cell_contents, cells["history"].cell_contents is peek()[1], deposit_cells["balance"] is cells["balance"]))
    cells["balance"].cell_contents = 1000
    await deposit(1)
    out.append(peek()[0])
    out.append([name for name in keep.__code__.co_freevars if name.isidentifier()])
    return out


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
