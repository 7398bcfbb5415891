"""What `check` says of an instance is what becomes of it when it is resumed."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

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


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.name.replace(" ", "-").replace("()", ""))
def test_what_is_said_is_what_is_done(edit: Edit, desk: Desk) -> None:
    """For each edit: in the code of then, and in that of today."""
    desk.write("script.py", edit.text(edit.then, is_old=True))
    assert desk.run("script.py", kill_at=1).status == KILLED
    assert document(desk, "script.py")[1][0]["verdict"] == "same"
    desk.write("script.py", edit.text(edit.today, is_old=False))
    status, [today] = document(desk, "script.py")
    assert document(desk) == (status, [today])
    pinned_status, [pinned] = document(desk, "--old-code", "script.py")
    assert (pinned_status, pinned["verdict"]) == (0, "pinned"), pinned
    assert status == (1 if today["verdict"] == "cannot" else 0)
    ended = desk.run("script.py")
    assert became(ended) == today["verdict"], (today, ended)
    if today["verdict"] == "cannot":
        assert became(desk.run("--old-code", "script.py")) == "pinned"


MENDED = [
    (ROWS, "total += 100 // (row - 7)", "total += row", "moves"),
    (ROWS, "range(10)", "range(12)", "cannot"),
    (ROWS, "await charge(row)", "await charge(row + 1)", "moves"),
    (ROWS, "await charge(row)", "await charge(row); await charge(row)", "cannot"),
    (ROWS, "total = 0", "total = 0; more = 1", "moves"),
    (ROWS, "total)", "total, more)", "same"),
    (ROWS, "charge {row}", "paid {row}", "moves"),
    (ROWS, "async def charge(row):", "async def charge(row, more=1):", "moves"),
    (ROWS, "async def charge(row):", "async def pay(row):", "cannot"),
    (MANAGED, "Client() as client", "Client() as other", "cannot"),
    (MANAGED, "100 // (row - 7)", "row", "moves"),
]


@pytest.mark.parametrize(("text", "old", "new", "verdict"), MENDED)
def test_what_is_said_of_mended_scripts(text: str, old: str, new: str, verdict: str, desk: Desk) -> None:
    """They move or they cannot, and the run says the same."""
    desk.write("rows.py", text)
    assert desk.run("rows.py", kill_at=5).status == KILLED
    desk.write("rows.py", text.replace(old, new))
    status, [said] = document(desk)
    ended = desk.run("rows.py")
    assert became(ended) == said["verdict"], (said, ended)
    assert status == (1 if said["verdict"] == "cannot" else 0)
    if verdict != "same":
        assert said["verdict"] == verdict, said
