# durable: on
"""Durable functions whose variables are shown on a page."""

import asyncio
from dataclasses import dataclass

from durable_import import on_ask, questions, set_tag, wait_for_event


class Writes:
    """Leaves a file behind wherever it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


@dataclass
class Account:
    name: str
    api_key: str


async def approve(number, phrase):
    answer = await wait_for_event("approval")
    return number, answer, phrase


async def order(number, path, key):
    account = Account("<img src=x onerror=alert(1)>", key)
    password = "open sesame"
    repeated = [password, "plain"]
    headers = [("Authorization", "Bearer abc123xyz")]
    max_tokens = 4096
    trap = Writes(path)
    set_tag(customer="c1")
    on_ask("number", lambda payload: {"number": number, "asked": payload})
    async with asyncio.TaskGroup() as group:
        asked = group.create_task(approve(number, key), name="approval </section>")
        await asyncio.sleep(0)
    return asked.result()[1], bool(trap and account and repeated and headers and max_tokens)


async def answer_wrongly():
    async for request in questions("what"):
        request.fail(LookupError("no such thing"))


async def answer_with(path):
    key = {"path": path}
    key["self"] = key
    answers = {
        "trap": Writes(path),
        "account": Account("a", "b"),
        "round": key,
        "odd": [(1, 2.5), {1: b"x"}, float("nan"), {3}, None, True],
        "deep": [],
        "large": 2**20_000,
    }
    for _ in range(1000):
        answers["deep"] = [answers["deep"]]
    async for request in questions("what"):
        request.answer(answers[request.payload])


async def fail_once():
    if await wait_for_event("again") != "well":
        raise ValueError("not <b>well</b>")


async def rest():
    await asyncio.sleep(3600)


async def add_up(numbers):
    total, seen = 0, {"last": None, "count": 0}
    for number in numbers:
        total += await asyncio.to_thread(abs, number)
        seen = {"last": number, "count": seen["count"] + 1}
        password = f"secret {number}"
    return total, password
