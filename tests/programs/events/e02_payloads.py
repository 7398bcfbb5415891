# durable: on
"""Payloads come in the order in which they were published, also those that nobody waited for."""

from durable_import import wait_for_event
from world import effect

EVENTS = [("item", 1), ("other", {"k": [1, 2]}), ("item", 2), ("item", 3), ("done", None)]
EXPECTED = ([None, 1, 2, 3, {"k": [1, 2]}], True)


async def main():
    got = [await wait_for_event("done")]
    for _ in range(3):
        got.append(await wait_for_event("item"))
        await effect(f"item {got[-1]}")
    got.append(await wait_for_event("other"))
    try:
        await wait_for_event("item", timeout=0)
    except TimeoutError:
        return got, True
