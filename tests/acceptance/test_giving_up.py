"""Instances that cannot go on, in real processes: tried again later, given up, shown, and retried from the command line."""

from __future__ import annotations

import sys

import pytest

from tests.harness.processes import KILLED, Desk, Finished

FLOW = """
    # durable: on
    import deeds

    async def order(item):
        await deeds.pay(item)
        {line}
        return await deeds.ship(item)
"""
DEEDS = """
    async def pay(item):
        with open("deeds", "a") as log:
            print("pay", item, file=log)

    async def ship(item):
        with open("deeds", "a") as log:
            print("ship", item, file=log)
        return item
"""
WORKER = """
    import asyncio
    import logging
    import sys

    import durable_import
    from durable_import import DurableRuntime, InstanceStuckError

    durable_import.install()
    logging.basicConfig(level=logging.ERROR)

    async def main(waits):
        import flow

        async with DurableRuntime("sqlite:///state.db", max_attempts=2, on_change="refuse", poll_interval=0.05) as runtime:
            if waits == "begin":
                await runtime.start(flow.order, "book", instance_id="o1")
                while (await runtime.handle("o1").status()) != "sleeping":
                    await asyncio.sleep(0.02)
                return
            await runtime.recover()
            while True:
                info = await runtime.handle("o1").info()
                if info.status in ("stuck", "completed"):
                    break
                await asyncio.sleep(0.02)
            print(info.status, info.attempts, (info.error or "").partition(":")[0])
            if info.status == "completed":
                print(await runtime.handle("o1").result())
                return
            try:
                await runtime.handle("o1").result()
            except durable_import.CodeChangedError:
                print("told")

    asyncio.run(main(sys.argv[1]))
"""


def work(desk: Desk, what: str) -> Finished:
    return desk.start_command([sys.executable, "worker.py", what]).end()


def retry(desk: Desk, instance_id: str) -> Finished:
    command = [sys.executable, "-m", "durable_import", "retry", instance_id, "--store", "sqlite:///state.db"]
    return desk.start_command(command).end()


@pytest.mark.slow
def test_code_that_has_changed_is_given_up_and_retried(desk: Desk) -> None:
    """After two attempts, told once; nobody else tries it, until it is retried and the code is put back."""
    desk.write("deeds.py", DEEDS)
    desk.write("flow.py", FLOW.format(line="import asyncio; await asyncio.sleep(0.5)"))
    desk.write("worker.py", WORKER)
    assert work(desk, "begin").status == 0
    assert (desk.folder / "deeds").read_text() == "pay book\n"
    desk.write("flow.py", FLOW.format(line="import asyncio; await asyncio.sleep(0.5); item = item.upper()"))
    stuck = work(desk, "again")
    assert stuck.out == "stuck 2 CodeChangedError\ntold\n", stuck
    assert stuck.err.count("ERROR") == 1, stuck
    assert "durable_import retry o1" in stuck.err
    desk.write("flow.py", FLOW.format(line="import asyncio; await asyncio.sleep(0.5)"))
    later = work(desk, "again")
    assert later.out.startswith("stuck 2 CodeChangedError\n"), later
    listed = desk.start_command([sys.executable, "-m", "durable_import", "list", "--store", "sqlite:///state.db"]).end()
    assert "stuck" in listed.out, listed
    assert "CodeChangedError: " in listed.out
    assert "durable retry ID" in listed.said
    shown = desk.start_command([sys.executable, "-m", "durable_import", "show", "o1", "--store", "sqlite:///state.db"]).end()
    assert [line for line in ("status:     stuck", "attempts:   2") if line not in shown.out.splitlines()] == [], shown
    assert "item.upper()" in shown.out
    assert "durable retry o1" in shown.said
    retried = retry(desk, "o1")
    assert (retried.status, "goes on" in retried.said) == (0, True), retried
    assert work(desk, "again").out == "completed 0 \nbook\n"
    assert (desk.folder / "deeds").read_text() == "pay book\nship book\n"
    again = retry(desk, "o1")
    assert (again.status, "is completed" in again.said) == (2, True), again
    unknown = retry(desk, "o2")
    assert (unknown.status, "there is no instance 'o2' in sqlite:///state.db: is it o1?" in unknown.said) == (2, True), unknown


KILLER = """
    # durable: on
    import asyncio
    import deeds

    async def kill(beside):
        async def tick():
            while True:
                await asyncio.sleep(0.01)

        ticking = asyncio.create_task(tick()) if beside else None
        await deeds.die()

    async def wait(seconds):
        await asyncio.sleep(seconds)
        return "waited"
"""
DEATH = """
    import asyncio
    import os
    import signal

    async def die():
        await asyncio.sleep(0.1)
        with open("deeds", "a") as log:
            print("die", file=log)
        if not os.path.exists("mended"):
            os.kill(os.getpid(), signal.SIGKILL)
"""
DEADLY = """
    import asyncio
    import logging
    import sys

    import durable_import
    from durable_import import DurableRuntime, InstanceStuckError

    durable_import.install()
    logging.basicConfig(level=logging.ERROR)

    async def main(limit, beside):
        import killer

        async with DurableRuntime("sqlite:///state.db", max_attempts=limit, poll_interval=0.05) as runtime:
            if await runtime.instances.summary("killer") is None:
                waits = await runtime.start(killer.wait, 0.5, instance_id="waits")
                while await waits.status() != "sleeping":
                    await asyncio.sleep(0.02)
                await runtime.start(killer.kill, beside, instance_id="killer")
            await runtime.recover()
            while not (info := await runtime.handle("killer").info()).status in ("stuck", "completed"):
                await asyncio.sleep(0.02)
            print(info.status, info.attempts, info.error)
            print(await runtime.handle("waits").result())
            if info.status == "completed":
                return
            for wait in (runtime.handle("killer").result(), runtime.start(killer.kill, beside, instance_id="killer")):
                try:
                    await wait
                except InstanceStuckError as error:
                    print(error.attempts)

    asyncio.run(main(int(sys.argv[1]), sys.argv[2:] == ["beside"]))
"""


@pytest.mark.parametrize(("limit", "beside"), [(1, []), (3, []), (3, ["beside"])], ids=["once", "alone", "beside others"])
def test_a_step_that_kills_its_process_is_given_up(desk: Desk, limit: int, beside: list[str]) -> None:
    """After as many deaths as it may have, also if something beside it makes progress; another instance goes on."""
    desk.write("deeds.py", DEATH)
    desk.write("killer.py", KILLER)
    desk.write("worker.py", DEADLY)
    command = [sys.executable, "worker.py", str(limit), *beside]
    for _ in range(limit):
        assert desk.start_command(command).end().status == KILLED
    ended = desk.start_command(command).end()
    told = "the process that ran it has died" if limit == 1 else f"the processes that ran it have died, {limit} in a row"
    assert ended.out.startswith(f"stuck {limit} {told}, "), ended
    assert ended.out.endswith(f"\nwaited\n{limit}\n{limit}\n"), ended
    assert ended.err.count("ERROR") == 1, ended
    assert (desk.folder / "deeds").read_text() == "die\n" * limit
    desk.write("mended", "")
    assert retry(desk, "killer").status == 0
    assert desk.start_command(command).end().out == "completed 0 None\nwaited\n"


HOLDS = """
    # durable: on
    import asyncio
    import deeds

    async def hold(seconds):
        async with deeds.transaction():
            await asyncio.sleep(seconds)
        await asyncio.sleep(0)
        await asyncio.sleep(3600)
"""
MANAGER = """
    import contextlib

    @contextlib.asynccontextmanager
    async def transaction():
        print("enter")
        yield
"""
HOLDER = """
    import asyncio
    import sys

    import durable_import
    from durable_import import DurableRuntime, InstanceStuckError

    durable_import.install()

    async def main(limit):
        import holds

        async with DurableRuntime("sqlite:///state.db", hold_limit=limit, poll_interval=0.05) as runtime:
            other = DurableRuntime("sqlite:///state.db")
            if await other.instances.summary("held") is not None:
                await runtime.recover()
                await asyncio.sleep(0.2)
            else:
                await runtime.start(holds.hold, 2.0, instance_id="held")
                while (info := await other.handle("held").info()).hold is None and info.status != "stuck":
                    await asyncio.sleep(0.02)
                if limit is None:
                    print(info.status, info.hold.what)
                    while (await other.handle("held").info()).hold is not None:
                        await asyncio.sleep(0.02)
            info = await other.handle("held").info()
            print(info.status, info.hold, (info.error or "").partition(":")[0])

    asyncio.run(main(float(sys.argv[1]) if sys.argv[1:] else None))
"""


@pytest.mark.slow
def test_a_hold_is_seen_by_others(desk: Desk) -> None:
    """Once it has lasted a second, and until it is over."""
    for name, text in (("deeds.py", MANAGER), ("holds.py", HOLDS), ("worker.py", HOLDER)):
        desk.write(name, text)
    first, *rest = desk.native("worker.py").out.splitlines()[1:]
    assert first.startswith("running ")
    assert "holds.py:6" in first
    assert [line.split()[1] for line in rest] == ["None"]


@pytest.mark.slow
def test_an_instance_held_for_too_long_is_stuck(desk: Desk) -> None:
    """What ran since the last checkpoint does not run again before it is retried."""
    for name, text in (("deeds.py", MANAGER), ("holds.py", HOLDS), ("worker.py", HOLDER)):
        desk.write(name, text)
    for begins in (1, 0):
        ended = desk.native("worker.py", "0.3")
        assert ended.out == "enter\n" * begins + "stuck None HoldLimitError\n", ended
    assert retry(desk, "held").status == 0
    assert desk.native("worker.py", "0.3").out.startswith("enter\n")
