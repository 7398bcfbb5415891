# durable: on
"""One function for each kind of code; each is given how often to do its work."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any


async def instant(value: int) -> int:
    return value


async def trivial_await(count: int) -> None:
    for _ in range(count):
        await instant(1)


async def add_awaited(count: int) -> int:
    total = 0
    for i in range(count):
        total += await instant(i)
    return total


class Transaction:
    """A small context manager."""

    def __init__(self, log: list[str]) -> None:
        self.log = log

    def __enter__(self) -> Transaction:
        self.log.append("begin")
        return self

    def __exit__(self, *error: object) -> None:
        self.log.append("end")


async def load_user(number: int) -> dict[str, Any]:
    return {"id": number, "name": f"user {number}", "roles": ["reader", "writer"], "limit": 100 + number % 7}


async def load_prices(names: list[str]) -> dict[str, int]:
    return {name: len(name) * 3 for name in names}


async def save(order: dict[str, Any]) -> int:
    return len(order["lines"])


async def handle(number: int, log: list[str]) -> dict[str, Any]:
    """A typical request handler: looks things up, checks, computes, stores, answers."""
    wanted = [("apple", 2), ("pear", 1), ("plum", number % 5), ("quince", 3)]
    user = await load_user(number)
    if "writer" not in user["roles"]:
        return {"status": 403, "error": f"{user['name']} may not order"}
    prices = await load_prices([name for name, _ in wanted])
    lines: list[dict[str, Any]] = []
    total = 0
    for name, amount in wanted:
        if not amount:
            continue
        price = prices[name] * amount
        total += price
        lines.append({"name": name.title(), "amount": amount, "price": price, "text": f"{amount:>3} x {name}: {price:.2f}"})
    try:
        with Transaction(log):
            if total > user["limit"]:
                raise ValueError(f"{total} is more than {user['limit']}")
            saved = await save({"user": user["id"], "lines": lines, "total": total})
    except ValueError as error:
        return {"status": 422, "error": str(error)}
    by_price = sorted(lines, key=lambda line: line["price"], reverse=True)
    return {"status": 200, "saved": saved, "total": total, "dearest": by_price[0]["name"], "lines": by_price}


async def handler_mix(count: int) -> int:
    good = 0
    for number in range(count):
        log: list[str] = []
        answer = await handle(number, log)
        good += answer["status"] == 200
    return good


def digits(count: int) -> dict[int, int]:
    """A sync function in a durable module."""
    found: dict[int, int] = {}
    for number in range(count):
        rest = number
        while rest:
            rest, digit = divmod(rest, 10)
            found[digit] = found.get(digit, 0) + 1
    return found


async def sync_loop(count: int) -> dict[int, int]:
    return digits(count)


async def countdown(count: int) -> AsyncIterator[int]:
    for number in range(count):
        yield number


async def asynchronous_comprehension(count: int) -> int:
    total = 0
    for _ in range(count):
        total += len([await instant(x) for x in range(10) if x % 3])
        total += sum([x async for x in countdown(5)])
    return total


async def asynchronous_generator(count: int) -> int:
    total = 0
    async for number in countdown(count):
        total += number
    return total


def counter(step: int) -> Callable[[int], Any]:
    total = 0

    async def add(value: int) -> int:
        nonlocal total
        total += await instant(value) * step
        return total

    return add


async def closures(count: int) -> int:
    total = 0
    add = counter(3)

    def note(value: int) -> None:
        nonlocal total
        total += value

    for number in range(count):
        note(await add(number))
    return total
