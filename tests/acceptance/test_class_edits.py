"""A program that holds objects of many classes is killed, and goes on with all of these edited."""

from __future__ import annotations

import inspect
import sys

import pytest

from tests.harness.class_edits import EDITS, HEAD, in_circle, noted, with_z
from tests.harness.processes import KILLED, Desk

FLOW = """
    # durable: on
    import asyncio
    from importlib import import_module
    from world import effect

    MADE = {made!r}
    SEEN = {seen!r}

    def names(number):
        return vars(import_module(f"shapes{{number}}"))

    async def main():
        held = [eval(made, names(number)) for number, made in enumerate(MADE)]
        await effect("saved")
        await effect("killed")
        for number, seen in enumerate(SEEN):
            found = eval(seen, names(number) | {{"x": held[number]}})
            print(number, found if isinstance(found, str) else repr(found))
"""
SCRIPT = """
    # durable: on
    import asyncio
    import flow
    asyncio.run(flow.main())
"""
APPLICATION = """
    import asyncio
    import durable_import
    durable_import.install()
    import flow
    from durable_import import DurableRuntime

    async def main():
        async with DurableRuntime("sqlite:///state.db") as runtime:
            await runtime.run(flow.main, instance_id="x")

    asyncio.run(main())
"""
WAYS = {
    "run": (SCRIPT, ["-m", "durable_import", "run", "program.py"]),
    "application": (APPLICATION, ["program.py"]),
}
HELP = "\n".join(["", *(inspect.getsource(each) for each in (in_circle, noted, with_z))])


def write_shapes(desk: Desk, texts: list[str]) -> None:
    """One module, which is not marked, for each edit."""
    for number, text in enumerate(texts):
        (desk.folder / f"shapes{number}.py").write_text((HEAD + text + HELP).replace("shapes:", f"shapes{number}:"))


@pytest.mark.parametrize(("text", "command"), WAYS.values(), ids=WAYS)
def test_objects_are_what_they_were_in_the_classes_of_today(desk: Desk, text: str, command: list[str]) -> None:
    """In a script, and in an application."""
    edits = list(EDITS.values())
    desk.write("program.py", text)
    desk.write("flow.py", FLOW.format(made=[edit.made for edit in edits], seen=[edit.seen for edit in edits]))
    desk.variables["PYTHONDONTWRITEBYTECODE"] = "1"  # another text of the same size within a second looks like the same one
    write_shapes(desk, [edit.before for edit in edits])
    assert desk.start_command([sys.executable, *command], KILL_AT="2").end().status == KILLED
    write_shapes(desk, [edit.after for edit in edits])
    done = desk.start_command([sys.executable, *command]).end()
    assert done.status == 0, done
    expected = [edit.expected if isinstance(edit.expected, str) else repr(edit.expected) for edit in edits]
    assert done.out.splitlines() == [f"{number} {text}" for number, text in enumerate(expected)]
    assert desk.effects == ["saved", "killed", "killed"]
