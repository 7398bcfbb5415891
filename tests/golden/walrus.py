"""Assignment expressions."""


async def statement(f, a):
    if (x := await f(a)) and (y := x):
        return x, y
    while chunk := await f(1):
        a += chunk
    return a


async def operand(f, a):
    return (a := a + 1) + await f(a) + (b := await f(2)) + b
