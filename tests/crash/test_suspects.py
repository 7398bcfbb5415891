"""One of many instances kills its process in each life, and all are started by their ids whenever the service begins."""

from __future__ import annotations

import secrets
import sys

import pytest

from tests.harness.processes import KILLED, Desk

pytestmark = pytest.mark.slow

FLOWS = """
    # durable: on
    import deeds

    async def kill(seconds):
        await deeds.kill(seconds)

    async def work(number):
        return await deeds.work(number)
"""
DEEDS = """
    import asyncio
    import os
    import signal

    killing = []

    async def kill(seconds):
        killing.append(True)
        await asyncio.sleep(seconds)
        os.kill(os.getpid(), signal.SIGKILL)

    async def work(number):
        await asyncio.sleep(0.02)
        while killing:
            await asyncio.sleep(0.02)
        return number
"""
SERVICE = """
    import asyncio
    import logging
    import sys
    import time

    import durable_import
    from durable_import import DurableRuntime, InstanceStuckError

    durable_import.install()
    logging.basicConfig(level=logging.WARNING)

    async def main(url, how, count, place, seconds):
        import flows

        async with DurableRuntime(url, max_attempts=4, poll_interval=0.05) as runtime:
            async def start(number):
                try:
                    if number == place:
                        return await runtime.start(flows.kill, seconds, instance_id=f"i{number}")
                    return await runtime.start(flows.work, number, instance_id=f"i{number}")
                except InstanceStuckError:
                    return runtime.handle(f"i{number}")

            if how == "in turn":
                handles = [await start(number) for number in range(count)]
            else:
                others = [runtime.recover()] if how == "beside recover" else []
                handles, *_ = await asyncio.gather(asyncio.gather(*map(start, range(count))), *others)
            ended = []
            for number, handle in enumerate(handles):
                try:
                    assert await handle.result() == number
                    ended.append("completed")
                except InstanceStuckError as error:
                    ended.append(f"stuck {error.attempts}")
            print(*(f"{ended.count(each)} {each}" for each in sorted(set(ended))))

    url, how, count, place, seconds = sys.argv[1:]
    asyncio.run(main(url, how, int(count), int(place), float(seconds)))
"""


@pytest.fixture(params=["sqlite", "disk", "postgres"])
def url(request: pytest.FixtureRequest, desk: Desk) -> str:
    """Of a store that survives its processes."""
    if request.param != "postgres":
        return {"sqlite": "sqlite:///state.db", "disk": "disk://state"}[request.param]
    desk.variables["DURABLE_KEY"] = "00" * 32
    shared: str = request.getfixturevalue("postgres_server").url(schema=f"s{secrets.token_hex(8)}")
    return shared


@pytest.mark.parametrize(
    ("how", "place", "seconds"), [("in turn", 0, 0.7), ("together", 0, 0.7), ("together", 50, 0.0), ("beside recover", 50, 0.3)]
)
def test_those_beside_a_killer_complete(desk: Desk, url: str, how: str, place: int, seconds: float) -> None:
    """However they are started: what kills is alone in the end, and the only one that is given up."""
    for name, text in (("flows", FLOWS), ("deeds", DEEDS), ("service", SERVICE)):
        desk.write(f"{name}.py", text)
    command = [sys.executable, "service.py", url, how, "100", str(place), str(seconds)]
    told = ""
    for _ in range(4):
        ended = desk.start_command(command).end()
        assert ended.status == KILLED, ended
        told += ended.err
    last = desk.start_command(command).end()
    told += last.err
    assert last.out == "99 completed 1 stuck 4\n", last
    assert seconds == 0 or "is held back: processes that ran it have died, 3 in a row" in told  # else few have begun beside it
