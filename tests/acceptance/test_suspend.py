"""Signals and kills: what a program goes through when it is stopped from outside, at a chosen or at any moment."""

from __future__ import annotations

import random
import re
import signal
import sys
import time
from functools import partial
from textwrap import dedent

import pytest

from tests.harness.crash import RUN
from tests.harness.processes import KILLED, Desk, Running, is_alive

WAITING = """
    # durable: on
    import asyncio, pathlib, sys
    from world import effect

    async def main():
        try:
            await effect("begin")
            print("waiting")
            while not pathlib.Path("go").exists():
                await asyncio.sleep(0.05)
            return "went"
        except BaseException as error:
            print("caught", repr(error))
            raise
        finally:
            await effect("cleanup")
            print("cleaned up")

    if __name__ == "__main__":
        print(asyncio.run(main()))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_first_signal_suspends(desk: Desk, number: signal.Signals) -> None:
    """Ctrl-C or SIGTERM leaves the program as it is: no except or finally block runs before it gets there."""
    path = desk.write("waiting.py", WAITING)
    running = desk.start("--instance", "w", "waiting.py")
    running.wait_until(lambda: has_waited(desk, running))
    running.send(number)
    suspended = running.end()
    assert (suspended.status, suspended.out, suspended.err) == (128 + number, "waiting\n", "")
    place = rf"instance w at {re.escape(str(path))}:\d+ \(checkpoint \d+\)"
    assert re.search(rf"^durable_import: suspended {place}; run the same command again to go on$", suspended.said, re.M)
    assert desk.effects == ["begin"]
    (desk.folder / "go").touch()
    resumed = desk.run("--instance", "w", "waiting.py")
    assert (resumed.status, resumed.out, resumed.err) == (0, "cleaned up\nwent\n", "")
    assert re.search(rf"^durable_import: resuming {place}$", resumed.said, re.M)
    assert desk.effects == ["begin", "cleanup"]


def test_ignored_signal_stays_ignored(desk: Desk) -> None:
    """What is started with Ctrl-C ignored, as a shell starts its background jobs, goes on when that is pressed."""
    desk.write("waiting.py", WAITING)
    command = [sys.executable, *RUN, "--instance", "w", "waiting.py"]
    running = desk.start_command(["sh", "-c", 'trap "" INT; exec "$@"', "sh", *command])
    running.wait_until(lambda: has_waited(desk, running))
    running.send(signal.SIGINT)
    (desk.folder / "go").touch()
    ended = running.end()
    assert (ended.status, ended.out, ended.err) == (0, "waiting\ncleaned up\nwent\n", "")


BUSY = """
    # durable: on
    import asyncio, time
    from world import effect

    class Stubborn:
        def __enter__(self):
            print("inside", flush=True)
        def __exit__(self, *details):
            print("left", flush=True)

    async def main():
        await effect("begin")
        with Stubborn():
            while not await effect("look", {condition}):
                time.sleep({pause})
        return "done"

    print(asyncio.run(main()))
"""


def has_waited(desk: Desk, running: Running) -> bool:
    """Whether a waiting program has printed, and a checkpoint after that is committed: it will not print again."""
    return "waiting" in running.out and has_got_to(desk, 2)


def has_got_to(desk: Desk, checkpoint: int) -> bool:
    """Whether an instance has come so far."""
    return any(int(str(row[2])) >= checkpoint for row in desk.instances())


def test_suspending_while_the_program_computes(desk: Desk) -> None:
    """A signal that comes between two awaits suspends at the last checkpoint, at once."""
    desk.write("busy.py", BUSY.format(condition="False", pause=3600))
    running = desk.start("busy.py")
    running.wait_until(lambda: "look" in desk.effects)
    running.send(signal.SIGTERM)
    suspended = running.end()
    assert suspended.status == 128 + signal.SIGTERM
    assert "suspended instance busy-" in suspended.said
    assert suspended.out == "inside\n"


def test_signal_before_the_first_await(desk: Desk) -> None:
    """While no instance runs, signals do what they do to any script."""
    desk.write(
        "early.py",
        """
        # durable: on
        import time
        print("early", flush=True)
        time.sleep(3600)
    """,
    )
    for number, status in ((signal.SIGTERM, -signal.SIGTERM), (signal.SIGINT, 130)):
        running = desk.start("early.py")
        running.wait_for("early")
        running.send(number)
        ended = running.end()
        assert ended.status == status
        assert ended.said == ""
        assert ("KeyboardInterrupt" in ended.err) == (number == signal.SIGINT)


def test_second_signal_kills(desk: Desk) -> None:
    """When suspending takes long because the disk does, a second signal ends the process at once; nothing is lost."""
    desk.write("waiting.py", WAITING)
    running = desk.start("--instance", "w", "waiting.py")
    running.wait_until(lambda: has_waited(desk, running))
    lock = desk.lock_database()
    try:
        running.send(signal.SIGINT)
        time.sleep(0.5)
        assert is_alive(running.process.pid), "the first signal waits for the store"
        assert running.send_until_the_end(signal.SIGINT).status == -signal.SIGINT
    finally:
        lock.close()
    (desk.folder / "go").touch()
    resumed = desk.run("--instance", "w", "waiting.py")
    assert (resumed.status, resumed.out) == (0, "cleaned up\nwent\n")
    assert desk.effects == ["begin", "cleanup"]


def test_place_of_what_did_not_go_on(desk: Desk) -> None:
    """A program that is suspended again before it has gone on is where it was, and nowhere else."""
    path = desk.write(
        "nap.py",
        """
        # durable: on
        import asyncio

        async def main():
            for number in (1, 2):
                print(number)
            await asyncio.sleep(
                1000)

        asyncio.run(main())
    """,
    )
    for number in (1, 2, 3):
        ended = desk.run("--instance", "n", "--exit-on-wait", "nap.py")
        assert (ended.status, ended.out) == (75, "1\n2\n" if number == 1 else "")
        assert f"suspended instance n at {path}:7 (checkpoint {number})" in ended.said


@pytest.mark.slow
def test_suspended_again_and_again(desk: Desk) -> None:
    """A program suspended several times goes on where it was each time, in any number of processes."""
    desk.write("waiting.py", WAITING)
    for number in range(1, 4):
        running = desk.start("--instance", "w", "waiting.py")
        running.wait_until(partial(has_got_to, desk, 2 * number + 1))
        running.send(signal.SIGTERM)
        assert running.end().status == 128 + signal.SIGTERM
    (desk.folder / "go").touch()
    assert desk.run("--instance", "w", "waiting.py").out.endswith("cleaned up\nwent\n")
    assert desk.effects == ["begin", "cleanup"]


NEVER_WAITS = """
    # durable: on
    import asyncio, pathlib
    from library import no_wait

    async def main():
        count = 0
        while count < 200 or not pathlib.Path("go").exists():
            await no_wait()
            count += 1
            if count == 200:
                pathlib.Path("busy").touch()
        return "went"

    if __name__ == "__main__":
        print(asyncio.run(main()))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_suspending_a_program_that_never_waits(desk: Desk, number: signal.Signals) -> None:
    """Its commits are made in the thread that the signal interrupts, perhaps in the middle of one: it ends soon, and goes on."""
    desk.write("library.py", "async def no_wait():\n    pass\n")
    desk.write("busy.py", NEVER_WAITS)
    command = ("--store", "sqlite:///busy.db?synchronous=normal", "--instance", "b", "busy.py")
    for _ in range(5):
        running = desk.start(*command)
        running.wait_for("instance b")
        running.wait_until((desk.folder / "busy").exists)
        time.sleep(random.uniform(0.1, 0.2))
        running.send(number)
        suspended = running.end()
        assert (suspended.status, suspended.out, suspended.err) == (128 + number, "", "")
        assert "suspended instance b at" in suspended.said
    (desk.folder / "go").touch()
    resumed = desk.run(*command)
    assert (resumed.status, resumed.out, resumed.err) == (0, "went\n", "")


@pytest.mark.slow
def test_two_processes_of_one_instance(desk: Desk) -> None:
    """The second run of an instance is refused while the first one lives, which is not harmed; a dead one is followed."""
    desk.write("waiting.py", WAITING)
    first = desk.start("--instance", "w", "waiting.py")
    first.wait_until(lambda: has_waited(desk, first))
    for options in ([], ["--fresh"]):
        second = desk.run(*options, "--instance", "w", "waiting.py")
        assert (second.status, second.out, second.err) == (70, "", "")
        assert "'w'" in second.said
        assert str(first.process.pid) in second.said
    third = desk.start("--instance", "other", "waiting.py")
    third.wait_until(lambda: has_waited(desk, third))
    first.send(signal.SIGKILL)
    assert first.end().status == KILLED
    (desk.folder / "go").touch()
    follower = desk.run("--instance", "w", "waiting.py")
    assert (follower.status, follower.out) == (0, "cleaned up\nwent\n")
    assert "resuming instance w" in follower.said
    assert third.end().status == 0
    assert sorted(desk.effects) == ["begin", "begin", "cleanup", "cleanup"]


def test_refused_before_the_script_begins(desk: Desk) -> None:
    """The refused process executes nothing of the script: what that does at its top might harm the first one."""
    desk.write("waiting.py", "# durable: on\nprint('top', flush=True)\n" + dedent(WAITING))
    first = desk.start("--instance", "w", "waiting.py")
    first.wait_until(lambda: has_waited(desk, first))
    second = desk.run("--instance", "w", "waiting.py")
    assert (second.status, second.out) == (70, "")


@pytest.mark.slow
def test_stalled_owner_cannot_overwrite_its_successor(desk: Desk) -> None:
    """A process that slept past its lease is told so when it wakes up; its successor is not harmed."""
    desk.write("waiting.py", WAITING)
    first = desk.start("--instance", "w", "waiting.py")
    first.wait_until(lambda: has_waited(desk, first))
    desk.stop_outside_a_commit(first)
    desk.rows("UPDATE durable_owner SET until = 0.0")
    second = desk.start("--instance", "w", "waiting.py")
    second.wait_until(lambda: "resuming instance w" in second.err)
    first.send(signal.SIGCONT)
    woken = first.end()
    assert woken.status == 70
    assert "taken over" in woken.said
    (desk.folder / "go").touch()
    done = second.end()
    assert (done.status, done.out) == (0, "cleaned up\nwent\n")
    assert desk.effects == ["begin", "cleanup"]


LONG = """
    # durable: on
    import asyncio
    from world import effect

    async def item(n, seen):
        seen.append(n)
        await asyncio.sleep(0.002)
        print(n, await effect(f"item {n}", n * n))

    async def main():
        seen = []
        for n in range(150):
            await item(n, seen)
        return seen == list(range(150))

    print(asyncio.run(main()))
"""


@pytest.mark.slow
def test_killed_at_random_moments(desk: Desk) -> None:
    """Killed again and again at any moment, a program ends as natively; an effect is repeated only if it was cut short."""
    desk.write("long.py", LONG)
    moments = random.Random(7)
    kills = 0
    printed: list[str] = []
    while True:
        running = desk.start("long.py")
        if kills < 8:
            running.wait_for("instance long-")
            time.sleep(moments.uniform(0, 0.1))
            running.send(signal.SIGKILL)
        ended = running.end()
        printed += ended.out.splitlines()
        if "True" in printed:
            break
        assert ended.status == KILLED
        kills += 1
    assert printed[-1] == "True"
    expected = [f"item {n}" for n in range(150)]
    assert list(dict.fromkeys(desk.effects)) == expected
    assert len(desk.effects) <= 150 + kills
    assert list(dict.fromkeys(printed[:-1])) == [f"{n} {n * n}" for n in range(150)]
    assert len(printed) <= 151 + kills


SLEEPER = """
    # durable: on
    import asyncio, time

    async def main():
        print("asleep", flush=True)
        began = time.time()
        value = await asyncio.sleep(600, "slept")
        return value, time.time() >= began + 600

    print(*asyncio.run(main()))
"""


@pytest.mark.parametrize("seconds", [597, 10_000], ids=["remains", "is over"])
def test_sleep_goes_on_while_the_program_is_dead(desk: Desk, seconds: float) -> None:
    """After the restart only what remains of a sleep is slept, or nothing."""
    desk.write("sleeper.py", SLEEPER)
    running = desk.start("sleeper.py")
    running.wait_until(lambda: "asleep" in running.out and desk.statuses() == ["sleeping"])
    running.send(signal.SIGKILL)
    running.end()
    resumed = desk.run("sleeper.py", later=seconds)
    assert (resumed.status, resumed.out) == (0, "slept True\n")
    assert "resuming" in resumed.said


def test_long_sleep_can_end_the_process(desk: Desk) -> None:
    """With `--exit-on-wait` a program that sleeps long exits with status 75, again and again until the sleep is over."""
    desk.write(
        "patient.py",
        """
        # durable: on
        import asyncio
        from world import effect

        async def main():
            await effect("before")
            await asyncio.sleep(600)
            return await effect("after", "done")

        print(asyncio.run(main()))
        """,
    )
    for _ in range(2):
        left = desk.run("--exit-on-wait", "patient.py")
        assert (left.status, left.out) == (75, ""), left
        assert "sleeps until" in left.said
    done = desk.run("--exit-on-wait", "patient.py", later=600)
    assert (done.status, done.out) == (0, "done\n")
    assert desk.effects == ["before", "after"]
