"""Tags and progress of instances that are killed, and children of a parent that is killed as it is cancelled."""

from __future__ import annotations

import sys

import pytest

from durable_import import InstanceQuery, connect
from tests.harness.processes import KILLED, Desk

RUNNER = """
    import asyncio
    import os
    import signal
    import sys

    import durable_import

    durable_import.install()

    import flow
    from durable_import import DurableError, DurableRuntime

    def killing(kind, name):
        method = getattr(kind, name)

        async def then_killed(*arguments, **keywords):
            result = await method(*arguments, **keywords)
            with open("moments", "a") as log:
                log.write(f"{name}\\n")
            if len(open("moments").readlines()) >= int(os.environ.get("KILL_AT", 10**9)):
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        setattr(kind, name, then_killed)

    async def main():
        async with DurableRuntime(sys.argv[1], lease_seconds=0.5, key=bytes(32), poll_interval=0.05) as runtime:
            killing(type(runtime.instances), sys.argv[3])
            await runtime.recover()
            try:
                handle = await runtime.start(getattr(flow, sys.argv[2]), instance_id="root")
                print(await handle.result())
            except DurableError as error:
                print(type(error).__name__)
            if sys.argv[2] == "begin":
                for name in ("one", "two", "inner", "three"):
                    try:
                        print(await runtime.handle(name).result())
                    except DurableError as error:
                        print(name, type(error).__name__)

    asyncio.run(main())
"""

FLOW = """
    # durable: on
    import asyncio

    from durable_import import current_instance, current_runtime, progress, set_tag

    async def count():
        for number in range(40):
            set_tag(**{f"n{number}": "yes"})
            progress(number, 40)
            await asyncio.sleep(0)
            await asyncio.sleep(0.02)
        return "counted"

    async def rest():
        await asyncio.sleep(3600)

    async def nest():
        await current_runtime().run(rest, instance_id="inner")

    async def cancel_soon():
        await asyncio.sleep(0.2)
        await current_runtime().cancel("root")

    async def begin():
        runtime = current_runtime()
        for name, function in (("one", rest), ("two", nest), ("three", rest)):
            await runtime.start(function, instance_id=name)
        await runtime.options(detached=True, instance_id="alone").start(cancel_soon)
        await asyncio.sleep(3600)
"""


def run_until_done(desk: Desk, url: str, function: str, method: str) -> tuple[int, str]:
    """Run the program again and again, killed later and later; gives how often it was killed, and what it printed at the end."""
    for name, text in (("runner.py", RUNNER), ("flow.py", FLOW)):
        desk.write(name, text)
    moments = desk.folder / "moments"
    for life in range(60):
        begun = len(moments.read_text().splitlines()) if moments.exists() else 0
        ended = desk.start_command([sys.executable, "runner.py", url, function, method], KILL_AT=str(begun + 1 + life // 2)).end()
        if ended.status != KILLED:
            break
    assert ended.status == 0, ended
    return life, ended.out


@pytest.mark.slow
@pytest.mark.parametrize("url", ["sqlite:///state.db", "disk://states"])
def test_no_tag_is_lost_by_a_kill(desk: Desk, url: str) -> None:
    """Killed after commits and writes of tags, it has all tags at the end, and its last progress."""
    kills, out = run_until_done(desk, url, "count", "set_tags")
    assert (kills > 1, out) == (True, "counted\n")
    with connect(url.replace("///", f"///{desk.folder}/").replace("disk://", f"disk://{desk.folder}/")) as client:
        found = client.handle("root").info()
    assert found.tags == {f"n{number}": "yes" for number in range(40)}
    assert found.progress == (39, 40, "")


@pytest.mark.slow
@pytest.mark.parametrize("url", ["sqlite:///state.db", "disk://states"])
def test_children_end_though_their_parent_is_killed(desk: Desk, url: str) -> None:
    """Killed after each cancellation of a child was sent, all are cancelled in the end, and the detached one is not."""
    kills, out = run_until_done(desk, url, "begin", "publish")
    assert kills > 1
    words = [f"{name} InstanceCancelledError" for name in ("one", "two", "inner", "three")]
    assert out.splitlines() == ["InstanceCancelledError", *words]
    with connect(url.replace("///", f"///{desk.folder}/").replace("disk://", f"disk://{desk.folder}/")) as client:
        assert client.count(InstanceQuery(status="cancelled")) == 5
        assert client.handle("alone").info().status != "cancelled"  # it may not have ended yet
