"""The program of docs/retries.md, run as it stands there, killed in each request, with an outage of a day each time."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.harness.processes import KILLED, Desk

DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "retries.md"

SHOP = """
    import asyncio

    from world import effect

    class Busy(Exception):
        pass

    requests = 0

    async def price_of(item):
        await asyncio.sleep(0.01)
        with open("requests", "a") as file:
            file.write("x")
        number = len(open("requests").read())
        await effect(f"request {number}")
        if number % 3:
            raise Busy(item)
        return number
"""


@pytest.mark.slow
def test_document(desk: Desk) -> None:
    """Each request that was killed is made again, has its time, and the attempts that have failed stay failed."""
    (program,) = re.findall(r"^```python\n(.*?)^```", DOCUMENT.read_text(), re.DOTALL | re.MULTILINE)
    (command,) = re.findall(r"^\$ python -m durable_import run (\S+)$", DOCUMENT.read_text(), re.MULTILINE)
    (desk.folder / command).write_text(program)
    desk.write("requests", "xx")
    desk.write("shop.py", SHOP)
    printed, kills = "", 0
    while True:
        done = desk.run(command, kill_at=len(desk.effects) + 2, later=kills * 24 * 3600.0)
        printed += done.out
        if done.status != KILLED:
            break
        kills += 1
    assert done.status == 0, done
    assert re.findall(r"(with_\w+) (\d+)", printed) == [("with_timeout", "3"), ("with_stamina", "9"), ("with_tenacity", "15")]
    assert (kills, len(desk.effects)) == (6, 13)
