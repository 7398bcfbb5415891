"""``step_key``: what a step tells others so that they do its effect once, under real kills in the middle of steps."""

from __future__ import annotations

from collections import defaultdict

import pytest

from tests.harness.processes import KILLED, Desk

BANK = """
    import asyncio
    import os
    import signal

    from durable_import import step_key

    def note(what):
        with open("keys", "a") as log:
            log.write(f"{what}\\t{step_key()}\\n")
        kill_at = os.environ.get("KILL_AT")
        if kill_at and len(open("keys").readlines()) >= int(kill_at):  # more, if two threads wrote before either counted
            os.kill(os.getpid(), signal.SIGKILL)
        return what

    async def pay(what, key=None):
        await asyncio.sleep(0)
        assert key is None or key == step_key(), (key, step_key())
        return note(what)

    async def fail(what):
        note(what)
        raise ConnectionError(what)

    async def pay_in_tasks(*whats):
        return await asyncio.gather(*(pay(what) for what in whats), asyncio.to_thread(note, "thread of a task"))

    async def call(function, *arguments):
        await asyncio.sleep(0)
        return await function(*arguments)
"""

SEQUENTIAL = """
    # durable: on
    import asyncio

    import bank
    from durable_import import step_key

    async def main():
        for turn in range(3):
            await bank.pay(f"turn {turn}", step_key())
        for attempt in range(2):
            try:
                await bank.fail(f"attempt {attempt}")
            except ConnectionError:
                await asyncio.sleep(0.001)
        await asyncio.to_thread(bank.note, "thread")
        await asyncio.get_running_loop().run_in_executor(None, bank.note, "executor")
        await bank.pay("end", step_key())
        print("done")

    asyncio.run(main())
"""

CONCURRENT = """
    # durable: on
    import asyncio
    from concurrent.futures import ThreadPoolExecutor

    import bank
    from durable_import import step_key

    pool = ThreadPoolExecutor(1)

    async def worker(name):
        for turn in range(2):
            await bank.pay(f"worker {name}, turn {turn}", step_key())
            await asyncio.sleep(0.001)

    async def note_here(what):
        await asyncio.sleep(0)
        bank.note(what)

    async def main():
        async with asyncio.TaskGroup() as group:
            for name in "ab":
                group.create_task(worker(name))
            group.create_task(asyncio.to_thread(bank.note, "thread"))
        await asyncio.gather(worker("c"), bank.pay("gathered"), bank.pay("gathered too"))
        await asyncio.gather(*(asyncio.get_running_loop().run_in_executor(pool, bank.note, f"pool {n}") for n in range(2)))
        await bank.pay_in_tasks("native task", "native task too")
        await bank.call(note_here, "rewritten code within a step")
        await asyncio.wait_for(bank.pay("in time"), 30)
        print("done")

    asyncio.run(main())
"""


def keys_of(desk: Desk, program: str, *, kills: bool) -> dict[str, set[str]]:
    """The keys that each effect of a run had; with ``kills``, each process dies in the middle of an effect."""
    log = desk.folder / "keys"
    log.unlink(missing_ok=True)
    for life in range(100):
        begun = len(log.read_text().splitlines()) if log.exists() else 0
        # what is in flight at a kill is noted again: each process gets further than the one before it
        ended = desk.run(program, kill_at=begun + 1 + life if kills else None)
        if ended.status != KILLED:
            break
    assert (ended.status, ended.out) == (0, "done\n"), ended
    assert life > 2 or not kills
    found: dict[str, set[str]] = defaultdict(set)
    for line in log.read_text().splitlines():
        what, key = line.split("\t")
        found[what].add(key)
    return found


@pytest.mark.parametrize(
    "program", [SEQUENTIAL, pytest.param(CONCURRENT, marks=pytest.mark.slow)], ids=["sequential", "concurrent"]
)
def test_key_is_that_of_the_step(desk: Desk, program: str) -> None:
    """A step has one key however often it is killed and runs again; each step, task and new run has another one."""
    desk.write("bank.py", BANK)
    desk.write("program.py", program)
    first, second = keys_of(desk, "program.py", kills=True), keys_of(desk, "program.py", kills=False)
    of_one_step = {"native task", "native task too", "thread of a task"} & first.keys()
    assert all(len(keys) == 1 for keys in first.values()), first
    for found in (first, second):
        assert len(set().union(*(found[what] for what in of_one_step))) == bool(of_one_step)
        assert len(set().union(*found.values())) == len(found) - max(len(of_one_step) - 1, 0), found
    assert first.keys() == second.keys()
    assert not set().union(*first.values()) & set().union(*second.values())


def test_key_outside_of_instances_is_random(desk: Desk) -> None:
    """Run by plain python the same programs work, and no key comes twice."""
    desk.write("bank.py", BANK.replace("key is None or key == step_key()", "True"))
    for program in (SEQUENTIAL, CONCURRENT):
        desk.write("program.py", program)
        (desk.folder / "keys").unlink(missing_ok=True)
        assert desk.native("program.py").out == "done\n"
        keys = [line.split("\t")[1] for line in (desk.folder / "keys").read_text().splitlines()]
        assert len(keys) == len(set(keys)) > 5


def test_callback_has_no_key(desk: Desk) -> None:
    """A callback of the event loop belongs to no step: the error says so."""
    desk.write(
        "program.py",
        """
        # durable: on
        import asyncio
        from durable_import import DurableError, step_key

        def callback():
            try:
                step_key()
            except DurableError as error:
                print(error)

        async def main():
            asyncio.get_running_loop().call_soon(callback)
            await asyncio.sleep(0)

        asyncio.run(main())
        """,
    )
    assert desk.run("program.py").out.startswith("step_key() was called in a callback of the event loop")


def test_process_pools_get_the_key(desk: Desk) -> None:
    """A call in another process has the key of its step as well."""
    desk.write("bank.py", BANK)
    desk.write(
        "program.py",
        """
        # durable: on
        import asyncio
        from concurrent.futures import ProcessPoolExecutor

        import bank

        async def main():
            with ProcessPoolExecutor(1) as pool:
                await asyncio.get_running_loop().run_in_executor(pool, bank.note, "process")
            print("done")

        if __name__ == "__main__":
            asyncio.run(main())
        """,
    )
    ended = desk.run("--instance", "mine", "program.py")
    assert (ended.status, ended.out) == (0, "done\n"), ended
    assert (desk.folder / "keys").read_text().startswith("process\tmine/")
