"""Keys asked for where the state cannot be committed: which call they were given to is kept, and no other call gets them."""

from __future__ import annotations

import random
import sys
from collections import defaultdict

import pytest

from tests.acceptance.test_step_key_calls import BANK, HEAD, STARTED
from tests.harness.processes import KILLED, Desk

FOREIGN = (
    BANK
    + """
    def pay_in_thread(what):
        note(what, step_key())

    async def pay_later(what, ask):
        await asyncio.sleep(0)
        key = ask()
        await asyncio.sleep(0.01)
        return note(what, key)
"""
)

SET = """
async def main():
    with gzip.open("held.gz", "wt"):
        for name in set(CUSTOMERS):
            await bank.pay(name, step_key())
"""

GATHERED = """
async def main():
    with gzip.open("held.gz", "wt"):
        await asyncio.gather(*(bank.pay(name, step_key()) for name in set(CUSTOMERS)))
"""

COMPLETED = """
async def order(name):
    await asyncio.sleep(random.random() / 50)
    return name

async def main():
    with gzip.open("held.gz", "wt"):
        for each in asyncio.as_completed([order(name) for name in CUSTOMERS]):
            name = await each
            await bank.pay(name, step_key())
"""

INSIDE = """
async def main():
    with gzip.open("held.gz", "wt"):
        for name in set(CUSTOMERS):
            await bank.audit(name)
"""

IN_THREADS = """
async def main():
    with gzip.open("held.gz", "wt"):
        for name in set(CUSTOMERS):
            await asyncio.to_thread(bank.pay_in_thread, name)
"""

# Of functions that are made by others nothing is remembered: each call asks unforeseen.
UNFORESEEN = """
async def main():
    with gzip.open("held.gz", "wt"):
        for name in set(CUSTOMERS):
            await bank.pay_later(name, getattr(bank, "step_" + "key"))
"""

# Not in a hold, but in a thread, which does not wait between the question and the effect.
UNFORESEEN_IN_THREADS = """
def paying(name):
    def call():
        return bank.pay_in_thread(name)
    return call

async def main():
    for name in set(CUSTOMERS):
        await asyncio.to_thread(paying(name))
"""

RETRIED = """
async def main():
    with gzip.open("held.gz", "wt"):
        for name in CUSTOMERS:
            key = step_key()
            for attempt in range(3):
                await bank.pay(f"{name}", key)
"""

PROGRAMS = {
    "set": SET, "gathered": GATHERED, "as completed": COMPLETED, "inside": INSIDE, "in threads": IN_THREADS, "later": UNFORESEEN,
    "unforeseen in threads": UNFORESEEN_IN_THREADS,
}  # fmt: skip
QUICK = ("set",)


def payments_of(desk: Desk) -> list[tuple[str, str]]:
    """Each effect with its key."""
    log = desk.folder / "keys"
    found = [line.split("\t") for line in (log.read_text().splitlines() if log.exists() else ())]
    return [(what, key) for what, key in found]


@pytest.mark.slow
@pytest.mark.parametrize(
    "program", [pytest.param(text, id=name, marks=() if name in QUICK else pytest.mark.slow) for name, text in PROGRAMS.items()]
)
def test_key_asked_for_in_a_hold_is_of_one_call(desk: Desk, program: str) -> None:
    """Killed in the middle, another life goes on only if it comes to the same calls; else it is told before the call goes out."""
    desk.write("bank.py", FOREIGN)
    (desk.folder / "program.py").write_text(f"{HEAD}import gzip\n{program}\n\nasyncio.run(main())\n".lstrip())
    seeds, refused, life = random.Random(f"1 {program}"), 0, 0
    while life < 12:
        lines = (desk.folder / "keys").read_text().count("\n") if life else 0
        ended = desk.run(
            "program.py",
            kill_at=lines + (seeds.randint(1, 4) if life else 1),
            variables={"PYTHONHASHSEED": str(seeds.randint(1, 9999))},
        )
        life += 1
        if ended.status == KILLED:
            continue
        if ended.status == 0:
            break
        refused += 1
        for text in ("program.py:", "was given to another call", "This call was not made", "step_key(*parts)"):
            assert text in ended.said, ended
    calls = defaultdict(set)
    for what, key in payments_of(desk):
        calls[key].add(what)
    assert refused
    assert all(len(each) == 1 for each in calls.values()), calls


def test_a_key_that_is_kept_may_be_used_again(desk: Desk) -> None:
    """Attempts with one key, and a life that goes the same way, are no conflict."""
    desk.write("bank.py", FOREIGN)
    (desk.folder / "program.py").write_text(f"{HEAD}import gzip\n{RETRIED}\n\nasyncio.run(main())\n".lstrip())
    assert desk.run("program.py", kill_at=5, variables={"PYTHONHASHSEED": "1"}).status == KILLED
    ended = desk.run("program.py", variables={"PYTHONHASHSEED": "2"})
    assert (ended.status, ended.err) == (0, ""), ended
    keys = defaultdict(set)
    for what, key in payments_of(desk):
        keys[what].add(key)
    assert all(len(each) == 1 for each in keys.values())


def test_an_instance_whose_key_came_up_with_another_call_is_stuck(desk: Desk) -> None:
    """In an application it is left alone then, until somebody retries it: that lets the other call have the key."""
    desk.write("bank.py", FOREIGN)
    desk.write(
        "program.py",
        STARTED.replace(
            "await runtime.recover()", '[await runtime.retry("mine")] if sys.argv[1] == "retry" else await runtime.recover()'
        ),
    )
    held = SET.replace('with gzip.open("held.gz", "wt")', "async with LOCK")
    desk.write(
        "flow.py",
        f"{HEAD}\nLOCK = asyncio.Lock()\n{held}".replace(
            'CUSTOMERS = ("c1", "c2", "c3", "c4", "c5")', 'CUSTOMERS = ("c1", "c2")'
        ),
    )
    orders: dict[str, int] = {}
    for seed in range(1, 50):
        orders.setdefault(
            desk.start_command([sys.executable, "-c", "print(*{'c1', 'c2'})"], PYTHONHASHSEED=str(seed)).end().out, seed
        )
        if len(orders) == 2:
            break
    one, other = orders.values()
    ended = desk.start_command([sys.executable, "program.py", "run"], PYTHONHASHSEED=str(one), KILL_AT="1").end()
    assert ended.status == KILLED
    before = payments_of(desk)
    ended = desk.start_command([sys.executable, "program.py", "recover"], PYTHONHASHSEED=str(other)).end()
    assert "KeyConflictError" in ended.err, ended
    assert payments_of(desk) == before
    ended = desk.start_command([sys.executable, "program.py", "run"], PYTHONHASHSEED=str(one)).end()
    assert "InstanceStuckError" in ended.err, ended
    assert payments_of(desk) == before
    ended = desk.start_command([sys.executable, "program.py", "retry"], PYTHONHASHSEED=str(other)).end()
    assert ended.status == 0, ended
    assert sorted(what for what, _ in payments_of(desk)) in (["c1", "c1", "c2"], ["c1", "c2", "c2"])
