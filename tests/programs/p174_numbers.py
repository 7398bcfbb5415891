# durable: on
"""Big ints, floats with nan and infinities, complex, Decimal with contexts and Fraction survive bit for bit."""
import asyncio
import decimal
import math
from decimal import Decimal
from fractions import Fraction

from world import effect


async def main():
    big = 3**400
    negative = -(2**63)
    values = [0.1, -0.0, math.inf, -math.inf, math.pi, 5e-324, 1e308]
    nan = float("nan")
    holder = {"nan": nan, "list": [nan]}
    z = complex(-0.0, math.inf)
    price, third = Decimal("19.990"), Fraction(1, 3)
    special = [Decimal("NaN"), Decimal("-Infinity"), Decimal("1E+10")]
    await effect("made")
    big += await effect("one", 1)
    price *= await effect("times", Decimal("1.10"))
    third += Fraction(1, await effect("six", 6))
    short = decimal.Context(prec=5).divide(1, 7)
    await effect("after")
    return [
        (big % 1_000_007, negative),
        [math.copysign(1, v) for v in values],
        [v.hex() for v in values],
        holder["nan"] is holder["list"][0] and nan in holder["list"] and nan != nan,
        (z, price, third, short, Decimal(1) / Decimal(7)),
        [str(d) for d in special],
        (0.1 + 0.2).hex(),
        (True + True, 7 // -2, divmod(-7, 2), round(2.5)),
    ]


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
