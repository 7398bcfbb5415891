"""What somebody meets who has just begun: a script without the mark, one that is never saved, examples."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.harness.processes import Desk

UNMARKED = """
    #!/usr/bin/env python3
    import asyncio

    async def main():
        await asyncio.to_thread(print, "ran")

    asyncio.run(main())
"""
NEVER_SAVED = {
    "main came to no checkpoint": """
        # durable: on
        import asyncio

        async def double(number):
            return 2 * number

        async def main():
            print(await double(2))

        asyncio.run(main())
    """,
    "main was held until its end": """
        # durable: on
        import asyncio, gzip

        async def main():
            with gzip.open("made.gz", "wt") as file:
                print(await asyncio.to_thread(file.write, "text"))

        asyncio.run(main())
    """,
    "no async function of its own": "# durable: on\nprint(4)\n",
}
EXAMPLE = Path(__file__).parents[2] / "examples"
EXAMPLES = [sys.executable, "-m", "durable_import", "examples"]


def test_script_is_marked(desk: Desk) -> None:
    """``--mark`` is offered, puts the comment behind the first line that has to be the first, and runs the script."""
    script = desk.write("script.py", UNMARKED)
    script.chmod(0o755)
    assert "`run --mark`" in desk.run("script.py").said
    done = desk.run("--mark", "script.py")
    assert (done.status, done.out, "# durable: on" in done.said) == (0, "ran\n", True), done
    assert script.read_text().splitlines()[:3] == ["#!/usr/bin/env python3", "# durable: on", "import asyncio"]
    assert script.stat().st_mode & 0o777 == 0o755
    assert sorted(path.name for path in desk.folder.glob("*script*")) == ["script.py"]


@pytest.mark.slow
def test_marked_script_stays_as_it_is(desk: Desk) -> None:
    """``--mark`` changes no file that has the comment, and none that says ``off``."""
    text = "# durable: off\nprint(1)\n"
    script = desk.write("script.py", text)
    refused = desk.run("--mark", "script.py")
    assert (refused.status, refused.out, "durable: off" in refused.said) == (2, "", True), refused
    assert script.read_text() == text
    script = desk.write("marked.py", "# durable: on\nprint(1)\n")
    assert desk.run("--mark", "marked.py").status == 0
    assert script.read_text() == "# durable: on\nprint(1)\n"


@pytest.mark.parametrize("reason", NEVER_SAVED)
def test_script_without_checkpoint_says_so(desk: Desk, reason: str) -> None:
    """One line at the end tells that nothing was saved, and why."""
    desk.write("script.py", NEVER_SAVED[reason])
    done = desk.run("script.py")
    assert (done.status, done.out) == (0, "4\n")
    last = done.said.splitlines()[-1]
    assert last.startswith("durable_import: nothing of this run was saved"), done
    assert reason in last


@pytest.mark.slow
def test_script_with_a_checkpoint_says_nothing(desk: Desk) -> None:
    """One step is enough."""
    desk.write("script.py", f"# durable: on\n{UNMARKED}")
    assert "nothing of this run" not in desk.run("--mark", "script.py").said


@pytest.mark.slow
def test_failed_script_says_nothing_of_it(desk: Desk) -> None:
    """Who has an exception to look at is not told of checkpoints."""
    desk.write("script.py", "# durable: on\nraise SystemExit(3)\n")
    done = desk.run("script.py")
    assert (done.status, done.said) == (3, "")


def test_examples(desk: Desk) -> None:
    """They are listed with what they are about; one is copied with what it needs, never over another file."""
    listed = desk.start_command(EXAMPLES).end()
    assert listed.out.splitlines()[0].startswith("agent")
    copied = desk.start_command([*EXAMPLES, "agent"]).end()
    assert set(copied.out.split()) >= {"examples/agent.py", "examples/servers/model.py"}
    assert (desk.folder / "examples" / "agent.py").read_bytes() == (EXAMPLE / "agent.py").read_bytes()
    assert desk.start_command([*EXAMPLES, "agent"]).end().out == ""
    desk.write("examples/batch.py", "mine = True\n")
    refused = desk.start_command([*EXAMPLES, "batch"]).end()
    assert (refused.status, refused.out, "another file" in refused.said) == (2, "", True), refused
    unknown = desk.start_command([*EXAMPLES, "nothing"]).end()
    assert (unknown.status, "order_flow" in unknown.said) == (2, True), unknown


@pytest.mark.slow
def test_output_that_nobody_reads(desk: Desk) -> None:
    """``... | head`` ends a command without a traceback."""
    command = f"{sys.executable} -m durable_import examples | true; echo ${{PIPESTATUS[0]}}"
    done = desk.start_command(["bash", "-c", command]).end()
    assert (done.status, done.out, "Traceback" in done.err + done.said) == (0, "141\n", False), done


@pytest.mark.slow
def test_nothing_is_said_on_stdout(desk: Desk) -> None:
    """Where there is no stderr, what we say goes nowhere, and not to stdout."""
    desk.write("script.py", NEVER_SAVED["main came to no checkpoint"])
    done = desk.start_command(["bash", "-c", f"{sys.executable} -m durable_import run script.py 2>&-"]).end()
    assert (done.status, done.out) == (0, "4\n"), done
