# durable: on
"""What happens to an order, from top to bottom, however long it takes and however often the process is killed meanwhile."""

import asyncio
import os
from contextlib import AsyncExitStack

import httpx
from pydantic import BaseModel

from durable_import import step_key, wait_for_event

from . import stock

bank = httpx.AsyncClient(base_url=os.environ.get("BANK_URL", "http://127.0.0.1:8001"))  # each process makes its own


class Order(BaseModel):
    id: str
    item: str
    price: int
    patience: float = 7 * 24 * 3600.0  # seconds to wait for the approval


class PaymentRefusedError(Exception):
    """The bank does not pay."""


async def fulfil(order: Order) -> str:
    """Carry out an order; gives how it ended. What was done of one that is refused, declined or cancelled is undone."""
    if not await asyncio.to_thread(stock.reserve, order.id, order.item):
        return "out of stock"
    async with AsyncExitStack() as undo:
        undo.push_async_callback(asyncio.to_thread, stock.release, order.id)
        receipt = await tell_bank("/charges", {"order": order.id, "amount": order.price})
        undo.push_async_callback(tell_bank, "/refunds", {"order": order.id, "receipt": receipt})
        try:
            approved = await wait_for_event("approval", timeout=order.patience)
        except TimeoutError:
            approved = False
        if not approved:
            return "refunded"
        await asyncio.to_thread(stock.ship, order.id)
        undo.pop_all()
    return "shipped"


async def tell_bank(path: str, what: dict[str, object]) -> str:
    """Have the bank do something once; while it is away, ask again, each time after twice as long. Gives the receipt.

    The bank knows by the key that it has had this call before: from an earlier attempt, or from a process that was killed.
    """
    key, pause = step_key(), 0.5
    while True:
        try:
            reply = await bank.post(path, json=what, headers={"Idempotency-Key": key})
        except httpx.TransportError:
            await asyncio.sleep(pause)
            pause = min(2 * pause, 60)
            continue
        if reply.status_code == httpx.codes.PAYMENT_REQUIRED:
            raise PaymentRefusedError(f"the bank refuses: {reply.json()['detail']}")
        return str(reply.raise_for_status().json()["receipt"])
