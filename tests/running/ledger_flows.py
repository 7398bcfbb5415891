# durable: on
"""Programs whose own rows are committed with their checkpoints: ``rows`` are put there by an effect, as are the values read."""

import asyncio

from durable_import import current_runtime, wait_for_event
from tests.running.effects import book_row, count_rows, effect


async def book_in_turn(names):
    """A transaction for each, with a look at what is there; effects in between."""
    seen = []
    for name in names:
        await effect(f"before {name}")
        async with current_runtime().transaction() as connection:
            await book_row(connection, f"{name} in")
            seen.append(await count_rows(connection))
            await book_row(connection, f"{name} out")
        await effect(f"after {name}")
    return seen


async def book_and_undo(names):
    """Each is undone once before it is there."""
    tries = []
    for name in names:
        for attempt in range(2):
            try:
                async with current_runtime().transaction() as connection:
                    await book_row(connection, name)
                    if not attempt:
                        raise LookupError(name)
            except LookupError as error:
                tries.append(str(error))
                await effect(f"undone {name}")
    return tries


async def book_side_by_side(names):
    """Tasks of one instance take turns; what they have booked is seen by the last one."""

    async def book(name):
        await effect(f"comes {name}")
        async with current_runtime().transaction() as connection:
            await book_row(connection, name)
        return name

    booked = await asyncio.gather(*(book(name) for name in names))
    async with current_runtime().transaction() as connection:
        return sorted(booked), await count_rows(connection)


async def book_what_comes(count):
    """Events are taken, and booked, each once though it may come twice."""
    names = []
    while len(names) < count:
        name = await wait_for_event("name")
        if name not in names:
            async with current_runtime().transaction() as connection:
                await book_row(connection, name)
                names.append(name)
    return names


async def book_last(name):
    """The end of the program is committed with its rows."""
    async with current_runtime().transaction() as connection:
        await book_row(connection, name)
        return name


async def book_for_long(name, count):
    """Steps, and a row after each fifth."""
    for number in range(count):
        await effect(f"{name} {number}")
        await asyncio.sleep(0.01)
        if number % 5 == 4:
            async with current_runtime().transaction() as connection:
                await book_row(connection, f"{name} {number}")
    return name
