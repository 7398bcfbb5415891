"""A script that is killed between its last line and the end of its process: nothing of what it has done runs again."""

from __future__ import annotations

from textwrap import indent

import pytest

from tests.harness.processes import KILLED, Desk

SCRIPT = """
    # durable: on
    import asyncio
    import atexit
    import os
    import signal
    import threading
    import time
    import weakref

    from world import effect

    def die():
        if not os.path.exists("died"):
            open("died", "w").close()
            os.kill(os.getpid(), signal.SIGKILL)

    class Kept:
        pass

    async def main():
        return [await effect(f"e{{i}}", i) for i in range(3)]

    print("result", asyncio.run(main()))
{end}
"""
ENDS = {
    "last line": "die()",
    "exit handler": "atexit.register(die)",
    "thread": "threading.Thread(target=lambda: (threading.main_thread().join(), time.sleep(0.05), die())).start()",
    "finalizer": "kept = Kept()\nweakref.finalize(kept, die)",
    "after a forked process has ended": "if os.fork():\n    os.wait()\n    die()",
}


@pytest.mark.parametrize(
    "end", [pytest.param(end, id=name, marks=[] if name == "last line" else pytest.mark.slow) for name, end in ENDS.items()]
)
def test_nothing_runs_again(desk: Desk, end: str) -> None:
    """The next run gives the result that is kept to what stands behind ``asyncio.run``, and the one after that begins afresh."""
    desk.write("ends.py", SCRIPT.format(end=indent(end, "    ")))
    killed = desk.run("ends.py")
    assert killed.status == KILLED, killed
    again = desk.run("ends.py")
    assert again.status == 0, again
    assert "result [0, 1, 2]" in again.out
    assert desk.effects == ["e0", "e1", "e2"]
    assert desk.rows() == []
    afresh = desk.run("ends.py")
    assert (afresh.status, "starting instance" in afresh.said) == (0, True), afresh
    assert desk.effects == ["e0", "e1", "e2"] * 2
