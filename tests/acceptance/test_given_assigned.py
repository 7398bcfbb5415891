"""What a program sets in modules that are not marked, over kills."""

from __future__ import annotations

import pytest

from tests.harness.killing import killed_at
from tests.harness.processes import Desk

SETTINGS = """
    debug = False
    pool = thread = removed = None

    class Options:
        level = 1

    options = Options()
"""
MARKED = """
    # durable: on
    flag, names = False, []

    def seen():
        return flag, names
"""
PROGRAM = """
    # durable: on
    import asyncio
    import sys
    import threading

    import aiosqlite
    import marked
    import settings
    from world import effect

    def hook(*details):
        pass

    async def main():
        settings.debug = True
        settings.added = ["x"]
        settings.options.level = 2
        settings.Options.other = 3
        settings.pool = pool = await aiosqlite.connect("pool.db")
        marked.flag, marked.names = True, [1]
        sys.excepthook = hook
        del settings.removed
        await effect("set")
        async with settings.pool.execute("select 1") as cursor:
            [(one,)] = await cursor.fetchall()
        await effect("read")
        settings.debug = [settings.debug]
        await effect("set again")
        print(
            one, settings.debug, settings.added, settings.options.level, settings.Options.other, settings.pool is pool,
            marked.seen(), sys.excepthook is hook, hasattr(settings, "removed"),
        )
        await settings.pool.close()

    asyncio.run(main())
"""


@pytest.mark.slow
def test_attributes_of_modules_are_set_again(desk: Desk) -> None:
    """What the program has set of a module is so again, also clients, functions and what is deeper; what it shares is shared."""
    files = {"main.py": PROGRAM, "settings.py": SETTINGS, "marked.py": MARKED}
    for done in killed_at(desk, files, 1, 2, (1, 3, 5)):
        assert "cannot be saved" not in done.said, done


UNSAVABLE = """
    # durable: on
    import asyncio
    import threading

    import settings
    from world import effect

    async def main():
        settings.thread = threading.Thread()
        settings.debug = True
        await effect("set")
        await effect("told")
        print(settings.debug)

    asyncio.run(main())
"""


def test_what_cannot_be_set_again_is_told(desk: Desk) -> None:
    """It is named with its module, and the rest is set again."""
    desk.write("main.py", UNSAVABLE)
    desk.write("settings.py", SETTINGS)
    first = desk.run("main.py", kill_at=2)
    assert "main.py:9: what the program has put into thread of module settings cannot be saved" in first.err, first
    done = desk.run("main.py")
    assert (done.status, done.out) == (0, "True\n"), done
