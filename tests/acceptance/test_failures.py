"""A script that failed goes on from before its exception was raised, whatever has run on the exception's way out."""

from __future__ import annotations

import re
import sys

import pytest

from tests.harness.processes import KILLED, Desk

HEAD = """
    # durable: on
    import asyncio
    from contextlib import asynccontextmanager
    from library import Client
    from world import effect

    async def charge(row):
        await effect(f"charge {row}")
        return 10 // (row - 2)  # the line that is mended
"""
LIBRARY = """
    import asyncio
    import durable_import

    @durable_import.reopenable
    class Client:
        async def __aenter__(self):
            await asyncio.sleep(0)
            return self
        async def __aexit__(self, *details):
            await asyncio.sleep(0.01)
"""
FINALLY = """
    async def main():
        for row in range(4):
            try:
                await charge(row)
            finally:
                await effect(f"close {row}")
                await effect(f"leave {row}")
        print("done")
"""
REFUND = """
    async def main():
        for row in range(4):
            try:
                await charge(row)
            except ZeroDivisionError:
                await effect(f"refund {row}")
                raise
        print("done")
"""
OWN_MANAGER = """
    class Shop:
        async def __aenter__(self):
            return self
        async def __aexit__(self, kind, *details):
            if kind is not None:
                await effect("shut")

    async def main():
        async with Shop():
            for row in range(4):
                await charge(row)
        print("done")
"""
OWN_GENERATOR = """
    @asynccontextmanager
    async def shop():
        try:
            yield
        finally:
            await effect("shut")

    async def main():
        async with shop():
            for row in range(4):
                await charge(row)
        print("done")
"""
STAR = """
    async def main():
        for row in range(4):
            try:
                await charge(row)
            except* ZeroDivisionError:
                await effect(f"refund {row}")
                raise
        print("done")
"""
GENERATOR = """
    async def rows():
        try:
            for row in range(4):
                yield row, await charge(row)
        finally:
            await effect("shut")

    async def main():
        async for row, _ in rows():
            await effect(f"paid {row}")
        print("done")
"""
NESTED = """
    async def order(row):
        async with Client():
            return await charge(row)

    async def attempt(row):
        try:
            return await order(row)
        except ZeroDivisionError as error:
            await asyncio.to_thread(print, "asked")
            raise RuntimeError(row) from error

    async def main():
        for row in range(4):
            await attempt(row)
        print("done")
"""
GATHERED = """
    async def main():
        for row in range(4):
            await asyncio.gather(charge(row), asyncio.sleep(0))
        print("done")
"""
GROUPED = """
    async def wait():
        await asyncio.sleep(60)

    async def main():
        for row in range(4):
            try:
                async with asyncio.TaskGroup() as group:
                    sibling = group.create_task(wait())
                    await asyncio.sleep(0)
                    await group.create_task(charge(row))
                    sibling.cancel()
            except* asyncio.QueueEmpty:
                pass
        print("done")
"""
SIBLINGS = """
    async def wait():
        try:
            await asyncio.sleep(60)
        finally:
            await effect("cleaned")

    async def main():
        async with asyncio.TaskGroup() as group:
            sibling = group.create_task(wait())
            for row in range(4):
                await group.create_task(charge(row))
            sibling.cancel()
        print("done")
"""
WAITED = """
    async def main():
        for row in range(4):
            done, _ = await asyncio.wait([asyncio.create_task(charge(row)), asyncio.create_task(asyncio.sleep(0.2))])
            for task in done:
                task.result()
        print("done")
"""
SLEPT = """
    async def main():
        for row in range(4):
            try:
                await charge(row)
            finally:
                await asyncio.sleep(0.2)
        print("done")
"""
RUN = """
    asyncio.run(main())
"""
CHARGED = [f"charge {row}" for row in range(4)]


def write(desk: Desk, main: str, *, mended: bool = False) -> None:
    """The program, with the line as it was or mended."""
    desk.write("library.py", LIBRARY)
    text = HEAD + main + RUN
    desk.write("rows.py", text.replace("10 // (row - 2)", "row") if mended else text)


def fails(desk: Desk, main: str) -> str:
    """It fails at row 2; gives what was said."""
    write(desk, main)
    failed = desk.run("rows.py")
    assert failed.status == 1, failed
    assert "ZeroDivisionError" in failed.err
    return failed.said + failed.err


@pytest.mark.parametrize(
    "main",
    [
        pytest.param(SLEPT, marks=pytest.mark.slow),
        GATHERED,
        pytest.param(GROUPED, marks=pytest.mark.slow),
        pytest.param(WAITED, marks=pytest.mark.slow),
    ],
    ids=["sleep", "gather", "group", "wait"],
)
def test_nothing_of_the_program_ran(desk: Desk, main: str) -> None:
    """The same command goes on in the mended line."""
    fails(desk, main)
    write(desk, main, mended=True)
    ended = desk.run("rows.py")
    assert (ended.status, ended.out) == (0, "done\n"), ended
    assert sorted(set(desk.effects)) == CHARGED
    assert len(desk.effects) <= 5


@pytest.mark.parametrize(
    ("main", "listed"),
    [
        (FINALLY, [("effect", "close", "main"), ("effect", "leave", "main")]),
        pytest.param(REFUND, [("effect", "refund", "main")], marks=pytest.mark.slow),
        pytest.param(OWN_MANAGER, [("effect", "shut", "Shop.__aexit__")], marks=pytest.mark.slow),
        pytest.param(OWN_GENERATOR, [("effect", "shut", "shop")], marks=pytest.mark.slow),
        pytest.param(STAR, [("effect", "refund", "main")], marks=pytest.mark.slow),
        pytest.param(GENERATOR, [("effect", "shut", "rows")], marks=pytest.mark.slow),
        pytest.param(NESTED, [("print", "to_thread", "attempt")], marks=pytest.mark.slow),
        pytest.param(SIBLINGS, [("effect", "cleaned", "wait")], marks=pytest.mark.slow),
    ],
    ids=["finally", "refund", "manager", "contextmanager", "star", "generator", "nested", "siblings"],
)
def test_steps_of_the_program_ran(desk: Desk, main: str, listed: list[tuple[str, str, str]]) -> None:
    """The next run lists them, and ends; told to, it goes on in the mended line."""
    said = fails(desk, main)
    lines = (desk.folder / "rows.py").read_text().splitlines()
    words = []
    for called, words_there, function in listed:
        number = next(number for number, line in enumerate(lines, 1) if words_there in line)
        words.append(f"{called} ({desk.folder}/rows.py:{number}, in {function})")
    write(desk, main, mended=True)
    before = desk.effects
    refused = desk.run("rows.py")
    assert (refused.status, refused.out) == (70, ""), refused
    for told in (said, refused.said + refused.err):
        assert re.findall(r"\S+ \(\S+:\d+, in [^)]*\)", told) == words
        assert "--from-failure" in told
        assert "--fresh" in told
    assert desk.effects == before
    ended = desk.run("--from-failure", "rows.py")
    assert (ended.status, ended.out.endswith("done\n")) == (0, True), ended
    assert sorted({effect for effect in desk.effects if "charge" in effect}) == CHARGED


HANDLED = """
    async def attempt(row):
        try:
            if row == 1:
                raise KeyError(row)
            await effect(f"charge {row}")
        finally:
            await effect(f"close {row}")

    async def main():
        for row in range(4):
            try:
                await attempt(row)
            except KeyError:
                await effect("handled")
            await effect(f"paid {row}")
            10 // (row - 2)
        print("done")
"""


def test_an_exception_that_was_handled(desk: Desk) -> None:
    """What ran on its way out is forgotten: the next one has another place to go back to, and nothing of its own ran."""
    desk.write("library.py", LIBRARY)
    desk.write("rows.py", HEAD + HANDLED + RUN)
    assert desk.run("rows.py").status == 1
    desk.write("rows.py", HEAD + HANDLED.replace("    10 // (row - 2)", "    row") + RUN)
    before = desk.effects
    assert before[-1] == "paid 2"
    ended = desk.run("rows.py")
    assert (ended.status, ended.out) == (0, "done\n"), ended
    assert desk.effects[len(before) :] == ["charge 3", "close 3", "paid 3"]


FORGOTTEN = """
    async def fail():
        raise KeyError("forgotten")

    async def main():
        tasks = [asyncio.create_task(fail())]
        for row in range(4):
            await charge(row)
            await effect(f"paid {row}")
        ASK
        print("done")
"""


@pytest.mark.slow
def test_a_task_that_nobody_asks(desk: Desk) -> None:
    """Its exception is none of the program's: the state is that of before the one that has ended it."""
    main = FORGOTTEN.replace("ASK", "len(tasks)")
    fails(desk, main)
    before = desk.effects
    write(desk, main, mended=True)
    ended = desk.run("rows.py")
    assert (ended.status, ended.out) == (0, "done\n"), ended
    assert desk.effects[len(before) :] == ["paid 2", "charge 3", "paid 3"]


@pytest.mark.slow
def test_a_task_that_is_asked_in_the_end(desk: Desk) -> None:
    """The state is that of before the task failed, and what the program has done since is listed."""
    main = FORGOTTEN.replace("ASK", "await tasks[0]").replace("raise KeyError", "await effect('fail'); raise KeyError")
    write(desk, main, mended=True)
    assert desk.run("rows.py").status == 1
    before = desk.effects
    write(desk, main.replace("raise KeyError", "print"), mended=True)
    refused = desk.run("rows.py")
    assert refused.status == 70, refused
    assert "in main)" in refused.err
    ended = desk.run("--from-failure", "rows.py")
    assert (ended.status, ended.out) == (0, "forgotten\ndone\n"), ended
    assert desk.effects[len(before) :].count("paid 3") == 1


RETRIED = """
    async def main():
        for row in range(4):
            for attempt in range(3):
                try:
                    await charge(row)
                except ZeroDivisionError:
                    if attempt == 2:
                        raise
                    await effect("pause")
                else:
                    break
        print("done")
"""
RETRIED_LATER = RETRIED.replace(
    """                    if attempt == 2:
                        raise
                    await effect("pause")
""",
    """                    await effect("pause")
                    if attempt == 2:
                        raise
""",
)


@pytest.mark.slow
def test_a_loop_of_attempts(desk: Desk) -> None:
    """An attempt that is followed by another one is not on its way out: what it awaited in between is not listed."""
    fails(desk, RETRIED)
    before = desk.effects
    write(desk, RETRIED, mended=True)
    ended = desk.run("rows.py")
    assert (ended.status, ended.out) == (0, "done\n"), ended
    assert before.count("pause") == 2
    assert desk.effects[len(before) :] == ["charge 3"]


@pytest.mark.slow
def test_a_loop_of_attempts_that_waits_before_it_gives_up(desk: Desk) -> None:
    """Only what the last attempt awaited is listed, and the state is that of before the last attempt."""
    said = fails(desk, RETRIED_LATER)
    assert said.count("effect (") == 1
    before = desk.effects
    write(desk, RETRIED_LATER, mended=True)
    assert desk.run("rows.py").status == 70
    ended = desk.run("--from-failure", "rows.py")
    assert (ended.status, ended.out) == (0, "done\n"), ended
    assert desk.effects[len(before) :] == ["charge 3"]


@pytest.mark.parametrize("kill_at", [7, 8, 9])
def test_killed_on_the_way_out(desk: Desk, kill_at: int) -> None:
    """A crash in the middle of a ``finally`` loses neither the state before nor what ran."""
    main = FINALLY.replace('effect(f"leave {row}")', 'effect(f"leave {row}")\n                await effect(f"gone {row}")')
    write(desk, main)
    assert desk.run("rows.py", kill_at=kill_at + 2).status == KILLED
    failed = desk.run("rows.py")
    assert failed.status == 1, failed
    before = desk.effects
    write(desk, main, mended=True)
    refused = desk.run("rows.py")
    assert refused.status == 70
    assert (refused.said + refused.err).count("effect (") == 3
    ended = desk.run("--from-failure", "rows.py")
    assert (ended.status, ended.out) == (0, "done\n"), ended
    assert desk.effects[len(before) :] == ["close 2", "leave 2", "gone 2", "charge 3", "close 3", "leave 3", "gone 3"]


OVERLAPPING = """
    async def one(row):
        try:
            await charge(row)
        finally:
            await effect(f"close {row}")
            await asyncio.sleep(0.2)

    async def main():
        await asyncio.gather(one(2), one(2))
        print("done")
"""


@pytest.mark.slow
@pytest.mark.parametrize("kill_at", [None, 3, 4])
def test_two_failures_at_once(desk: Desk, kill_at: int | None) -> None:
    """The state is that of before the first, killed or not."""
    write(desk, OVERLAPPING)
    if kill_at is not None:
        assert desk.run("rows.py", kill_at=kill_at).status == KILLED
    failed = desk.run("rows.py")
    assert failed.status == 1, failed
    write(desk, OVERLAPPING, mended=True)
    assert desk.run("rows.py").status == 70
    ended = desk.run("--from-failure", "rows.py")
    assert (ended.status, ended.out) == (0, "done\n"), ended


MANY = """
    async def wait(queue, number):
        text = str(number) * 200
        while await queue.get():
            await effect(f"{number} {len(text)}")

    async def main():
        queues = [asyncio.Queue() for _ in range(300)]
        tasks = [asyncio.create_task(wait(queue, number)) for number, queue in enumerate(queues)]
        try:
            for row in range(200):
                await effect(f"row {row}")
                queues[row].put_nowait(1)
            10 // (row - 199)
        finally:
            for row in range(3):
                await effect(f"close {row}")
                queues[row].put_nowait(1)
                await asyncio.sleep(0.01)
        for queue in queues:
            queue.put_nowait(0)
        await asyncio.gather(*tasks)
        print("done")
"""


@pytest.mark.slow
@pytest.mark.parametrize("kill_at", [None, 403, 404])
def test_one_of_many_tasks_fails(desk: Desk, kill_at: int | None) -> None:
    """The segments of the state before stay until it is not needed, over a crash."""
    desk.write("library.py", LIBRARY)
    desk.write("rows.py", HEAD + MANY + RUN)
    if kill_at is not None:
        assert desk.run("rows.py", kill_at=kill_at).status == KILLED
    failed = desk.run("rows.py")
    assert failed.status == 1, failed
    segments = "SELECT count(*) FROM durable_segment WHERE key LIKE 'before/%'"
    assert desk.rows(segments) != [(0,)]
    desk.write("rows.py", HEAD + MANY.replace("10 // (row - 199)", "row") + RUN)
    before = desk.effects
    assert desk.run("rows.py").status == 70
    assert desk.effects == before
    ended = desk.run("--from-failure", "rows.py")
    assert (ended.status, ended.out) == (0, "done\n"), ended
    assert desk.effects.count("row 199") == 1
    assert desk.effects.count("close 2") >= 2


@pytest.mark.slow
@pytest.mark.parametrize("main", [REFUND, OWN_MANAGER, NESTED, SIBLINGS], ids=["refund", "manager", "nested", "siblings"])
def test_killed_in_each_effect(desk: Desk, main: str) -> None:
    """Wherever it was killed: mended after it has failed, it goes on, and no row is left out or charged a third time."""
    for kill_at in range(1, 6):
        write(desk, main)
        first = len(desk.effects)
        killed = desk.run("rows.py", kill_at=first + kill_at)
        if killed.status == KILLED:
            killed = desk.run("rows.py")
        assert killed.status == 1, killed
        write(desk, main, mended=True)
        ended = desk.run("--from-failure", "rows.py")
        assert (ended.status, ended.out.endswith("done\n")) == (0, True), ended
        charged = [effect for effect in desk.effects[first:] if effect.startswith("charge")]
        assert sorted(set(charged)) == CHARGED
        assert len(charged) <= len(CHARGED) + 2


@pytest.mark.slow
def test_it_is_said_before(desk: Desk) -> None:
    """`check` looks at the state that a failed script goes back to, and says what that takes; `show` shows where it failed."""
    fails(desk, REFUND)
    write(desk, REFUND.replace("refund {row}", "refund of {row}"), mended=True)
    checked = desk.start_command([sys.executable, "-m", "durable_import", "check", "rows.py"]).end()
    assert checked.status == 0, checked
    assert "moves" in checked.out
    assert "--from-failure" in checked.out
    shown = desk.start_command([sys.executable, "-m", "durable_import", "show", str(desk.instances()[0][0])]).end()
    assert shown.status == 0, shown
    assert "refund" in shown.out
    assert "ZeroDivisionError" in shown.out
