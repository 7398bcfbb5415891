# durable: on
"""Orders are paid with retries; what was done is undone by an AsyncExitStack when a later step fails."""
import asyncio
import enum
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field

from world import effect


class Status(enum.Enum):
    NEW = "new"
    PAID = "paid"
    FAILED = "failed"


class PaymentError(Exception):
    def __init__(self, code, *, again):
        super().__init__(f"payment {code}")
        self.code, self.again = code, again


@dataclass(slots=True)
class Order:
    number: int
    status: Status = Status.NEW
    log: list[str] = field(default_factory=list)


async def step(order, name):
    await effect(f"{order.number} {name}")
    order.log.append(name)


async def pay(order, attempt):
    await step(order, f"pay {attempt}")
    if order.number == 1 and attempt < 1:
        raise PaymentError(503, again=True)
    if order.number == 2:
        raise PaymentError(402, again=False)
    return f"receipt {order.number}"


async def retry(function, order, tries=3):
    for attempt in range(tries):
        try:
            return await function(order, attempt)
        except PaymentError as error:
            if not error.again:
                raise
            await effect(f"back off {2**attempt}")
    return None


async def saga(order):
    async with AsyncExitStack() as undo:
        await step(order, "reserve")
        undo.push_async_callback(step, order, "release")
        receipt = await retry(pay, order)
        order.status = Status.PAID
        if order.number == 3:
            raise RuntimeError("no courier")
        undo.pop_all()
        return receipt


async def main():
    done = []
    for number in (1, 2, 3):
        order = Order(number)
        try:
            order.log.append(await saga(order))
        except (PaymentError, RuntimeError) as error:
            order.status = Status.FAILED
            order.log.append(f"{error!r} after {error.__context__!r}")
        finally:
            await step(order, "closed")
        done.append(asdict(order))
    return done



if __name__ == "__main__":
    print(repr(asyncio.run(main())))
