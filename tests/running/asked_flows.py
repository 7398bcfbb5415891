# durable: on
"""Durable functions that are asked something, and one that asks."""

import asyncio
import socket

from durable_import import current_runtime, on_ask, questions, wait_for_event
from tests.running.effects import effect, hold


async def sell(prices):
    sold = []
    async for request in questions("price"):
        await effect(f"asked {request.payload}")
        if request.payload == "end":
            request.answer(sold)
            return sold
        sold.append(request.payload)
        request.answer(prices.get(request.payload))
    raise AssertionError("there is always another question")


async def sell_beside_a_step(prices):
    selling = asyncio.create_task(sell(prices))
    await hold("step")
    return await selling


async def count_to(total):
    done = [0]

    def how_far(step):
        return done[0] // step

    on_ask("done", how_far)
    on_ask("all", lambda payload: (list(done), payload))
    while done[0] < total:
        done[0] += await wait_for_event("more")
    on_ask("done", None)
    await wait_for_event("end")


async def answer_wrongly():
    async for request in questions("what"):
        if request.payload == "fail":
            request.fail(LookupError("no such thing"))
        elif request.payload == "twice":
            request.answer(1)
            try:
                request.answer(2)
            except Exception as error:
                await effect(str(error))
        elif request.payload == "unsavable":
            try:
                request.answer(socket.socket())
            except Exception as error:
                await effect(type(error).__name__)
            request.answer("sorry")
        else:
            return


async def ask_others(name, payloads):
    handle = current_runtime().handle(name)
    answers = [await handle.ask("price", payload) for payload in payloads]
    await wait_for_event("end")
    return answers


async def rest_then_sell(prices):
    await wait_for_event("open")
    return await sell(prices)


async def answer_elsewhere():
    async for request in questions("where"):
        await asyncio.to_thread(request.answer, "in a thread")
