# durable: on
"""A with block over decimal.localcontext keeps its precision after the awaits inside of it, and the outer one comes back."""
import asyncio
import decimal
from decimal import Decimal

from world import effect


async def main():
    out = []
    with decimal.localcontext(prec=5):
        out.append(Decimal(1) / Decimal(7))
        await effect("inside")
        out.append(Decimal(1) / Decimal(7))
        with decimal.localcontext(prec=2, rounding=decimal.ROUND_UP):
            out.append(await effect("deeper", Decimal(1) / Decimal(7)))
            out.append(Decimal(1) / Decimal(7))
        await effect("back")
        out.append(Decimal(1) / Decimal(7))
    await effect("after")
    out.append(Decimal(1) / Decimal(7))
    return out


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
