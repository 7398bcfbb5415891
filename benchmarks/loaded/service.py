# durable: on
"""The handlers of a small service, as an application would write them."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

router = APIRouter()


class Line(BaseModel):
    """One line of an order."""

    name: str
    amount: int


class Order(BaseModel):
    """What a client sends."""

    customer: str
    lines: list[Line]


async def price_of(name: str) -> int:
    return len(name) * 3


async def save(order: Order, total: int) -> str:
    return f"{order.customer}-{total}"


@router.post("/orders")
async def order(order: Order) -> dict[str, Any]:
    total = 0
    texts = []
    for line in order.lines:
        price = await price_of(line.name)
        total += price * line.amount
        texts.append(f"{line.amount} x {line.name}: {price * line.amount}")
    return {"id": await save(order, total), "total": total, "texts": texts}
