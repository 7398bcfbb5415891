"""A script that was stopped, and mended, goes on from where it was with the same command."""

from __future__ import annotations

import sys

from tests.harness.processes import KILLED, Desk

ROWS = """
    # durable: on
    import asyncio
    from world import effect

    async def charge(row):
        await effect(f"charge {row}")

    async def main():
        total = 0
        for row in range(10):
            await charge(row)
            total += 100 // (row - 7)
        print("total", total)

    asyncio.run(main())
"""
MANAGED = """
    # durable: on
    import asyncio
    from world import effect

    class Client:
        def __enter__(self):
            self.is_open = True
            return self
        def __exit__(self, *details):
            self.is_open = False

    async def charge(client, row):
        assert client.is_open
        await effect(f"charge {row}")

    async def main():
        total = 0
        with Client() as client:
            for row in range(10):
                await charge(client, row)
                total += 100 // (row - 7)
        print("total", total)

    asyncio.run(main())
"""
CHARGED = [f"charge {row}" for row in range(10)]
EARLIER = sum(100 // (row - 7) for row in range(7))  # by the old line


def test_a_failed_script_goes_on_in_the_mended_line(desk: Desk) -> None:
    """It fails at row 7; mended, the same command goes on, and each row is charged once."""
    desk.write("rows.py", ROWS)
    failed = desk.run("rows.py")
    assert failed.status == 1
    assert "ZeroDivisionError" in failed.err
    desk.write("rows.py", ROWS.replace("100 // (row - 7)", "row"))
    ended = desk.run("rows.py")
    assert (ended.status, ended.out) == (0, f"total {EARLIER + 7 + 8 + 9}\n"), ended
    assert "in the new code of 'main' (changed at line 12)" in ended.said
    assert desk.effects == CHARGED


def test_a_killed_script_goes_on_in_the_mended_line(desk: Desk) -> None:
    """It is killed in the charge of row 6; the new code goes on behind the last checkpoint, which is the charge of row 5."""
    desk.write("rows.py", ROWS)
    assert desk.run("rows.py", kill_at=7).status == KILLED
    before = desk.effects
    desk.write("rows.py", ROWS.replace("total += 100 // (row - 7)", "total += row"))
    ended = desk.run("rows.py")
    assert (ended.status, ended.out) == (0, f"total {sum(100 // (row - 7) for row in range(5)) + 5 + 6 + 7 + 8 + 9}\n"), ended
    assert sorted(set(desk.effects), key=CHARGED.index) == CHARGED
    assert desk.effects[: len(before)] == before
    assert len(desk.effects) <= len(CHARGED) + 1


def test_a_script_that_cannot_go_on_says_why(desk: Desk) -> None:
    """Nothing is repeated, both texts are shown, and the old code goes on."""
    desk.write("rows.py", ROWS)
    assert desk.run("rows.py", kill_at=5).status == KILLED
    before = desk.effects
    desk.write("rows.py", ROWS.replace("range(10)", "range(12)"))
    refused = desk.run("rows.py")
    assert refused.status == 70, refused
    said = refused.err + refused.said
    for words in ("a block around it is another one", "then:  await charge(row)", "range(10)", "range(12)", "run --fresh"):
        assert words in said
    assert desk.effects == before
    desk.write("rows.py", ROWS.replace("100 // (row - 7)", "100 // (row - 70)"))
    assert desk.run("rows.py").status == 0
    assert sorted(set(desk.effects), key=CHARGED.index) == CHARGED


def test_a_script_with_a_manager_around(desk: Desk) -> None:
    """The block is the same one, though it stands in another place, and it is left once."""
    desk.write("rows.py", MANAGED)
    failed = desk.run("rows.py")
    assert (failed.status, "ZeroDivisionError" in failed.err) == (1, True), failed
    desk.write("rows.py", MANAGED.replace("total = 0", "total = 0\n        unused = 1").replace("100 // (row - 7)", "row"))
    ended = desk.run("rows.py")
    assert (ended.status, ended.out) == (0, f"total {EARLIER + 7 + 8 + 9}\n"), ended
    assert desk.effects == CHARGED


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
SERVED = """
    # durable: on
    import asyncio
    from contextlib import AsyncExitStack
    from library import Client
    from world import effect

    async def charge(client, row):
        await effect(f"charge {row}")

    async def main():
        total = 0
        async with Client() as client, AsyncExitStack() as stack:
            await stack.enter_async_context(Client())
            for row in range(10):
                await charge(client, row)
                total += 100 // (row - 7)
        print("total", total)

    asyncio.run(main())
"""


def test_an_exception_that_leaves_blocks_of_libraries(desk: Desk) -> None:
    """What the managers of libraries await on the way out is not kept: the mended line is what runs next."""
    desk.write("library.py", LIBRARY)
    desk.write("rows.py", SERVED)
    for _ in range(2):
        failed = desk.run("rows.py")
        assert (failed.status, "ZeroDivisionError" in failed.err) == (1, True), failed
    desk.write("rows.py", SERVED.replace("100 // (row - 7)", "row"))
    ended = desk.run("rows.py")
    assert (ended.status, ended.out) == (0, f"total {EARLIER + 7 + 8 + 9}\n"), ended
    assert desk.effects == CHARGED


CAUGHT = """
    # durable: on
    import asyncio
    from library import Client
    from world import effect, fail

    async def attempt(row):
        try:
            async with Client():
                await effect(f"try {row}")
                await fail(f"fail {row}", KeyError(row))
        except KeyError:
            await effect(f"caught {row}")
            await asyncio.sleep(0)

    async def main():
        for row in range(2):
            await attempt(row)
        print("done")

    asyncio.run(main())
"""


def test_an_exception_that_is_caught_behind_such_a_block(desk: Desk) -> None:
    """What comes then is committed: killed in it, nothing before it happens again."""
    desk.write("library.py", LIBRARY)
    desk.write("rows.py", CAUGHT)
    assert desk.run("rows.py", kill_at=3).status == KILLED
    ended = desk.run("rows.py")
    assert (ended.status, ended.out) == (0, "done\n"), ended
    assert desk.effects == ["try 0", "fail 0", "caught 0", "caught 0", "try 1", "fail 1", "caught 1"]


CALLED = """
    # durable: on
    import asyncio
    import library
    from world import effect

    async def main():
        for row in range(3):
            await effect(f"row {row}")
            total = {row: await library.post("right" if row < 2 else "wrong", row)}
        print("done", total)

    asyncio.run(main())
"""
POSTS = """
    from world import effect, fail

    async def post(url, row):
        if url == "wrong":
            await fail(f"failed {row}", ConnectionError(url))
        return await effect(f"sent {url} {row}", url)
"""


def test_a_call_that_failed_is_made_as_it_is_written_today(desk: Desk) -> None:
    """Its arguments were the mistake: they are evaluated again, and nothing before them."""
    desk.write("library.py", POSTS)
    desk.write("rows.py", CALLED)
    failed = desk.run("rows.py")
    assert (failed.status, "ConnectionError" in failed.err) == (1, True), failed
    desk.write("rows.py", CALLED.replace('"right" if row < 2 else "wrong"', 'f"right{row}"'))
    ended = desk.run("rows.py")
    assert (ended.status, ended.out) == (0, "done {2: 'right2'}\n"), ended
    sent = ["row 0", "sent right 0", "row 1", "sent right 1", "row 2", "failed 2", "sent right2 2"]
    assert desk.effects == sent


SERVICE = """
    import asyncio
    import durable_import
    durable_import.install()

    async def main():
        import flow
        async with durable_import.DurableRuntime("sqlite:///state.db", on_change="refuse") as runtime:
            print(await runtime.run(flow.order, instance_id="o"))

    asyncio.run(main())
"""
ORDER = """
    # durable: on
    from durable_import import on_change
    from world import effect

    @on_change("move")
    async def order():
        await effect("first")
        await effect("second")
        return "{done}"
"""


def test_a_function_that_may_move_where_others_are_refused(desk: Desk) -> None:
    """What is said for it counts, whatever the runtime says for the others."""
    desk.write("app.py", SERVICE)
    desk.write("flow.py", ORDER.format(done="then"))
    assert desk.start_command([sys.executable, "app.py"], KILL_AT="2").end().status == KILLED
    desk.write("flow.py", ORDER.format(done="today"))
    ended = desk.start_command([sys.executable, "app.py"]).end()
    assert (ended.status, ended.out) == (0, "today\n"), ended
    assert desk.effects == ["first", "second", "second"]
    desk.write("flow.py", ORDER.format(done="last").replace('@on_change("move")', ""))
    assert desk.start_command([sys.executable, "app.py"]).end().out == "today\n"  # it has ended
