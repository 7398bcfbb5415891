"""Many tasks and time: sleepers, timeouts that pass while the program is dead, signals, exits, and the end of a program."""

from __future__ import annotations

import ast
import random
import re
import signal
from functools import partial

import pytest

from tests.harness.chaos import kill_at_random
from tests.harness.crash import PROGRAMS
from tests.harness.processes import KILLED, Desk

pytestmark = pytest.mark.slow

SLEEPERS = """
    # durable: on
    import asyncio, gauge, sys, time
    from world import effect

    COUNT, DELAY = int(sys.argv[1]), float(sys.argv[2])

    async def sleeper(number, woken):
        await asyncio.sleep(DELAY + number // 2000)
        woken.append(number)
        if not number:
            return time.time()

    async def main():
        woken = []
        began = time.time()
        tasks = [asyncio.create_task(sleeper(n, woken)) for n in range(COUNT)]
        await asyncio.sleep(0)
        print(await gauge.look(), flush=True)
        await effect("asleep")
        first, *_ = await asyncio.gather(*tasks)
        print(began, first, time.time(), woken == sorted(woken), len(woken))

    if __name__ == "__main__":
        asyncio.run(main())
"""


def test_sleepers_cost_one_timer(desk: Desk) -> None:
    """Ten thousand sleeping tasks are one timer and no thread or task of the process; what is left of their sleeps is kept."""
    desk.write("gauge.py", (PROGRAMS / "chaos" / "gauge.py").read_text())
    desk.write("sleepers.py", SLEEPERS)
    store = ("--store", "disk://state")
    running = desk.start(*store, "sleepers.py", "10000", "600")
    running.wait_until(lambda: running.out.endswith(")\n"))
    assert max(ast.literal_eval(running.out)) < 20, "not a timer, a thread or a task for each"
    running.wait_until(lambda: desk.effects == ["asleep"])
    running.send(signal.SIGKILL)
    assert running.end().status == KILLED
    done = desk.run(*store, "sleepers.py", "10000", "600", later=599)
    *times, in_order, count = done.out.splitlines()[-1].split()
    began, first, ended = map(float, times)
    assert (done.status, done.err, in_order, count) == (0, "", "True", "10000")
    assert "resuming" in done.said
    assert first >= began + 600, "the first sleep was cut short"
    assert ended >= began + 604, "the last sleep was cut short"


DEADLINES = """
    # durable: on
    import asyncio, time
    from world import effect

    async def patient(name, seconds):
        try:
            async with asyncio.timeout(seconds):
                await asyncio.Event().wait()
        except TimeoutError:
            return await effect(f"{name} timed out", name)

    async def impatient(name, seconds):
        try:
            await asyncio.wait_for(asyncio.sleep(3600), seconds)
        except TimeoutError:
            return await effect(f"{name} timed out", name)

    async def main():
        order, began = [], time.time()
        async with asyncio.TaskGroup() as group:
            for n in (3, 1, 2):
                for call in (patient, impatient):
                    task = group.create_task(call(f"{call.__name__} {n}", 100 + n))
                    task.add_done_callback(lambda task: order.append(task.result()))
            late = group.create_task(patient("late", 600))
            print("waiting", flush=True)
        in_time = time.time() >= began + 600
        done, pending = await asyncio.wait([asyncio.ensure_future(asyncio.sleep(60))], timeout=0.1)
        pending.pop().cancel()
        print(sorted(order), order[0][-1], order[-1][-1], late.result(), in_time, len(done))

    if __name__ == "__main__":
        asyncio.run(main())
"""


def test_timeouts_pass_while_the_program_is_dead(desk: Desk) -> None:
    """Deadlines that pass between a kill and the next run fire at once, in their order; others at their time."""
    desk.write("deadlines.py", DEADLINES)
    running = desk.start("deadlines.py")
    running.wait_until(lambda: desk.statuses() == ["sleeping"])
    running.send(signal.SIGKILL)
    assert running.end().status == KILLED
    done = desk.run("deadlines.py", later=599)
    expected = sorted(f"{kind} {n}" for kind in ("impatient", "patient") for n in (1, 2, 3))
    assert done.out.splitlines()[-1] == f"{expected} 1 3 late True 0", done
    assert done.err == ""
    assert len(desk.effects) == len(set(desk.effects)) == 7


CLEANUP = """
    # durable: on
    import asyncio
    from world import effect

    async def worker(number, log):
        try:
            await effect(f"work {number}")
            await asyncio.Event().wait()
        except asyncio.CancelledError as error:
            await effect(f"{number} writes back")
            log.append((number, error.args, asyncio.current_task().cancelling()))
            await asyncio.sleep(0.05)
            raise
        finally:
            await asyncio.shield(effect(f"{number} closes"))

    async def main():
        log = []
        workers = [asyncio.create_task(worker(n, log), name=f"worker {n}") for n in range(4)]
        await asyncio.sleep(0.2)
        for task in workers:
            task.cancel(f"stop {task.get_name()}")
        ends = await asyncio.gather(*workers, return_exceptions=True)
        print(sorted(log), [repr(end) for end in ends], [task.cancelled() for task in workers])

        async def parent():
            async with asyncio.TaskGroup() as group:
                for n in range(10, 13):
                    group.create_task(worker(n, log))

        task = asyncio.create_task(parent())
        await asyncio.sleep(0.2)
        task.cancel()
        print(await asyncio.gather(task, return_exceptions=True), len(log))

    if __name__ == "__main__":
        asyncio.run(main())
"""


def test_cancellation_during_cleanup_across_kills(desk: Desk) -> None:
    """Tasks that are being cancelled, killed in the middle of their cleanup, go on with it and end cancelled."""
    path = desk.write("cleanup.py", CLEANUP)
    expected = desk.native(str(path))
    wanted = set(desk.effects)
    for seed in range(3):
        lives = kill_at_random(desk, str(path), moments=random.Random(seed), kills=6, span=0.15)
        assert lives.print_all_of(expected.out), lives.each
        assert lives.err == ""
        assert lives.effects.keys() == wanted
        assert max(lives.effects.values()) <= 1 + lives.kills


LEFT = """
    # durable: on
    import asyncio
    from world import effect

    async def left(number):
        try:
            await effect(f"begin {number}")
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            await asyncio.sleep(0.1)
            await effect(f"clean up {number}")
            print("cleaned", number)
            raise
        finally:
            print("final", number)

    async def stubborn():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await effect("stubborn")

    async def main():
        tasks = [asyncio.create_task(left(n)) for n in range(3)] + [asyncio.create_task(stubborn())]
        await asyncio.sleep(0.3)
        asyncio.get_running_loop().call_later(99, print, "never")
        print("main ends")
        return len(tasks)

    if __name__ == "__main__":
        print(asyncio.run(main()))
"""


def test_tasks_left_running_are_cancelled_across_kills(desk: Desk) -> None:
    """What `asyncio.run` cancels at the end cleans up, also when the process is killed meanwhile."""
    path = desk.write("left.py", LEFT)
    expected = desk.native(str(path))
    wanted = set(desk.effects)
    for seed in range(3):
        lives = kill_at_random(desk, str(path), moments=random.Random(seed), kills=5, span=0.2)
        lines = {line for life in lives.each for line in life.out.splitlines()}  # the tasks are cancelled in the order of a set
        assert (lines, lives.err) == (set(expected.out.splitlines()), "")
        assert lives.effects.keys() == wanted


CROWD = """
    # durable: on
    import asyncio, pathlib
    from world import effect

    async def one(number, gate, seen):
        try:
            await asyncio.sleep(0.01 * number)
            await effect(f"arrive {number}")
            await gate.wait()
            seen.append(await effect(f"pass {number}", number))
        finally:
            seen.append(f"left {number}")

    async def porter(gate):
        while not pathlib.Path("go").exists():
            await asyncio.sleep(0.1)
        gate.set()

    async def main():
        gate, seen = asyncio.Event(), []
        async with asyncio.TaskGroup() as group:
            group.create_task(porter(gate))
            for n in range(60):
                group.create_task(one(n, gate, seen), name=f"one {n}")
        print(sorted(map(str, seen)))

    if __name__ == "__main__":
        asyncio.run(main())
"""


def has_effects(desk: Desk, count: int) -> bool:
    """Whether there have been so many different ones."""
    return len(set(desk.effects)) >= count


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_signals_suspend_many_tasks(desk: Desk, number: signal.Signals) -> None:
    """Ctrl-C or SIGTERM suspends a program of many tasks, again and again; none of their finally blocks run by that."""
    desk.write("crowd.py", CROWD)
    for least in (10, 30, 60):
        running = desk.start("crowd.py")
        running.wait_for("instance crowd-")
        running.wait_until(partial(has_effects, desk, least))
        running.send(number)
        suspended = running.end()
        assert (suspended.status, suspended.out, suspended.err) == (128 + number, "", "")
        assert re.search(r"suspended instance crowd-\w+ at .*; run the same command again to go on", suspended.said)
    (desk.folder / "go").touch()
    done = desk.run("crowd.py")
    assert (done.status, done.err) == (0, "")
    assert done.out == f"{sorted([*map(str, range(60)), *(f'left {n}' for n in range(60))])}\n"
    assert set(desk.effects) == {f"{what} {n}" for what in ("arrive", "pass") for n in range(60)}


WAITERS = """
    # durable: on
    import asyncio
    from world import effect

    async def wait(number, woken):
        await effect(f"begin {number}")
        await asyncio.sleep(600 + number / 100)
        woken.append(await effect(f"wake {number}", number))

    async def main():
        woken = []
        await asyncio.gather(*(wait(n, woken) for n in range(50)))
        return sorted(woken) == list(range(50))

    if __name__ == "__main__":
        print(asyncio.run(main()))
"""


def test_exit_on_wait_with_many_sleepers(desk: Desk) -> None:
    """With `--exit-on-wait` the process leaves while all of many tasks sleep, and the next run wakes each of them once."""
    desk.write("waiters.py", WAITERS)
    left = desk.run("--exit-on-wait", "waiters.py")
    assert (left.status, left.out, left.err) == (75, "", "")
    assert len(desk.effects) == 50
    again = desk.run("--exit-on-wait", "waiters.py")
    assert (again.status, again.out) == (75, "")
    done = desk.run("waiters.py", later=600)
    assert (done.status, done.out, done.err) == (0, "True\n", "")
    assert len(desk.effects) == len(set(desk.effects)) == 100
