"""Runtimes that were made before a fork: each process is an owner of its own."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

FLOWS = """
# durable: on
import asyncio
from effects import note

async def work(name):
    await asyncio.sleep(0.2)  # whoever starts it and closes its runtime does nothing of it
    for number in range(3):
        await note(name, number)
        await asyncio.sleep(0.01)
"""
EFFECTS = """
import os

async def note(name, number):
    descriptor = os.open("effects", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, f"{name} {number} {os.getpid()}\\n".encode())
    os.close(descriptor)
"""
PREAMBLE = """
import asyncio, os, sys
import durable_import
durable_import.install()
from durable_import import DurableRuntime
import flows

runtime = DurableRuntime("sqlite:///state.db")

async def start(count):
    async with runtime:
        for number in range(count):
            await runtime.start(flows.work, f"i{number}", instance_id=f"i{number}")

async def finish(count):
    async with runtime:
        await runtime.recover()
        await asyncio.gather(*(runtime.handle(f"i{number}").result(timeout=60) for number in range(count)))

def forked(work):
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        work()
        code = 0
    finally:
        os._exit(code)

def joined(children):
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0] * len(children)
"""


def run(folder: Path, script: str) -> list[str]:
    """The effects of a script, each a name, a number and a process."""
    for name, text in (("flows.py", FLOWS), ("effects.py", EFFECTS), ("script.py", PREAMBLE + script)):
        (folder / name).write_text(text.lstrip())
    ended = subprocess.run([sys.executable, "script.py"], cwd=folder, capture_output=True, text=True, timeout=100, check=False)
    assert ended.returncode == 0, ended.stderr
    return (folder / "effects").read_text().splitlines()


PRELOADED = """
asyncio.run(start(10))
children = [forked(lambda: asyncio.run(finish(10))) for _ in range(4)]
asyncio.run(finish(10))
joined(children)
"""


def test_children_of_one_runtime_share_the_work(tmp_path: Path) -> None:
    """As servers with workers do it: each step runs once, whoever of them takes it up."""
    effects = [line.rpartition(" ")[0] for line in run(tmp_path, PRELOADED)]
    assert Counter(effects) == {f"i{name} {number}": 1 for name in range(10) for number in range(3)}


IN_A_RUNNING_LOOP = """
async def main():
    async with runtime:
        handles = [await runtime.start(flows.work, f"i{number}", instance_id=f"i{number}") for number in range(5)]
        child = forked(lambda: asyncio.run(alone()))
        await asyncio.gather(*(handle.result() for handle in handles))
        joined([child])
        return os.getpid()

async def alone():
    assert not runtime.running
    async with runtime:
        await runtime.run(flows.work, "child", instance_id="child")

print(asyncio.run(main()))
"""


def test_a_fork_while_instances_run(tmp_path: Path) -> None:
    """They go on in the parent; the child begins others, as another owner."""
    effects = [line.split() for line in run(tmp_path, IN_A_RUNNING_LOOP)]
    parents = {process for name, _, process in effects if name != "child"}
    children = {process for name, _, process in effects if name == "child"}
    assert (len(parents), len(children), len(parents | children)) == (1, 1, 2)
    assert len(effects) == len({(name, number) for name, number, _ in effects}) == 18


CLOSED_BY_THE_PARENT = """
asyncio.run(start(1))
reader, writer = os.pipe()
def later():
    async def main():
        async with runtime:
            await runtime.run(flows.work, "before", instance_id="before")
            os.read(reader, 1)
            await runtime.run(flows.work, "behind", instance_id="behind")
    asyncio.run(main())
child = forked(later)
asyncio.run(finish(1))
os.write(writer, b"x")
joined([child])
import subprocess
code = "import sqlite3; print(sqlite3.connect('state.db').execute('SELECT instance_id FROM instance').fetchall())"
found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
assert "behind" in found, found
"""


def test_what_a_child_commits_stays_when_its_parent_closes(tmp_path: Path) -> None:
    """The parent closes its database while the child has it open: neither takes the other's log away."""
    assert len(run(tmp_path, CLOSED_BY_THE_PARENT)) == 9


@pytest.mark.parametrize("method", ["fork", *(pytest.param(name, marks=pytest.mark.slow) for name in ("forkserver", "spawn"))])
def test_processes_of_multiprocessing(method: str, tmp_path: Path) -> None:
    """However they are made, each is an owner of its own."""
    script = f"""
def work(number):
    asyncio.run(one(number))
async def one(number):
    async with runtime:
        await runtime.run(flows.work, f"i{{number}}", instance_id=f"i{{number}}")
if __name__ == "__main__":
    import multiprocessing
    asyncio.run(start(2))
    context = multiprocessing.get_context("{method}")
    processes = [context.Process(target=work, args=(number,)) for number in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 4
"""
    effects = [line.rpartition(" ")[0] for line in run(tmp_path, script)]
    assert Counter(effects) == {f"i{name} {number}": 1 for name in range(4) for number in range(3)}
