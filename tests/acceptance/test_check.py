"""What `check` says of an instance is what becomes of it when it is resumed."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import pytest

from durable_import.api.check import Checked, check_instances
from tests.acceptance.test_moved import MANAGED, ROWS
from tests.acceptance.test_pinned import EDITS, Edit
from tests.harness.processes import KILLED, Desk, Finished

CHECK = [sys.executable, "-m", "durable_import", "check"]


def check(desk: Desk, *arguments: str) -> Finished:
    """Run `check` in the folder of the desk."""
    return desk.start_command([*CHECK, *arguments]).end()


def document(desk: Desk, *arguments: str) -> tuple[int, list[dict[str, Any]]]:
    """Its exit status, and what it says of the instances."""
    ended = check(desk, "--json", *arguments)
    assert ended.err == "", ended
    return ended.status, json.loads(ended.out)["instances"]


def became(ended: Finished) -> str:
    """What has become of an instance, by what `run` said."""
    if ended.status == 70:
        return "cannot"
    return "moves" if "in the new code of" in ended.said else "pinned" if "that it began with" in ended.said else "same"


def verdict(desk: Desk, script: str, *, old_code: bool = False) -> Checked:
    """What is said of the one instance in the middle of a script, by this process."""
    found = asyncio.run(check_instances(f"sqlite:///{desk.database}", [str(desk.folder / script)], old_code=old_code))
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize(
    "edit",
    [pytest.param(edit, marks=pytest.mark.slow if number % 8 else ()) for number, edit in enumerate(EDITS)],
    ids=lambda edit: edit.name.replace(" ", "-").replace("()", ""),
)
def test_what_is_said_is_what_is_done(edit: Edit, desk: Desk) -> None:
    """For each edit, as `run` does it, and as `run --old-code` does (which `test_pinned` has seen)."""
    desk.write("script.py", edit.text(edit.then, is_old=True))
    assert desk.run("script.py", kill_at=1).status == KILLED
    assert verdict(desk, "script.py").verdict == "same"
    desk.write("script.py", edit.text(edit.today, is_old=False))
    pinned = verdict(desk, "script.py", old_code=True)
    assert (pinned.verdict, pinned.goes_on) == ("pinned", True), pinned
    today = verdict(desk, "script.py")
    ended = desk.run("script.py")
    assert became(ended) == today.verdict, (today, ended)


MENDED = [
    (ROWS, "total += 100 // (row - 7)", "total += row", "moves"),
    (ROWS, "range(10)", "range(12)", "cannot"),
    (ROWS, "await charge(row)", "await charge(row + 1)", "moves"),
    (ROWS, "await charge(row)", "await charge(row); await charge(row)", "cannot"),
    (ROWS, "total = 0", "total = 0; more = 1", "moves"),
    (ROWS, "total)", "row)", "moves"),
    (ROWS, "charge {row}", "paid {row}", "moves"),
    (ROWS, "async def charge(row):", "async def charge(row, more=1):", "moves"),
    (ROWS, "async def charge(row):", "async def pay(row):", "cannot"),
    (MANAGED, "Client() as client", "Client() as other", "cannot"),
    (MANAGED, "100 // (row - 7)", "row", "moves"),
]


@pytest.mark.parametrize(("text", "old", "new", "said"), MENDED)
def test_what_is_said_of_mended_scripts(text: str, old: str, new: str, said: str, desk: Desk) -> None:
    """They move or they cannot, and the run says the same."""
    desk.write("rows.py", text)
    assert desk.run("rows.py", kill_at=5).status == KILLED
    desk.write("rows.py", text.replace(old, new))
    found = verdict(desk, "rows.py")
    ended = desk.run("rows.py")
    assert became(ended) == found.verdict == said, (found, ended)
    assert found.goes_on == (said != "cannot")


DEEP = """
    # durable: on
    import asyncio

    print("rows is imported")
    from work import deep

    async def main():
        await deep.wait()
        print("old")

    asyncio.run(main())
"""
INNER = """
    # durable: on
    import asyncio
    import pathlib
    from world import effect

    pathlib.Path("imported").touch()

    async def wait():
        await asyncio.sleep(0)
        await effect("here")
"""


@pytest.mark.slow
def test_it_is_said_by_the_command(desk: Desk) -> None:
    """In lines and as a document, for all, a script and a module; nothing is imported."""
    desk.write("work/__init__.py", "")
    desk.write("work/deep.py", INNER)
    desk.write("rows.py", DEEP)
    assert desk.run("rows.py", kill_at=1).status == KILLED
    (desk.folder / "imported").unlink()
    desk.write("work/__init__.py", "raise SystemExit('it is imported')")
    assert document(desk)[1][0]["verdict"] == "same"
    desk.write("work/deep.py", INNER.replace('effect("here")', 'effect("there")'))
    said = [document(desk, *names) for names in ((), ("rows.py",), ("work",), ("work.deep",), ("work.deep", "rows.py"))]
    assert all(each == said[0] for each in said), said
    status, [found] = said[0]
    assert (status, found["verdict"], found["module"], found["function"]) == (0, "moves", "work.deep", "main")
    desk.write("work/deep.py", INNER.replace("await asyncio.sleep(0)", "pass"))
    ended = check(desk, "rows.py")
    assert (ended.status, ended.err) == (1, "")
    for words in ("  main  cannot  ", "nothing like it is awaited", "then: await asyncio.sleep(0)", "run --old-code"):
        assert words in ended.out
    assert len(ended.out.splitlines()) == 1
    (desk.folder / "work" / "deep.py").unlink()
    status, [found] = document(desk, "rows.py")
    assert (status, found["verdict"]) == (1, "cannot")
    assert "'work.deep' is not there today" in found["reason"]
    assert check(desk, "nothing.py").status == 2
    assert check(desk, "no.such.module").status == 2
    assert check(desk, "--store", "sqlite:///other.db").status == 2
    assert not (desk.folder / "imported").exists()
    assert not (desk.folder / "other.db").exists()


THEN = """
class Order:
    def __init__(self, item):
        self.item = item
def shown(n):
    return Order(n).item
import helper
"""
NOW = """
class Order:
    def __init__(self, item, currency):
        self.item = item
"""
MISFITS = [
    ("print(Order(7).item)", "`Order(7)`", "(item, currency)"),
    ("print(shown(7))", "'shown' calls `Order(n)`", "(item, currency)"),
    ("print(helper.rate(7))", "needs 'helper' of module '__main__', which is gone today", ""),
]


@pytest.mark.slow
@pytest.mark.parametrize(("rest", "words", "more"), MISFITS)
def test_calls_of_pinned_code_that_no_longer_fit(rest: str, words: str, more: str, desk: Desk) -> None:
    """They are told, with status 1, though the instance begins to go on; and the run then fails there."""
    edit = Edit("", THEN, NOW, "", rest, "", "")
    helper = desk.write("helper.py", "def rate(n): return n")
    desk.write("script.py", edit.text(edit.then, is_old=True))
    assert desk.run("script.py", kill_at=1).status == KILLED
    desk.write("script.py", edit.text(edit.today, is_old=False))
    helper.unlink()
    ended = check(desk, "--old-code", "script.py")
    assert (ended.status, ended.err) == (1, ""), ended
    assert "  pinned  " in ended.out
    assert words in ended.out
    assert more in ended.out
    assert desk.run("--old-code", "script.py").status != 0


def test_what_cannot_be_made_from_the_old_text(desk: Desk) -> None:
    """A decorated function that is gone, and that the state names, is in the way, and the run says so."""
    edit = Edit("", "@functools.lru_cache\ndef rate(n):\n    return n", "", "", "print(rate(7))", "", "")
    desk.write("script.py", edit.text(edit.then, is_old=True))
    assert desk.run("script.py", kill_at=1).status == KILLED
    desk.write("script.py", edit.text(edit.today, is_old=False))
    found = verdict(desk, "script.py", old_code=True)
    assert found.verdict == became(desk.run("--old-code", "script.py")) == "cannot", found
