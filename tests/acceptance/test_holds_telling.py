"""What is said of a hold, and what is refused inside of one."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from textwrap import dedent, indent

import pytest

from tests.harness.processes import KILLED, Desk, Finished

# a library's manager, which nothing is known of
LEDGER = """
    import asyncio, contextlib, socket

    class Transaction:
        def __init__(self, name="t"):
            self.name = name
        async def __aenter__(self):
            await asyncio.sleep(0)
            print("enter", self.name, flush=True)
            return self
        async def __aexit__(self, *details):
            await asyncio.sleep(0)
            print("exit", self.name, details[0] and details[0].__name__, flush=True)

    class Session(Transaction):
        def __init__(self):
            super().__init__()
            self.socket = socket.socket()

    @contextlib.asynccontextmanager
    async def opened():
        await asyncio.sleep(0)
        yield

    class Cursor:
        def __init__(self):
            self.socket = socket.socket()

    class Connection:
        async def execute(self, statement):
            await asyncio.sleep(0)
            return Cursor()
"""
LIBRARY = "site-packages/ledger.py"
HEAD = """\
# durable: on
import asyncio, os, sys
sys.path.insert(0, os.path.abspath("site-packages"))
import durable_import, ledger
from world import effect
"""


def held(finished: Finished | str) -> list[str]:
    """The lines that speak of a hold, but the one at the end of a run that was held until then."""
    said = finished if isinstance(finished, str) else finished.said
    return [line for line in said.splitlines() if " held " in line and "until its end" not in line]


def program(desk: Desk, text: str) -> Path:
    """Write `told.py`, which begins with HEAD, and the library."""
    desk.write(LIBRARY, LEDGER)
    path = desk.write("told.py", text)
    path.write_text(HEAD + path.read_text())
    return path


def line_of(path: Path, text: str) -> str:
    """`FILE:LINE` of the first line that contains a text."""
    lines = path.read_text().splitlines()
    return f"{path.name}:{next(number for number, line in enumerate(lines, 1) if text in line)}"


def test_hold_is_told_once_for_each_place(desk: Desk) -> None:
    """A line for each block that holds, with the place and the type, however often it is entered."""
    path = program(
        desk,
        """
        async def main():
            for number in range(4):
                async with ledger.Transaction(number):
                    await effect("first place")
                    await effect("still")
                await effect("between")
                async with ledger.Transaction("second"):
                    await effect("second place")
                    await effect("still")

        asyncio.run(main())
        """,
    )
    done = desk.run("told.py")
    assert done.status == 0, done
    told = held(done)
    assert len(told) == 2, done.said
    for line, text in zip(told, ("Transaction(number)", 'Transaction("second")'), strict=True):
        assert line_of(path, text) in line, line
        assert "ledger.Transaction" in line, line


ONCE = {
    "a variable, then its block": """
        async def main():
            session = ledger.Session()
            await effect("in a variable")
            async with session:
                await effect("in its block")
                await effect("still")
    """,
    "a block, then its variable": """
        async def main():
            async with ledger.Session() as session:
                await effect("in its block")
                await use(session)

        async def use(session):
            await effect("in another function")
            print(session.socket.family == 2)
    """,
    "handed on": """
        async def main():
            session = ledger.Session()
            await effect("here")
            await use([session])
            print(session.name)

        async def use(sessions):
            await asyncio.sleep(0.6)  # then it is tried again to save it
            await effect("there")
            print(sessions[0].socket.family == 2)
    """,
}


@pytest.mark.parametrize("text", ONCE)
def test_hold_is_told_once_wherever_it_goes(desk: Desk, text: str) -> None:
    """What was told as a variable is not told as a block too, nor in the next function that has it."""
    program(desk, ONCE[text] + "\n        asyncio.run(main())\n")
    done = desk.run("told.py")
    assert done.status == 0, done
    assert len(held(done)) == 1, done.said


WORDS = {
    "a connection in a variable": (
        """
            import sqlite3
            db = sqlite3.connect("rows.db")
            db.execute("begin")
            await effect("open")
            db.close()
        """,
        r"variable `db` .*sqlite3\.Connection .*a transaction is open .*[Cc]ommit, or roll back",
    ),
    "a connection in its block": (
        """
            import sqlite3
            db = sqlite3.connect("rows.db")
            with db:
                db.execute("create table t (n integer)")
                db.execute("insert into t values (1)")
                await effect("open")
            db.close()
            del db
        """,
        r"variable `db` .*sqlite3\.Connection .*a transaction is open .*[Cc]ommit, or roll back",
    ),
    "a writer over another": (
        """
            import gzip
            file = gzip.open("lines.gz", "wt")
            await effect("open")
            file.close()
        """,
        r"variable `file` .*gzip\.GzipFile .*write it in one plain function",
    ),
    "a pool that was closed": (
        """
            import psycopg_pool
            pool = psycopg_pool.AsyncConnectionPool(open=False)
            await pool.close()
            await effect("closed")
            print(pool.closed)
        """,
        r"variable `pool` .*AsyncConnectionPool \(it was closed.*\)\. `del` the variable, or make a new one\.$",
    ),
    "a generator's manager": (
        """
            async with ledger.opened():
                await effect("open")
        """,
        r"has a ledger\.opened\(\) open",
    ),
}


@pytest.mark.parametrize("what", WORDS)
def test_words_fit_what_holds(desk: Desk, what: str) -> None:
    """The variable or block is named as the program has it, and the advice is for that."""
    body, said = WORDS[what]
    program(desk, "async def main():\n" + indent(dedent(body).strip("\n"), "    ") + "\n\nasyncio.run(main())\n")
    done = desk.run("told.py")
    assert done.status == 0, done
    lines = held(done)
    assert len(lines) == 1, done.said
    assert re.search(said, lines[0], re.I), lines[0]


def test_resume_tells_what_runs_again(desk: Desk) -> None:
    """After a kill inside a block one line says since which checkpoint it was held; after a kill outside none does."""
    path = program(
        desk,
        """
        async def main():
            await effect("before")
            async with ledger.Transaction():
                await effect("inside")
                await effect("killed here")
            await effect("after")
            await effect("killed there")

        asyncio.run(main())
        """,
    )
    assert desk.run("told.py", kill_at=3).status == KILLED
    resumed = desk.run("told.py", kill_at=7)
    assert desk.effects == ["before", "inside", "killed here", "inside", "killed here", "after", "killed there"]
    again = [line for line in resumed.said.splitlines() if "run" in line and "again" in line and "checkpoint" in line]
    assert len(again) == 1, resumed.said
    assert line_of(path, "Transaction()") in again[0]
    last = desk.run("told.py")
    assert (last.status, held(last)) == (0, []), last


@pytest.mark.parametrize(
    "wait", [pytest.param("asyncio.sleep(3600)", id="timer"), pytest.param('durable_import.wait_for_event("never")', id="event")]
)
def test_long_wait_inside_a_hold_is_told_at_once(desk: Desk, wait: str) -> None:
    """Who waits long inside a block that holds is told so when the wait begins, with the places of both."""
    path = program(
        desk,
        f"""
        async def main():
            await effect("before")
            async with ledger.Transaction():
                await effect("inside")
                await {wait}

        asyncio.run(main())
        """,
    )
    running = desk.start("told.py")
    running.wait_until(
        lambda: any(line_of(path, wait) in line and line_of(path, "Transaction()") in line for line in held(running.err))
    )
    running.stop()


def test_discarded_result_does_not_hold(desk: Desk) -> None:
    """What a statement gives and nobody keeps need not be saved; what is kept holds."""
    path = program(
        desk,
        """
        async def main():
            db = ledger.Connection()
            for number in range(3):
                await db.execute("insert ...")
                await effect(f"discarded {number}")
            cursor = await db.execute("select ...")
            await effect("kept")
            await effect("still kept")
            return cursor.socket.family == 2

        print(asyncio.run(main()))
        """,
    )
    killed = desk.run("told.py", kill_at=2)
    assert (killed.status, held(killed)) == (KILLED, []), killed
    killed = desk.run("told.py", kill_at=6)
    assert (killed.status, len(held(killed))) == (KILLED, 1), killed
    assert line_of(path, "cursor = ") in held(killed)[0]
    assert "socket.socket" in held(killed)[0]
    done = desk.run("told.py")
    assert (done.status, done.out) == (0, "True\n"), done
    kept = ["kept", "still kept"]
    assert desk.effects == ["discarded 0", "discarded 1", "discarded 1", "discarded 2", *kept, *kept]


def test_pause_inside_a_hold_is_an_error(desk: Desk) -> None:
    """A pause whose state cannot be saved is an error that names the block, not a wait for ever."""
    path = program(
        desk,
        """
        async def main():
            await effect("before")
            async with ledger.Transaction():
                await effect("inside")
                raise durable_import.PauseForEventException("go")

        asyncio.run(main())
        """,
    )
    ended = desk.run("told.py")
    assert ended.status not in (0, 75), ended
    said = (ended.err + ended.said).splitlines()[-1]
    assert line_of(path, "Transaction()") in said
    assert line_of(path, "raise") in said


def test_transaction_of_the_runtime_inside_a_hold_is_an_error(desk: Desk) -> None:
    """Inside a hold of its own a task cannot commit: `runtime.transaction()` says where that is."""
    path = program(
        desk,
        """
        async def main():
            await effect("before")
            async with ledger.Transaction():
                await effect("inside")
                async with durable_import.current_runtime().transaction() as connection:
                    pass

        asyncio.run(main())
        """,
    )
    ended = desk.run("told.py")
    assert ended.status not in (0, 75), ended
    said = (ended.err + ended.said).splitlines()[-1]
    assert line_of(path, "ledger.Transaction()") in said
    assert line_of(path, "transaction()") in said


APP = """
    import asyncio, os, sys
    import durable_import
    durable_import.install()
    import told

    async def main():
        async with durable_import.DurableRuntime("sqlite:///app.db", hold_limit=float(sys.argv[1])) as runtime:
            try:
                print(await runtime.run(told.main, instance_id="it"))
            except durable_import.DurableError as error:
                print(f"{type(error).__name__}: {error}")

    asyncio.run(main())
"""


def app(desk: Desk, limit: float) -> Finished:
    desk.write("app.py", APP)
    return desk.start_command([sys.executable, "app.py", str(limit)]).end()


def test_hold_limit_of_nothing_refuses_before_entering(desk: Desk) -> None:
    """With `hold_limit=0` the line of the block is the error, and the block was not entered."""
    path = program(
        desk,
        """
        async def main():
            await effect("before")
            async with ledger.Transaction():
                await effect("inside")
            return "done"
        """,
    )
    ended = app(desk, 0)
    assert ended.status == 0, ended
    assert ended.out.startswith("HoldLimitError: "), ended
    assert line_of(path, "Transaction()") in ended.out
    assert "enter" not in ended.out
    assert desk.effects == ["before"]


def test_hold_limit_of_nothing_refuses_what_a_step_gives(desk: Desk) -> None:
    """With `hold_limit=0` a result that would hold is an error where its step ended."""
    path = program(
        desk,
        """
        async def main():
            await effect("before")
            cursor = await ledger.Connection().execute("select")
            await effect("not reached")
            return cursor
        """,
    )
    ended = app(desk, 0)
    assert "Error: " in ended.out, ended
    assert line_of(path, "cursor = ") in ended.out
    assert "not reached" not in desk.effects


@pytest.mark.parametrize("inside", ["await asyncio.sleep(600)", 'await durable_import.wait_for_event("never")', "await busy()"])
def test_hold_limit_lets_go(desk: Desk, inside: str) -> None:
    """After so many seconds the instance is let go of, also while it only waits; its block is left as by a cancellation."""
    path = program(
        desk,
        f"""
        async def busy():
            while True:
                await asyncio.sleep(0.02)

        async def main():
            await effect("before")
            try:
                async with ledger.Transaction():
                    {inside}
            finally:
                print("finally")
            return "done"
        """,
    )
    ended = app(desk, 0.3)
    assert ended.status == 0, ended
    assert "HoldLimitError: " in ended.out, ended
    assert line_of(path, "Transaction()") in ended.out
    assert "finally" not in ended.out
    assert "exit t" in ended.out
