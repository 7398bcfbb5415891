# durable: on
"""A part of a larger service, as applications have them: records, checks, text, files, requests.

``benchmarks.importing`` makes modules of any length of it, by repeating what comes after the imports under other names.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)

# --- repeated

NAME_1 = re.compile(r"[a-z][a-z0-9-]*")
LIMITS_1 = {"orders": 100, "lines": 20, "retries": 3}


class Refused_1(Exception):
    """The service does not want this order."""

    def __init__(self, reason: str, order: str | None = None) -> None:
        super().__init__(reason if order is None else f"{order}: {reason}")
        self.reason = reason
        self.order = order


@dataclass(frozen=True)
class Line_1:
    """One line of an order."""

    name: str
    amount: int = 1
    price: float = 0.0

    def total(self) -> float:
        """What it costs."""
        return round(self.amount * self.price, 2)


@dataclass
class Order_1:
    """What somebody wants."""

    number: str
    customer: str
    lines: list[Line_1] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)

    def total(self) -> float:
        """What all of it costs."""
        return sum(line.total() for line in self.lines)

    def names(self) -> set[str]:
        """What is wanted."""
        return {line.name for line in self.lines}

    def to_json(self) -> str:
        """For files and for other services."""
        lines = [{"name": line.name, "amount": line.amount, "price": line.price} for line in self.lines]
        return json.dumps({"number": self.number, "customer": self.customer, "lines": lines, "notes": self.notes})


def parse_1(text: str) -> Order_1:
    """An order from its JSON text."""
    try:
        data = json.loads(text)
        lines = [Line_1(each["name"], int(each.get("amount", 1)), float(each["price"])) for each in data["lines"]]
        order = Order_1(data["number"], data["customer"], lines, dict(data.get("notes", {})))
    except (ValueError, KeyError, TypeError) as error:
        raise Refused_1(f"it cannot be read: {error}") from error
    if len(order.lines) > LIMITS_1["lines"]:
        raise Refused_1(f"more than {LIMITS_1['lines']} lines", order.number)
    for line in order.lines:
        if not NAME_1.fullmatch(line.name):
            raise Refused_1(f"{line.name!r} is no name of a product", order.number)
    return order


def summary_1(orders: list[Order_1]) -> str:
    """A table for people."""
    width = max((len(order.customer) for order in orders), default=0)
    rows = [f"{order.number:>8}  {order.customer:<{width}}  {order.total():10.2f}" for order in orders]
    return "\n".join([*rows, f"{len(orders)} orders, {sum(order.total() for order in orders):.2f} in all"])


class Client_1:
    """Asks another service."""

    def __init__(self, address: str, send: Callable[[str], Awaitable[str]], timeout: float = 5.0) -> None:
        self.address = address
        self.timeout = timeout
        self._send = send
        self._seen: dict[str, str] = {}

    async def get(self, path: str) -> Any:
        """What the service answers; it is asked again when it does not."""
        for attempt in range(1, LIMITS_1["retries"] + 1):
            try:
                async with asyncio.timeout(self.timeout):
                    text = self._seen.get(path) or await self._send(f"{self.address}/{path}")
            except TimeoutError:
                logger.warning("%s: no answer (%d)", path, attempt)
                await asyncio.sleep(attempt / 10)
            else:
                self._seen[path] = text
                return json.loads(text)
        raise Refused_1(f"no answer from {self.address}")

    async def price_of(self, name: str) -> float:
        """What a product costs today."""
        answer = await self.get(f"prices/{name}")
        return float(answer["price"]) * (1 + answer.get("tax", 0.0))

    @contextlib.asynccontextmanager
    async def session(self) -> AsyncIterator[Client_1]:
        """For several questions."""
        await self.get("begin")
        try:
            yield self
        finally:
            await self.get("end")


async def priced_1(client: Client_1, order: Order_1) -> Order_1:
    """The order with the prices of today."""
    async with client.session():
        prices = await asyncio.gather(*(client.price_of(line.name) for line in order.lines))
    lines = [Line_1(line.name, line.amount, price) for line, price in zip(order.lines, prices, strict=True)]
    return Order_1(order.number, order.customer, lines, order.notes)


async def handle_1(client: Client_1, text: str, folder: Path) -> dict[str, Any]:
    """One request from its text to its answer."""
    try:
        order = await priced_1(client, parse_1(text))
        await asyncio.to_thread((folder / f"{order.number}.json").write_text, order.to_json())
    except Refused_1 as error:
        logger.info("refused: %s", error)
        return {"status": 422, "reason": error.reason, "order": error.order}
    except OSError as error:
        return {"status": 500, "reason": f"it cannot be kept: {error}"}
    return {"status": 200, "order": order.number, "total": order.total(), "names": sorted(order.names())}


async def handle_all_1(client: Client_1, texts: AsyncIterator[str], folder: Path) -> list[dict[str, Any]]:
    """Each request in its turn."""
    answers = []
    async for text in texts:
        answers.append(await handle_1(client, text, folder))
        if answers[-1]["status"] == 500:
            break
    return answers
