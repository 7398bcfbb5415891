"""The shortest human approval, by the commands that its docstring gives."""

from __future__ import annotations

import re
import shlex
import sys

import pytest

from tests.acceptance.servers import EXAMPLES
from tests.harness.processes import Desk, Finished

pytestmark = pytest.mark.slow

WAITING = 75


def commands() -> list[list[str]]:
    """Those of the docstring: run, send, run again."""
    text = (EXAMPLES / "approval.py").read_text().replace("examples/approval.py", str(EXAMPLES / "approval.py"))
    return [shlex.split(command) for command in re.findall(r"^    (python .*)$", text, re.MULTILINE)]


def carry_out(desk: Desk, command: list[str]) -> Finished:
    return desk.start_command([sys.executable, *command[1:]]).end()


@pytest.mark.parametrize(
    ("answer", "reaction"), [('"yes"', "It is published."), ('"no, a square"', "It goes back to the drawing board: no, a square")]
)
def test_answer_of_another_day(desk: Desk, answer: str, reaction: str) -> None:
    """The run ends while it waits, as often as it is run; once the answer was sent, it goes on, and nothing is asked again."""
    run, send, again = commands()
    assert run == again
    asked = carry_out(desk, run)
    assert asked.status == WAITING
    assert asked.out == "May this logo be published: a circle and a bolt of lightning?\n"
    assert "it waits for an event: send it and run the same command again" in asked.said
    early = carry_out(desk, run)
    assert (early.status, early.out) == (WAITING, "")
    assert carry_out(desk, [*send[:-1], answer]).status == 0
    assert carry_out(desk, run).out == f"{reaction}\n"
    assert desk.rows() == []


def test_answer_while_it_waits(desk: Desk) -> None:
    """A run that stays gets the answer at once, also one that was killed before."""
    run, send, _ = commands()
    arguments = [word for word in run[4:] if word != "--exit-on-wait"]
    desk.start(*arguments).end_or_kill(1.5)
    running = desk.start(*arguments)
    running.wait_until(lambda: "resuming instance logo" in running.err)
    assert carry_out(desk, send).status == 0
    assert (ended := running.end()).status == 0, ended
    assert ended.out == "It is published.\n"
