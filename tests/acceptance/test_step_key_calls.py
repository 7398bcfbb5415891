"""A key belongs to one call: what the program gives it to is the same call after a kill, whatever the order of a set is."""

from __future__ import annotations

import sys
from collections import defaultdict

import pytest

from tests.harness.processes import KILLED, Desk

BANK = """
    import asyncio
    import os
    import signal

    from durable_import import step_key

    def note(what, key):
        with open("keys", "a") as log:
            log.write(f"{what}\\t{key}\\n")
        kill_at = os.environ.get("KILL_AT")
        if kill_at and len(open("keys").readlines()) >= int(kill_at):
            os.kill(os.getpid(), signal.SIGKILL)
        return what

    async def pay(what, key):
        await asyncio.sleep(0)
        return note(what, key)

    async def pay_at_once(what, key):
        return note(what, key)

    async def post(headers, body):
        await asyncio.sleep(0)
        assert headers["key"] == step_key(), (headers, step_key())
        return note(body, headers["key"])

    async def audit(what):
        await asyncio.sleep(0)
        note(f"audit of {what}", step_key())

    def note_own(what):
        note(what, step_key())

    class Client:
        def __init__(self, key):
            self.key, self.unsavable = key, open(os.devnull).fileno

        async def __aenter__(self):
            note("client", self.key)
            return self

        async def __aexit__(self, *error):
            pass
"""

HEAD = """
# durable: on
import asyncio
import random

import bank
from durable_import import step_key

CUSTOMERS = ("c1", "c2", "c3", "c4", "c5")
"""

SET = """
async def main():
    for name in set(CUSTOMERS):
        await bank.pay(name, step_key())
"""

AT_ONCE = """
async def main():
    for name in set(CUSTOMERS):
        await bank.pay_at_once(name, step_key())
"""

COMPLETED = """
async def order(name):
    await asyncio.sleep(random.random() / 50)
    return name

async def main():
    for each in asyncio.as_completed([order(name) for name in CUSTOMERS]):
        name = await each
        await bank.pay(name, step_key())
"""

GATHERED = """
async def main():
    await asyncio.gather(*(bank.pay(name, step_key()) for name in set(CUSTOMERS)))
    await bank.pay("after", step_key())
    await asyncio.gather(bank.pay("left", step_key()), bank.pay("right", f"prefix {step_key()}"))
    await bank.pay("end", step_key())
"""

TASKS = """
async def pay(name):
    await asyncio.sleep(0)
    return await bank.pay(name, step_key())

async def main():
    async with asyncio.TaskGroup() as group:
        for name in set(CUSTOMERS):
            group.create_task(pay(name))
        group.create_task(bank.pay("left", step_key()))
        group.create_task(bank.pay("right", step_key()))
"""

KEPT = """
async def main():
    key = step_key()
    assert key == step_key()
    await bank.audit("what is paid later")
    await asyncio.sleep(0.001)
    later = [bank.pay(name, step_key()) for name in set(CUSTOMERS)]
    await bank.pay("kept", key)
    for call in later:
        await call
    await bank.post({"key": step_key()}, "posted")
    for attempt in range(2):
        await bank.audit(f"attempt {attempt}")
"""

INSIDE = """
async def main():
    for name in set(CUSTOMERS):
        await asyncio.to_thread(bank.note_own, name)
    for name in set(CUSTOMERS):
        await bank.audit(name)
"""

NAMED = """
async def pay(name):
    return await bank.pay(name, step_key("pay", name))

async def main():
    for name in set(CUSTOMERS):
        assert step_key("pay", name) == step_key("pay", name) != step_key("pay", [name])
        await pay(name)
    await asyncio.gather(*(bank.pay(name, step_key(name)) for name in set(CUSTOMERS)))
"""

PROGRAMS = {
    "set": SET, "at once": AT_ONCE, "as completed": COMPLETED, "gathered": GATHERED, "tasks": TASKS, "kept": KEPT,
    "inside": INSIDE,
}  # fmt: skip


def keys_of(desk: Desk, program: str) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """The keys of each call, and the calls of each key, of a program killed in each effect, each life with another hash seed."""
    desk.write("bank.py", BANK)
    (desk.folder / "program.py").write_text(f"{HEAD}{program}\n\nasyncio.run(main())\n".lstrip())
    log = desk.folder / "keys"
    for life in range(60):
        begun = len(log.read_text().splitlines()) if log.exists() else 0
        ended = desk.run("program.py", kill_at=begun + 1 + life // 2, variables={"PYTHONHASHSEED": str(life * 7 + 1)})
        if ended.status != KILLED:
            break
    assert (ended.status, ended.err) == (0, ""), ended
    assert life > 2
    keys, calls = defaultdict(set), defaultdict(set)
    for line in log.read_text().splitlines():
        call, key = line.split("\t")
        keys[call].add(key)
        calls[key].add(call)
    return keys, calls


QUICK = ("set",)


@pytest.mark.parametrize(
    "program", [pytest.param(text, id=name, marks=() if name in QUICK else pytest.mark.slow) for name, text in PROGRAMS.items()]
)
def test_key_is_of_one_call(desk: Desk, program: str) -> None:
    """However often it is killed, each call has one key in all its lives, and each key is of one call; none is left out."""
    keys, calls = keys_of(desk, program)
    assert all(len(each) == 1 for each in keys.values()), keys
    assert all(len(each) == 1 for each in calls.values()), calls
    names = {call.removeprefix("audit of ") for call in keys}
    assert names >= {"c1", "c2", "c3", "c4", "c5"}


@pytest.mark.slow
def test_key_of_parts_is_of_the_parts(desk: Desk) -> None:
    """It is the same wherever it is asked for, in each life, and differs by the types of the parts."""
    keys, calls = keys_of(desk, NAMED)
    assert {call: len(each) for call, each in keys.items()} == dict.fromkeys(("c1", "c2", "c3", "c4", "c5"), 2)
    assert all(len(each) == 1 for each in calls.values()), calls


@pytest.mark.slow
def test_key_while_a_manager_is_entered_again(desk: Desk) -> None:
    """It is the same each time that the instance goes on from one checkpoint, and that of no call."""
    program = """
async def main():
    async with bank.Client(step_key()):
        for name in CUSTOMERS:
            await bank.pay(name, step_key())
"""
    keys, calls = keys_of(desk, program)
    assert all(len(each) == 1 for each in calls.values()), calls
    assert all(len(keys[name]) == 1 for name in ("c1", "c2", "c3", "c4", "c5"))


STARTED = """
import asyncio
import sys

import durable_import

durable_import.install()

import flow
from durable_import import DurableRuntime


async def main():
    async with DurableRuntime("sqlite:///state.db", lease_seconds=0.5) as runtime:
        if sys.argv[1] == "run":
            await runtime.run(flow.main, instance_id="mine")
        elif sys.argv[1] == "start":
            await (await runtime.start(flow.main, instance_id="mine")).result()
        else:
            for handle in await runtime.recover():
                await handle.result()
        print("done")


asyncio.run(main())
"""


@pytest.mark.slow
@pytest.mark.parametrize("way", ["recover", *(pytest.param(way, marks=pytest.mark.slow) for way in ("run", "start"))])
def test_first_step_has_one_key(desk: Desk, way: str) -> None:
    """The first step of an instance has its key in each life, however the instance is taken up; a later run has another one."""
    desk.write("bank.py", BANK)
    desk.write("program.py", STARTED)
    desk.write("flow.py", "# durable: on\nimport bank\n\nasync def main():\n    await bank.audit('first')\n")
    log = desk.folder / "keys"
    found = []
    for _ in range(2):
        for life, verb in enumerate(["run", way, way, way, "run"]):
            kill_at = {"KILL_AT": "1"} if life < 4 else {}
            ended = desk.start_command([sys.executable, "program.py", verb], PYTHONHASHSEED=str(life), **kill_at).end()
            assert ended.status == (KILLED if life < 4 else 0), ended
        assert ended.out == "done\n"
        [keys] = ({line for line in log.read_text().splitlines() if line.startswith("audit of first")},)
        assert len(keys) == 1, keys
        found.append(keys.pop())
        log.unlink()
        for file in desk.folder.glob("state.db*"):
            file.unlink()
    assert found[0] != found[1]
