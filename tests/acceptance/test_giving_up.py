"""Instances that cannot go on, in real processes: tried again later, given up, shown, and retried from the command line."""

from __future__ import annotations

import sys

from tests.harness.processes import Desk, Finished

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

        async with DurableRuntime("sqlite:///state.db", max_attempts=2, poll_interval=0.05) as runtime:
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
    retried = retry(desk, "o1")
    assert (retried.status, "goes on" in retried.said) == (0, True), retried
    assert work(desk, "again").out == "completed 0 \nbook\n"
    assert (desk.folder / "deeds").read_text() == "pay book\nship book\n"
    again = retry(desk, "o1")
    assert (again.status, "is completed" in again.said) == (2, True), again
    unknown = retry(desk, "o2")
    assert (unknown.status, "there is no instance 'o2'" in unknown.said) == (70, True), unknown
