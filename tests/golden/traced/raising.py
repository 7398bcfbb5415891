"""Functions that raise: each is called natively and rewritten, and the tracebacks are compared."""

import asyncio


async def boom(text="boom"):
    await asyncio.sleep(0)
    raise ValueError(text)


async def give(value=None):
    await asyncio.sleep(0)
    return value


class Manager:
    def __init__(self, where="", swallow=False):
        self.where, self.swallow = where, swallow

    def _check(self, where):
        if where == self.where:
            raise KeyError(where)

    def __enter__(self):
        self._check("enter")
        return self

    def __exit__(self, *details):
        self._check("exit")
        return self.swallow

    async def __aenter__(self):
        await give()
        self._check("enter")
        return self

    async def __aexit__(self, *details):
        await give()
        self._check("exit")
        return self.swallow


async def numbers(count, fail_at=-1):
    for i in range(count):
        if i == fail_at:
            await boom("numbers")
        yield i


async def in_statement():
    value = 1
    await boom()
    return value


async def in_nested_expression():
    value = await give(1)
    return [value, (1 + await give(2)) * (
        await give(3) + await boom() + await give(4)
    )]


async def after_await_in_expression():
    value = await give(1)
    return value + len(
        await give(2)
    )


async def in_call_arguments():
    return print(
        await give(1),
        undefined_name,
        await give(2),
    )


async def in_boolean():
    return (
        await give(0)
        or await boom()
        or 1
    )


async def in_comparison():
    return 1 < await give(2) < await give("x")


async def in_conditional():
    return (
        await boom()
        if await give(1)
        else 2
    )


async def in_fstring():
    return f"{await give(1):{await give('bad')}}"


async def in_subscript():
    data = {}
    return data[await give("key")]


async def in_attribute():
    return (await give(1)).missing


async def in_augmented_assignment():
    data = [1]
    data[await give(0)] += await give("x")


async def in_unpacking():
    a, b = await give((1, 2, 3))
    return a, b


async def in_delete():
    data = {}
    del data[await give(1)]


async def in_assert():
    assert await give(0), await give("message")


async def in_raise():
    raise KeyError(await give("key")) from await give(None)


async def in_if_test():
    if await give(1):
        pass
    if await boom():
        pass


async def in_while_test():
    while await give(1):
        while await boom():
            pass


async def in_for_iterable():
    for _ in await give(None):
        await give()


async def in_for_body():
    for i in range(3):
        await give(i)
        if i == 1:
            await boom()


async def in_for_next():
    for i in map(int, ["1", "x"]):
        await give(i)


async def in_for_target():
    for a, b in [(1, 2), (3,)]:
        await give((a, b))


async def in_for_else():
    for _ in range(1):
        await give()
    else:
        await boom()


async def in_async_for():
    async for i in numbers(3, fail_at=1):
        await give(i)


async def in_async_for_body():
    async for i in numbers(3):
        if i:
            1 / await give(0)


async def in_async_for_target():
    async for a, b in numbers(3):
        pass


async def in_async_for_bad_iterable():
    async for i in [1, 2]:
        pass


async def in_with_expression():
    with await boom():
        pass


async def in_with_enter():
    with Manager("enter"):
        await give()


async def in_with_body():
    with Manager():
        await give()
        await boom()


async def in_with_exit():
    with Manager("exit"):
        await give()


async def in_with_exit_of_error():
    with Manager("exit"):
        await boom()


async def in_with_bad_manager():
    with await give(1):
        pass


async def in_async_with_enter():
    async with Manager("enter"):
        pass


async def in_async_with_body():
    async with Manager() as manager:
        await give()
        manager.missing


async def in_async_with_exit():
    async with Manager() as a, Manager("exit") as b:
        await give((a, b))


async def in_async_with_exit_of_error():
    async with Manager("exit"):
        await boom()


async def in_async_with_return():
    async with Manager("exit"):
        return 1


async def after_swallowed():
    with Manager(swallow=True):
        await boom("first")
    async with Manager(swallow=True):
        await boom("second")
    await boom("third")


async def in_handler():
    try:
        await boom("first")
    except ValueError as error:
        await give(error)
        await boom("second")


async def reraised():
    try:
        await boom()
    except ValueError:
        await give()
        raise


async def raised_from():
    try:
        await boom()
    except ValueError as error:
        await give()
        raise RuntimeError("other") from error


async def in_handler_type():
    try:
        await boom()
    except await give(KeyError):
        pass


async def in_else():
    try:
        await give()
    except ValueError:
        pass
    else:
        await boom()


async def in_finally():
    try:
        await boom("first")
    finally:
        await give()
        await boom("second")


async def through_finally():
    try:
        await boom()
    finally:
        await give()


async def through_finally_with_return():
    try:
        return await give(1)
    finally:
        await boom()


async def in_except_star():
    try:
        raise ExceptionGroup("group", [ValueError("a"), KeyError("b")])
    except* ValueError:
        await boom("handler")


async def through_except_star():
    try:
        await give()
        raise ExceptionGroup("group", [ValueError("a"), KeyError("b")])
    except* ValueError:
        await give()


async def in_match_guard():
    match await give(1):
        case int(x) if await boom():
            return x


async def in_match_body():
    match await give([1, 2]):
        case [1, x]:
            return x + await give("x")


async def in_generator():
    def generate():
        received = yield 1
        yield received.missing

    generator = generate()
    next(generator)
    await give()
    generator.send(2)


async def in_yield_from():
    def inner():
        yield 1
        raise ValueError("inner")

    def outer():
        yield from inner()

    for i in outer():
        await give(i)


async def in_generator_expression():
    values = (1 // i for i in range(2))
    await give()
    return list(values)


async def in_lambda_and_method():
    class Local:
        async def method(self):
            return await (lambda: boom())()

    return await Local().method()


async def in_decorator():
    @await give(lambda function: function.missing)
    def inner():
        pass


async def in_class_body():
    class Local(await give(object)):
        value = undefined_name


async def in_list_comprehension():
    return [
        await boom()
        for _ in range(2)
    ]


async def in_comprehension_condition():
    return {
        x: await give(x)
        for x in range(2)
        if await give(x) or await boom()
    }


async def in_comprehension_iteration():
    return {
        i + 1
        async for i in numbers(2, fail_at=1)
    }


async def in_first_iterable():
    return [x for x in await boom()]


async def in_plain_comprehension():
    return [1 // x for x in await give([1, 0])]


async def in_async_generator_expression():
    values = (await give(1) + i.missing async for i in numbers(2))
    return [value async for value in values]
