"""What an instance sets going is set going once, though it is killed between that and its own commit."""

from __future__ import annotations

import sqlite3
import sys
from collections import Counter
from contextlib import closing

import pytest

from tests.harness.processes import KILLED, Desk

RUNNER = """
    import asyncio
    import os
    import signal
    import sys

    import durable_import

    durable_import.install()

    import flow
    from durable_import import DurableRuntime

    def killing(kind, name):
        method = getattr(kind, name)

        async def then_killed(*arguments):
            result = await method(*arguments)
            with open("moments", "a") as log:
                log.write(f"{name}\\n")
            if len(open("moments").readlines()) >= int(os.environ.get("KILL_AT", 10**9)):
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        setattr(kind, name, then_killed)

    async def main():
        async with DurableRuntime(sys.argv[1], lease_seconds=0.5, key=bytes(32)) as runtime:
            killing(DurableRuntime, "_joins")
            killing(type(runtime.instances), "publish")
            await runtime.recover()
            print(sorted(await runtime.run(flow.main, instance_id="parent")))

    asyncio.run(main())
"""

FLOW = """
    # durable: on
    import asyncio

    import outside
    from durable_import import current_instance, current_runtime, step_key, wait_for_event

    NAMES = ("c1", "c2", "c3", "c4")

    async def child(name):
        assert current_instance().id not in step_key().removeprefix(current_instance().id)
        outside.note(name)
        await asyncio.sleep(0)
        return name

    async def collect():
        items = []
        while True:
            item = await wait_for_event("item")
            if item == "end":
                return items
            items.append(item)

    async def main():
        runtime = current_runtime()
        collector = await runtime.start(collect, instance_id="collector")
        handles = [await runtime.start(child, name) for name in set(NAMES)]
        for name in set(NAMES):
            await runtime.publish_event("collector", "item", name)
        results = list(await asyncio.gather(*(runtime.run(child, f"run {name}") for name in set(NAMES))))
        results += await outside.start_all(child, ["outside 1", "outside 2"])
        await asyncio.gather(*(collector.send("item", f"sent {name}") for name in set(NAMES)))
        await outside.publish_all("collector", ["outside 1", "outside 2"])
        results += [await handle.result() for handle in handles]
        await collector.send("item", "end")
        return results + await collector.result()
"""

OUTSIDE = """
    import asyncio

    from durable_import import current_runtime

    def note(name):
        with open("children", "a") as log:
            log.write(f"{name}\\n")

    async def start_all(function, names):
        handles = [await current_runtime().start(function, name) for name in names]
        return [await handle.result() for handle in handles]

    async def publish_all(instance_id, names):
        for name in names:
            await current_runtime().publish_event(instance_id, "item", name)
"""

NAMES = ("c1", "c2", "c3", "c4")
CHILDREN = [*NAMES, *(f"run {name}" for name in NAMES), "outside 1", "outside 2"]
ITEMS = [*NAMES, *(f"sent {name}" for name in NAMES), "outside 1", "outside 2"]


@pytest.mark.slow
@pytest.mark.parametrize("url", ["sqlite:///state.db", "disk://states"])
def test_no_child_and_no_event_is_doubled(desk: Desk, url: str) -> None:
    """A parent that is killed after each child was kept, and after each event, starts each child and sends each event once."""
    for name, text in (("runner.py", RUNNER), ("flow.py", FLOW), ("outside.py", OUTSIDE)):
        desk.write(name, text)
    moments = desk.folder / "moments"
    for life in range(80):
        begun = len(moments.read_text().splitlines()) if moments.exists() else 0
        variables = {"PYTHONHASHSEED": str(life + 1), "KILL_AT": str(begun + 2 + life // 3)}
        ended = desk.start_command([sys.executable, "runner.py", url], **variables).end()
        if ended.status != KILLED:
            break
    assert (ended.status, ended.out) == (0, f"{sorted([*CHILDREN, *ITEMS])}\n"), ended
    assert life > 5
    begun_children = Counter((desk.folder / "children").read_text().splitlines())
    assert begun_children.keys() == set(CHILDREN)
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(desk.folder / "state.db")) as connection:
            assert connection.execute("SELECT count(*) FROM instance").fetchall() == [(len(CHILDREN) + 2,)]
            assert connection.execute("SELECT count(*) FROM durable_event").fetchall() == [(0,)]


WORK = """
    import asyncio
    import os
    import signal

    from durable_import import DurableBackend, make_durable
    from durable_import.stores import DiskStateStore

    backend = DurableBackend(DiskStateStore("children"))

    def note(name):
        with open("moments", "a") as log:
            log.write(f"{name}\\n")
        if len(open("moments").readlines()) >= int(os.environ.get("KILL_AT", 10**9)):
            os.kill(os.getpid(), signal.SIGKILL)

    async def effect(name):
        await asyncio.sleep(0)
        note(name)
        await asyncio.sleep(0.01)

    @make_durable
    async def child(name):
        for part in range(2):
            await effect(f"{name} {part}")
        return name
"""

PARENT = """
    # durable: on
    import asyncio

    import work

    async def main():
        done = [await work.child(name, orchestration_backend=work.backend) for name in {"a", "b"}]
        done += await asyncio.gather(*(work.child(name, orchestration_backend=work.backend) for name in {"c", "d"}))
        print(sorted(done))

    asyncio.run(main())
"""


@pytest.mark.slow
def test_program_with_a_backend_is_one_instance(desk: Desk) -> None:
    """A durable program that durable code calls with a backend, and no id, is the same instance in each life of the caller."""
    desk.write("work.py", WORK)
    desk.write("parent.py", PARENT)
    moments = desk.folder / "moments"
    for life in range(30):
        begun = len(moments.read_text().splitlines()) if moments.exists() else 0
        ended = desk.run("parent.py", kill_at=begun + 1 + life // 2, variables={"PYTHONHASHSEED": str(life + 1)})
        if ended.status != KILLED:
            break
    assert (ended.status, ended.out, ended.err) == (0, "['a', 'b', 'c', 'd']\n", ""), ended
    assert life > 3
    assert len([*(desk.folder / "children" / "instances").glob("*.state")]) == 4
