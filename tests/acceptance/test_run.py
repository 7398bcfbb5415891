"""`run`: its options, its exit statuses, and what it says."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.harness.crash import RUN
from tests.harness.processes import KILLED, Desk

STEPS = """
    # durable: on
    import asyncio
    import sys
    from world import effect

    async def main():
        for i in range(3):
            print("step", await effect(f"e{i}", i), *sys.argv[1:])

    if __name__ == "__main__":
        asyncio.run(main())
"""


def test_default_store_and_instance(desk: Desk) -> None:
    """The state lies in .durable/state.db under the current folder, by script and arguments."""
    path = desk.write("steps.py", STEPS)
    killed = desk.run("steps.py", kill_at=3)
    assert (killed.status, killed.out) == (KILLED, "step 0\n")
    name = re.fullmatch(r"durable_import: starting instance (steps-\w+) in sqlite:///\.durable/state\.db\n", killed.said)
    assert name
    assert desk.rows() == [(name[1], "running", 2)]
    other = desk.run("steps.py", "argument")
    assert other.out == "step 0 argument\nstep 1 argument\nstep 2 argument\n"
    assert "starting instance steps-" in other.said
    assert name[1] not in other.said
    resumed = desk.run("./steps.py")
    assert (resumed.status, resumed.out, resumed.err) == (0, "step 1\nstep 2\n", "")
    assert resumed.said == f"durable_import: resuming instance {name[1]} at {path}:8 (checkpoint 2)\n"


def test_run_after_success_starts_afresh(desk: Desk) -> None:
    """A finished run leaves nothing in the store."""
    desk.write("steps.py", STEPS)
    for _ in range(2):
        done = desk.run("steps.py")
        assert (done.status, done.out, done.err) == (0, "step 0\nstep 1\nstep 2\n", "")
        assert "starting instance" in done.said
        assert desk.rows() == []
    assert desk.effects == ["e0", "e1", "e2"] * 2


@pytest.mark.parametrize("by_variable", [True, False], ids=["DURABLE_STORE", "--store"])
def test_chosen_store(desk: Desk, by_variable: bool) -> None:
    """A store named by option or variable is used instead of the default one."""
    desk.write("steps.py", STEPS)
    variables = {"DURABLE_STORE": "sqlite:///sub/other.db"} if by_variable else {}
    options = [] if by_variable else ["--store", "sqlite:///sub/other.db"]
    assert desk.run(*options, "steps.py", kill_at=3, variables=variables).status == KILLED
    assert (desk.folder / "sub" / "other.db").exists()
    assert not desk.database.exists()
    resumed = desk.run(*options, "steps.py", variables=variables)
    assert (resumed.status, resumed.out) == (0, "step 1\nstep 2\n")


def test_disk_store(desk: Desk) -> None:
    """A folder of files serves as well as a database."""
    desk.write("steps.py", STEPS)
    assert desk.run("--store", "disk://kept", "steps.py", kill_at=3).status == KILLED
    resumed = desk.run("--store", "disk://kept", "steps.py")
    assert (resumed.status, resumed.out) == (0, "step 1\nstep 2\n")


def test_chosen_instance(desk: Desk) -> None:
    """Runs of one script under different names do not touch each other."""
    desk.write("steps.py", STEPS)
    for name in ("order-42", "order 43/ä"):
        assert desk.run("--instance", name, "steps.py", kill_at=len(desk.effects) + 3).status == KILLED
    assert desk.rows("SELECT instance_id FROM instance ORDER BY 1") == [("order 43/ä",), ("order-42",)]
    resumed = desk.run("--instance=order-42", "steps.py")
    assert "resuming instance order-42 at " in resumed.said
    assert resumed.out == "step 1\nstep 2\n"
    assert desk.rows("SELECT instance_id FROM instance") == [("order 43/ä",)]


def test_fresh(desk: Desk) -> None:
    """--fresh forgets the unfinished run, and no other one."""
    desk.write("steps.py", STEPS)
    assert desk.run("--instance", "one", "steps.py", kill_at=3).status == KILLED
    assert desk.run("--instance", "one2", "steps.py", kill_at=6).status == KILLED
    fresh = desk.run("--fresh", "--instance", "one", "steps.py")
    assert (fresh.status, fresh.out) == (0, "step 0\nstep 1\nstep 2\n")
    assert "starting instance one in sqlite:///.durable/state.db\n" in fresh.said
    assert "resuming instance one2 " in desk.run("--instance", "one2", "steps.py").said


def test_instance_of_another_program(desk: Desk) -> None:
    """A name in use by another function is refused, and its run is not harmed."""
    desk.write("steps.py", STEPS)
    desk.write("other.py", STEPS.replace("main()", "different()"))
    assert desk.run("--instance", "mine", "steps.py", kill_at=3).status == KILLED
    refused = desk.run("--instance", "mine", "other.py")
    assert (refused.status, refused.out, refused.err) == (70, "", "")
    assert "'mine'" in refused.said
    assert "--fresh" in refused.said or "another instance" in refused.said
    assert desk.run("--instance", "mine", "steps.py").out == "step 1\nstep 2\n"


ARGUMENTS = ["--store", "x", "--fresh", "-m", "a", "--", "--instance=3", "-h", "", "a b", "--exit-on-wait"]

SHOWS_ARGUMENTS = """
    # durable: on
    import asyncio, sys

    async def main():
        await asyncio.sleep(0)
        return sys.argv

    print(asyncio.run(main()), __name__, __file__, __package__, sys.path[0], sys.modules["__main__"].main is main)
    print(__spec__ and __spec__.name, __doc__, __loader__ is not None, "@S" in globals(), __builtins__ is __import__("builtins"))
"""


def test_arguments_reach_the_script(desk: Desk) -> None:
    """Whatever follows the script is the script's, options of ours included; it finds itself as under plain python."""
    desk.write("arguments.py", SHOWS_ARGUMENTS)
    native = desk.native("arguments.py", *ARGUMENTS)
    durable = desk.run("arguments.py", *ARGUMENTS)
    assert (durable.status, durable.out, durable.err) == (0, native.out, "")


@pytest.mark.parametrize(
    ("file", "target"),
    [
        ("tool.py", ["-m", "tool"]),
        ("pack/tool.py", ["-m", "pack.tool"]),
        ("pack/__main__.py", ["-m", "pack"]),
        ("space/inner/__main__.py", ["-m", "space.inner"]),
        ("folder/__main__.py", ["folder"]),
        ("./folder/__main__.py", ["./folder/"]),
        ("deep/steps.py", ["deep/steps.py"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_kinds_of_programs(desk: Desk, file: str, target: list[str]) -> None:
    """A script, a folder, a module or a package: each runs as under plain python, is killed and goes on."""
    program = desk.write(file, SHOWS_ARGUMENTS)
    native = desk.native(*target, "--argument")
    assert native.status == 0, native.err
    durable = desk.run(*target, "--argument")
    assert (durable.status, durable.out, durable.err) == (0, native.out, "")
    desk.write(file, STEPS)
    assert desk.run(*target, "--argument", kill_at=3).status == KILLED
    resumed = desk.run(*target, "--argument")
    assert (resumed.status, resumed.out) == (0, "step 1 --argument\nstep 2 --argument\n"), resumed
    assert str(Path(file).name) in resumed.said
    assert program.name in resumed.said


ENDINGS = {
    "falls off the end": "pass",
    "exit status": "sys.exit(3)",
    "exit without": "sys.exit()",
    "exit with a text": "sys.exit('cannot go on')",
    "exit with an object": "sys.exit([1, 2])",
    "exception": "raise ValueError('broken')",
    "exception with a cause": "raise ValueError('broken') from KeyError('deep')",
    "group": "raise ExceptionGroup('several', [ValueError('one'), KeyError('two')])",
    "own base exception": "raise Strange('odd')",
}

ENDING = """
    # durable: on
    import asyncio, sys

    class Strange(BaseException):
        pass

    async def inner():
        await asyncio.sleep(0)
        {inside}

    async def main():
        print("begun")
        await asyncio.sleep(0)
        await inner()

    if __name__ == "__main__":
        asyncio.run(main())
        {after}
"""


@pytest.mark.parametrize(
    ("ending", "place"),
    [*((ending, "inside") for ending in ENDINGS), ("exit status", "after"), ("exception with a cause", "after")],
)
def test_exit_status_and_stderr(desk: Desk, ending: str, place: str) -> None:
    """Exit status, output and traceback are those of plain python, whatever ends the program."""
    desk.write("ending.py", ENDING.format(**{"inside": "pass", "after": "pass", place: ENDINGS[ending]}))
    native = desk.native("ending.py")
    durable = desk.run("ending.py")
    assert (durable.status, durable.out) == (native.status, native.out)
    assert durable.err == native.err
    assert "starting instance ending-" in durable.said


@pytest.mark.parametrize("status", [0, 3])
def test_run_that_ended_with_a_status_starts_afresh(desk: Desk, status: int) -> None:
    """`sys.exit` with what the program returned is an end: nothing is left to resume."""
    desk.write("steps.py", STEPS.replace("asyncio.run(main())", f"asyncio.run(main()); sys.exit({status})"))
    for _ in range(2):
        done = desk.run("steps.py")
        assert (done.status, done.out) == (status, "step 0\nstep 1\nstep 2\n")


@pytest.mark.parametrize(
    ("words", "explained"),
    [
        (["missing.py"], "missing.py"),
        (["-m", "no_such_module_at_all"], "no_such_module_at_all"),
        (["-m", "json.no_such_part"], "json.no_such_part"),
        (["plain.py"], "# durable: on"),
        (["-m", "plain"], "# durable: on"),
        (["empty_folder"], "__main__.py"),
        (["near.py"], "near.py is not marked durable: line 2 has `# Durable: On`, which is not the comment"),
    ],
    ids=" ".join,
)
def test_wrong_usage(desk: Desk, words: list[str], explained: str) -> None:
    """What cannot be run is refused with status 2 and one message that says what to do; nothing is created."""
    desk.write("plain.py", "print('ran')\n")
    desk.write("near.py", "import asyncio\n# Durable: On\n")
    (desk.folder / "empty_folder").mkdir()
    refused = desk.run(*words)
    assert (refused.status, refused.out, refused.err) == (2, "", "")
    assert explained in refused.said
    assert refused.said.count("\n") == 1
    assert not desk.database.exists()


@pytest.mark.parametrize("words", [[], ["--store"], ["--store", "sqlite:///x.db"], ["-m"], ["--unknown", "steps.py"]])
def test_incomplete_command(desk: Desk, words: list[str]) -> None:
    """A command without a program, or with an unknown option, is refused with status 2, in one sentence."""
    desk.write("steps.py", STEPS)
    refused = desk.run(*words)
    assert (refused.status, refused.out, refused.err) == (2, "", "")
    assert re.search(r"`python -m durable_import( run)? --help` lists what there is\n$", refused.said)
    assert refused.said.count("\n") == 1


def test_syntax_error_in_the_script(desk: Desk) -> None:
    """A script that python cannot parse fails as under plain python, without a state."""
    desk.write("wrong.py", "# durable: on\nasync def main(:\n    pass\n")
    native = desk.native("wrong.py")
    durable = desk.run("wrong.py")
    assert (durable.status, durable.out, durable.err) == (1, "", native.err)


def test_closed_stdout(desk: Desk) -> None:
    """A program whose stdout is closed runs as under plain python."""
    desk.write("steps.py", STEPS)
    durable = [sys.executable, *RUN, "steps.py"]
    for command in ([sys.executable, "steps.py"], durable):
        done = desk.start_command(["sh", "-c", 'exec "$@" >&-', "sh", *command]).end()
        assert (done.status, done.err) == (0, "")


SLOW_TO_IMPORT = (
    "csv",
    "ctypes",
    "decimal",
    "difflib",
    "platform",
    "tempfile",
    "uuid",
    "zipfile",
    "durable_import.rewrite.compiler",
)


def test_start_loads_what_is_needed(desk: Desk) -> None:
    """A program that was rewritten before starts without the rewriter, and without what few programs need."""
    path = desk.write(
        "modules.py",
        f"""
        # durable: on
        import asyncio, sys

        async def main():
            await asyncio.sleep(0)
            print(sorted(set({SLOW_TO_IMPORT}) & sys.modules.keys()))

        asyncio.run(main())
    """,
    )
    desk.run("modules.py")
    assert desk.run("modules.py").out == desk.native(str(path)).out


WAITS = """
    # durable: on
    import asyncio
    from durable_import import PauseForEventException, wait_for_event

    async def main():
        print("asks")
        answer = await wait_for_event("approval")
        print("was told", answer)
        raise PauseForEventException("more")
        print("after the pause")

    asyncio.run(main())
"""


def test_events_for_a_script(desk: Desk) -> None:
    """``send`` reaches a script that waits, one that was paused, and one that nobody runs; the wait can be left."""
    desk.write("waits.py", WAITS)
    running = desk.start("--instance", "mine", "waits.py")
    running.wait_until(lambda: "waiting" in desk.statuses())
    desk.send("mine", "approval", '{"by": "Ann"}')
    paused = running.end()
    assert (paused.status, paused.out) == (75, "asks\nwas told {'by': 'Ann'}\n"), paused
    assert "waiting for event 'more'" in paused.said
    assert desk.run("--instance", "mine", "waits.py").status == 75
    desk.send("mine", "more")
    ended = desk.run("--instance", "mine", "waits.py")
    assert (ended.status, ended.out) == (0, "after the pause\n"), ended
    assert "resuming instance mine at " in ended.said
    assert "waits.py:9 (" in ended.said
    left = desk.run("--exit-on-wait", "--instance", "mine", "waits.py")
    assert (left.status, left.out) == (75, "asks\n"), left
    assert "waits for an event" in left.said
    desk.send("mine", "approval", "null")
    assert desk.run("--exit-on-wait", "--instance", "mine", "waits.py").out == "was told None\n"


def test_send_refuses_what_is_no_event(desk: Desk) -> None:
    """Payloads are JSON, names with @ are ours, and one for an unknown instance is kept and said to be."""
    for arguments, status, word in [
        (("mine", "approval", "yes"), 2, "not JSON"),
        (("mine", "@cancel"), 2, "begins with '@'"),
        (("nobody", "approval"), 0, "no instance 'nobody'"),
    ]:
        ended = desk.start_command([sys.executable, "-m", "durable_import", "send", *arguments]).end()
        assert ended.status == status
        assert word in ended.said
