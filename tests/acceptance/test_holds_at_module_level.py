"""What is in use somewhere behind a module-level name holds the instance, as it does in a variable."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.harness.killing import last_line, lives
from tests.harness.processes import Desk

pytestmark = pytest.mark.slow

PROGRAM = """
    # durable: on
    import asyncio, gzip, sqlite3
    from world import effect

    class Shared:
        part = None

    class Holder:
        pass

    BOX, SHELVES, HOLDER = {}, [[]], Holder()

    async def main():
        db = sqlite3.connect("rows.db")
        db.execute("create table if not exists t (a)")
        db.commit()
        MAKING
        await effect("first")
        await effect("second")
        ENDING
        await effect("third")
        return RESULT

    print(asyncio.run(main()))
"""
ROWS = 'sqlite3.connect("rows.db").execute("select * from t").fetchall()', "[(1,), (2,)]"
TEXT = 'gzip.open("text.gz", "rt").read()', "12"
CASES = {
    "a connection in a class": (
        'Shared.part = db; db.execute("insert into t values (1)")',
        'Shared.part.execute("insert into t values (2)"); Shared.part.commit()',
        *ROWS,
    ),
    "a connection in a list in a list": (
        'SHELVES[0].append(db); db.execute("insert into t values (1)")',
        'SHELVES[0][0].execute("insert into t values (2)"); SHELVES[0][0].commit()',
        *ROWS,
    ),
    "a stream in a class": (
        'Shared.part = gzip.open("text.gz", "wt"); Shared.part.write("1")',
        'Shared.part.write("2"); Shared.part.close()',
        *TEXT,
    ),
    "a stream in a dict": (
        'BOX["out"] = gzip.open("text.gz", "wt"); BOX["out"].write("1")',
        'BOX["out"].write("2"); BOX["out"].close()',
        *TEXT,
    ),
    "a stream in a list in an object": (
        'HOLDER.parts = [gzip.open("text.gz", "wt")]; HOLDER.parts[0].write("1")',
        'HOLDER.parts[0].write("2"); HOLDER.parts[0].close()',
        *TEXT,
    ),
}


@pytest.mark.parametrize(("making", "ending", "result", "value"), CASES.values(), ids=list(CASES))
def test_in_use_at_module_level(desk: Desk, making: str, ending: str, result: str, value: str) -> None:
    """While it is in use nothing is saved; killed then, all in that time runs again; killed behind it, only the step does."""
    program = PROGRAM.replace("MAKING", making).replace("ENDING", ending).replace("RESULT", result)
    done = lives(desk, {"prog.py": program}, 2, 5)
    assert (done.status, last_line(done.out)) == (0, value), done
    assert Counter(desk.effects) == {"first": 2, "second": 2, "third": 2}
