"""What goes wrong with saved state, code and stores: a clear message on stderr, a status, and nothing lost."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest

from tests.harness.processes import KILLED, OURS, Desk, Finished

STEPS = """
    # durable: on
    import asyncio
    from world import effect

    async def step(n):
        return await effect(f"e{n}", n)

    async def main():
        found = []
        for n in range(4):
            found.append(await step(n))
        return found

    if __name__ == "__main__":
        print(asyncio.run(main()))
"""


def assert_refused(refused: Finished, *words: str, status: int = 70) -> None:
    """One message of ours that has all the words; no traceback, nothing printed."""
    assert refused.status == status, refused
    assert refused.out == ""
    assert "Traceback" not in refused.err
    errors = [line for line in refused.said.splitlines() if line.startswith(f"{OURS}error: ")]
    assert len(errors) == 1, refused
    text = refused.said + refused.err
    for word in words:
        assert word in text, text


def assert_goes_on(desk: Desk, *arguments: str) -> None:
    """STEPS, killed in its third effect, ends as if nothing had been."""
    done = desk.run(*arguments, "--instance", "s", "steps.py")
    assert (done.status, done.out, done.err) == (0, "[0, 1, 2, 3]\n", ""), done
    assert "resuming instance s at " in done.said
    assert desk.effects == ["e0", "e1", "e2", "e2", "e3"]


@pytest.fixture
def killed(desk: Desk) -> Desk:
    """A desk where STEPS was killed in its third effect."""
    desk.write("steps.py", STEPS)
    assert desk.run("--instance", "s", "steps.py", kill_at=3).status == KILLED
    return desk


CHANGE = "UPDATE durable_state SET snapshot = ? WHERE number = (SELECT number FROM durable_instance WHERE instance_id = ?)"


def snapshot_of(desk: Desk, instance: str = "s") -> bytes:
    with closing(sqlite3.connect(desk.database)) as connection:
        [(snapshot,)] = connection.execute("SELECT snapshot FROM instance WHERE instance_id = ?", (instance,))
    return bytes(snapshot)


def replace_snapshot(desk: Desk, snapshot: bytes, instance: str = "s") -> None:
    with closing(sqlite3.connect(desk.database)) as connection, connection:
        connection.execute(CHANGE, (snapshot, instance))


def flipped(data: bytes, position: int) -> bytes:
    changed = bytearray(data)
    changed[position] ^= 1
    return bytes(changed)


DAMAGES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "first byte": (lambda s: flipped(s, 0), "foreign"),
    "version": (lambda s: flipped(s, 9), "version"),
    "authentication code": (lambda s: flipped(s, 50), "tampered"),
    "payload": (lambda s: flipped(s, len(s) // 2), "tampered"),
    "last byte": (lambda s: flipped(s, len(s) - 1), "tampered"),
    "longer": (lambda s: s + b"x", "tampered"),
    "half": (lambda s: s[: len(s) // 2], "truncated"),
    "header only": (lambda s: s[:40], "torn"),
    "empty": (lambda _: b"", "torn"),
    "a bare pickle": (lambda _: b"cposix\nsystem\n(S'touch hacked'\ntR.", "foreign"),
}


def test_damaged_snapshot(killed: Desk) -> None:
    """Tampered, torn and foreign bytes are refused unopened and stay where they are; put back, the run goes on."""
    good = snapshot_of(killed)
    for change, word in DAMAGES.values():
        replace_snapshot(killed, change(good))
        assert_refused(killed.run("--instance", "s", "steps.py"), "'s'", word)
        assert snapshot_of(killed) == change(good)
    assert not (killed.folder / "hacked").exists()
    replace_snapshot(killed, good)
    assert_goes_on(killed)


def test_swapped_snapshots(killed: Desk) -> None:
    """The snapshot of another instance is refused."""
    assert killed.run("--instance", "t", "steps.py", kill_at=5).status == KILLED
    mine, other = snapshot_of(killed), snapshot_of(killed, "t")
    replace_snapshot(killed, other)
    replace_snapshot(killed, mine, "t")
    for name in ("s", "t"):
        assert_refused(killed.run("--instance", name, "steps.py"), f"'{name}'", "swapped")


UNSAVABLE = """
    # durable: on
    import asyncio, os, sqlite3, threading
    from world import effect

    class Session:
        def __init__(self, held):
            self.pool = {{"locks": [1, held]}}

    async def work(session):
        await effect("two")
        {problem}
        await effect("three")
        await effect("four")
        {reading}
        return sorted(session.pool)

    async def main():
        session = Session(None)
        await effect("one")
        print(await work(session))

    if __name__ == "__main__":
        asyncio.run(main())
"""

PROBLEMS = {
    "session.pool['locks'][1]": ("session.pool['locks'][1] = __import__('socket').socket()", "", "socket.socket"),
    "connection": ("connection = sqlite3.connect(':memory:')", "connection.close()", "sqlite3.Connection"),
    "pages": ("pages = __import__('mmap').mmap(-1, 10)", "pages.close()", "mmap.mmap"),
    "thread": ("thread = threading.Thread()", "print(thread.name)", "threading.Thread"),
}


@pytest.mark.parametrize("variable", PROBLEMS)
def test_unsavable_variable(desk: Desk, variable: str) -> None:
    """Nothing is saved while it can be read; the message names place, function, variable path, type and way out."""
    statement, reading, type_name = PROBLEMS[variable]
    guard = "if 'GO' not in os.environ: "
    path = desk.write("unsavable.py", UNSAVABLE.format(problem=guard + statement, reading=guard + reading if reading else ""))
    for life in (1, 2):
        killed = desk.run("--instance", "u", "unsavable.py", kill_at=2 + 2 * life)
        assert killed.status == KILLED
        for word in ("held since checkpoint 2", f"{path}:12, in work", f"`{variable}", type_name, "'u'"):
            assert word in killed.said, killed.said
        assert killed.said.count("held since") == 1
        assert desk.effects == ["one", "two", *["three", "four"] * life]
        assert desk.rows() == [("u", "running", 2)]
    done = desk.run("--instance", "u", "unsavable.py", variables={"GO": "1"})
    assert (done.status, done.out, done.err) == (0, "['locks']\n", "")
    assert f"resuming instance u at {path}:10 (checkpoint 2)" in done.said


def test_unsavable_variable_that_nothing_reads(desk: Desk) -> None:
    """It is no reason not to save the state: the program could not tell that it is gone."""
    desk.write("unsavable.py", UNSAVABLE.format(problem="connection = sqlite3.connect(':memory:')", reading=""))
    killed = desk.run("--instance", "u", "unsavable.py", kill_at=4)
    assert (killed.status, killed.said.count("held")) == (KILLED, 0)
    done = desk.run("--instance", "u", "unsavable.py")
    assert (done.status, desk.effects) == (0, ["one", "two", "three", "four", "four"])


CHANGES = {
    "statement": ('return await effect(f"e{n}", n)', 'return n + await effect(f"e{n}", n)', "step"),
    "loop": ("for n in range(4)", "for n in range(5)", "main"),
}


def test_changed_code(killed: Desk) -> None:
    """When a frame cannot go on in its new code, the refusal shows what changed; undone, the run goes on."""
    for before, after, function in CHANGES.values():
        assert before in STEPS
        killed.write("steps.py", STEPS.replace(before, after))
        refused = killed.run("--instance", "s", "steps.py")
        assert_refused(refused, str(killed.folder / "steps.py"), function)
        shown = (refused.said + refused.err).splitlines()
        assert any(line.startswith("-") and before in line for line in shown), refused
        assert any(line.startswith("+") and after in line for line in shown), refused
    killed.write("steps.py", STEPS)
    assert_goes_on(killed)


def test_code_changed_elsewhere(killed: Desk) -> None:
    """Comments, line numbers, formatting and functions that are not on the stack may change."""
    text = STEPS.replace("async def step(n):", "def other():\n        return 1\n\n    # new\n    async def step( n ):")
    killed.write("steps.py", text.replace("found = []", "found = list()  # empty").replace("list()", "[]"))
    assert_goes_on(killed)


def test_function_gone(killed: Desk) -> None:
    """When a function on the stack is gone, it is named."""
    killed.write("steps.py", STEPS.replace("step(n)", "stride(n)"))
    assert_refused(killed.run("--instance", "s", "steps.py"), "step", "steps.py")
    killed.write("steps.py", STEPS)
    assert_goes_on(killed)


def test_missing_module(desk: Desk) -> None:
    """When the module of a frame or of a value is gone, it is named."""
    desk.write(
        "library.py",
        """
        # durable: on
        from world import effect

        class Basket(list):
            pass

        async def fill(basket):
            for n in range(3):
                basket.append(await effect(f"e{n}", n))
            return basket
    """,
    )
    script = """
        # durable: on
        import asyncio

        async def main():
            from {} import Basket, fill
            print(await fill(Basket()))

        asyncio.run(main())
    """
    desk.write("script.py", script.format("library"))
    assert desk.run("script.py", kill_at=2).status == KILLED
    (desk.folder / "library.py").rename(desk.folder / "moved.py")
    assert_refused(desk.run("script.py"), "library")
    (desk.folder / "moved.py").rename(desk.folder / "library.py")
    done = desk.run("script.py")
    assert (done.status, done.out) == (0, "[0, 1, 2]\n")


def test_script_no_longer_marked(killed: Desk) -> None:
    """Without its mark the script is refused; with it, it goes on."""
    killed.write("steps.py", STEPS.replace("# durable: on", "# durable: no"))
    refused = killed.run("--instance", "s", "steps.py")
    assert refused.status == 2
    assert "# durable: on" in refused.said
    killed.write("steps.py", STEPS)
    assert_goes_on(killed)
