"""Instances that are moved to the code of today by hand, and back: by a command, while nobody or somebody has them."""

from __future__ import annotations

import re
import sys
from textwrap import dedent

import pytest

from tests.harness.processes import KILLED, Desk, Finished

FLOWS = """
    # durable: on
    from durable_import import wait_for_event

    def price(n):
        return n

    async def order(n):
        first = await wait_for_event("first")
        second = await wait_for_event("second")
        return f"old {price(n)} {first} {second}"

    async def outer(n):
        return await order(n)
"""
NEW = FLOWS.replace('f"old', 'f"new').replace("return n\n", "return n * 100\n")
OTHER = FLOWS.replace('wait_for_event("second")', "other()") + "\n    async def other():\n        return 1\n"
APP = """
    import asyncio, logging, os, sys
    import durable_import
    durable_import.install()
    import flows

    async def at(runtime, name, checkpoint):
        while (await runtime.handle(name).info()).checkpoint < checkpoint:
            await asyncio.sleep(0.02)

    async def main(what):
        async with durable_import.DurableRuntime("sqlite:///app.db", evict_after=EVICT) as runtime:
            if what == "begin":
                for name in ("a", "b"):
                    await runtime.start(flows.outer, 7, instance_id=name)
                    await at(runtime, name, 1)
                os.kill(os.getpid(), 9)
            await runtime.recover()
            for name, event in (word.split(".") for word in sys.argv[2:]):
                before = (await runtime.handle(name).info()).checkpoint
                await runtime.handle(name).send(event, event)
                if what != "end":
                    await at(runtime, name, before + 1)
            if what == "stay":
                print("here", flush=True)
                await asyncio.sleep(3600)
            if what == "look":
                await at(runtime, "a", 2)
                os.kill(os.getpid(), 9)
            for name in ("a", "b"):
                print(name, await runtime.handle(name).result(), flush=True)

    logging.basicConfig(level=logging.INFO)
    asyncio.run(main(sys.argv[1]))
"""


class Service:
    """An application, deployed at a desk."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        desk.write("app.py", APP.replace("EVICT", "3600"))

    def run(self, what: str, *events: str) -> Finished:
        """Run the application to its end."""
        return self.desk.start_command([sys.executable, "app.py", what, *events]).end()

    def command(self, *arguments: str) -> Finished:
        """A command line."""
        store = ["--store", "sqlite:///app.db"]
        return self.desk.start_command([sys.executable, "-m", "durable_import", *arguments, *store]).end()


@pytest.fixture
def service(desk: Desk) -> Service:
    """With two instances that wait in the first version, whose process was killed."""
    service = Service(desk)
    desk.write("flows.py", FLOWS)
    assert service.run("begin").status == KILLED
    return service


def verdicts(finished: Finished) -> dict[str, str]:
    """By id."""
    return {line.split()[0]: line.split()[2] for line in finished.out.splitlines() if not line.startswith(" ")}


@pytest.mark.slow
def test_what_is_named_moves(service: Service) -> None:
    """The other one goes on in the code that it began with; a dry run asks for nothing, a kill after it is no matter."""
    service.desk.write("flows.py", NEW)
    looked = service.command("migrate", "--dry-run", "--all")
    assert (looked.status, verdicts(looked)) == (0, {"a": "moves", "b": "moves"}), looked
    moved = service.command("migrate", "a")
    assert (moved.status, verdicts(moved)) == (0, {"a": "moves"}), moved
    assert "the new code of 'order' (changed at line 10)" in moved.out
    assert service.run("look").status == KILLED
    assert verdicts(service.command("check")) == {"a": "same", "b": "pinned"}
    done = service.run("end", "a.first", "b.first", "a.second", "b.second")
    assert done.out.splitlines() == ["a new 700 first second", "b old 7 first second"], done


@pytest.mark.slow
def test_undo(service: Service) -> None:
    """What it was is put back, whatever it has done since; what was asked for and not done is withdrawn."""
    service.desk.write("flows.py", NEW)
    assert service.command("migrate", "--all").status == 0
    withdrawn = service.command("migrate", "--undo", "b")
    assert (withdrawn.status, verdicts(withdrawn)) == (0, {"b": "back"}), withdrawn
    assert service.run("look", "a.first").status == KILLED
    undone = service.command("migrate", "--undo", "--dry-run", "a")
    assert re.search(r"from checkpoint \d to 1: what it has done since runs again", undone.out), undone
    assert service.command("migrate", "--undo", "--all").status == 0
    done = service.run("end", "a.first", "b.first", "a.second", "b.second")
    assert done.out.splitlines() == ["a old 7 first second", "b old 7 first second"], done
    assert re.search(r"goes back from checkpoint \d to 1", done.err)
    again = service.command("migrate", "--undo", "a")
    assert (again.status, verdicts(again)) == (1, {"a": "cannot"}), again


@pytest.mark.slow
def test_what_is_pinned_moves_when_that_is_asked_for(service: Service) -> None:
    """Without, it stays so."""
    service.desk.write("flows.py", NEW)
    assert service.run("look", "a.first", "b.first").status == KILLED
    stays = service.command("migrate", "a")
    assert (stays.status, verdicts(stays)) == (0, {"a": "pinned"}), stays
    moved = service.command("migrate", "--to-new-code", "a")
    assert (moved.status, verdicts(moved)) == (0, {"a": "moves"}), moved
    done = service.run("end", "a.second", "b.second")
    assert done.out.splitlines() == ["a new 700 first second", "b old 7 first second"], done


@pytest.mark.slow
def test_what_cannot_move_stays_as_it_was(service: Service) -> None:
    """The command says why, and asks for nothing; a request of a program is refused in the log."""
    assert service.run("look", "a.first").status == KILLED
    service.desk.write("flows.py", OTHER)
    refused = service.command("migrate", "--all")
    assert (refused.status, verdicts(refused)) == (1, {"a": "cannot", "b": "moves"}), refused
    script = """
        import durable_import
        with durable_import.connect("sqlite:///app.db") as client:
            print(client.handle("a").migrate(), client.handle("b").migrate(undo=True))
    """
    asked = service.desk.start_command([sys.executable, "-c", dedent(script)]).end()
    assert asked.out == "True True\n", asked
    done = service.run("end", "a.second", "b.first", "b.second")
    assert done.out.splitlines() == ["a old 7 first second", "b old 7 first second"], done
    assert "instance a stays in the code that it is in" in done.err
    assert "instance b was not moved by hand: nothing is undone" in done.err


@pytest.mark.slow
def test_while_somebody_has_it(service: Service) -> None:
    """It begins again in that process, in its code; a request for code that this process does not have waits for one that has."""
    service.desk.write("flows.py", NEW)
    running = service.desk.start_command([sys.executable, "app.py", "stay", "a.first", "b.first"])
    running.wait_for("here")
    assert service.command("migrate", "--to-new-code", "a").status == 0
    running.wait_until(lambda: "instance a goes on in the new code" in running.err)
    service.desk.write("flows.py", NEW.replace('f"new', 'f"newest').replace("* 100", "* 1000"))
    newest = service.command("migrate", "--to-new-code", "b")
    assert (newest.status, verdicts(newest)) == (0, {"b": "moves"}), newest
    running.stop()
    done = service.run("end", "a.second", "b.second")
    assert done.out.splitlines() == ["a new 700 first second", "b newest 7000 first second"], done


SCRIPT = """
    # durable: on
    import asyncio
    from world import effect

    async def main():
        await effect("one")
        await effect("two")
        await effect("three")
        print("old")

    asyncio.run(main())
"""


@pytest.mark.slow
def test_a_script_that_runs_in_old_code(desk: Desk) -> None:
    """The next `run` moves it; undone, it goes on in the old code from where it was."""
    desk.write("program.py", SCRIPT)
    assert desk.run("program.py", kill_at=1).status == KILLED
    desk.write("program.py", SCRIPT.replace("old", "new"))
    assert desk.run("--old-code", "program.py", kill_at=3).status == KILLED
    migrate = [sys.executable, "-m", "durable_import", "migrate", "--all"]
    assert list(verdicts(desk.start_command(migrate).end()).values()) == ["pinned"]
    moved = desk.start_command([*migrate, "--to-new-code"]).end()
    assert "  moves  the new code of 'main' (changed at line 9)" in moved.out, moved
    killed = desk.run("program.py", kill_at=5)
    assert (killed.status, "in the new code of 'main'" in killed.said) == (KILLED, True), killed
    undone = desk.start_command([*migrate, "--undo"]).end()
    assert (undone.status, "  back  " in undone.out) == (0, True), undone
    done = desk.run("--old-code", "program.py")
    assert (done.status, done.out) == (0, "old\n"), done
    assert desk.effects == ["one", "one", "two", "two", "three", "two", "three"]


FAILING = """
    # durable: on
    import asyncio
    from durable_import import wait_for_event

    async def outer(n):
        first = await wait_for_event("first")
        try:
            paid = n // 0
        finally:
            await asyncio.to_thread(print, "closed", flush=True)
        second = await wait_for_event("second")
        return f"{paid} {first} {second}"
"""
RETRYING = """
    import asyncio, os, sys
    import durable_import
    durable_import.install()
    import flows

    async def main(what):
        async with durable_import.DurableRuntime("sqlite:///app.db", evict_after=3600) as runtime:
            if what == "begin":
                handle = await runtime.start(flows.outer, 7, instance_id="a")
                await handle.send("first", "first")
            else:
                handle = await runtime.retry("a", from_failure=True)
            while what in ("look", "second") and (await handle.info()).status != "waiting":
                await asyncio.sleep(0.02)
            if what == "look":
                os.kill(os.getpid(), 9)
            if what == "second":
                await handle.send("second", "second")
            try:
                print(await handle.result(), flush=True)
            except ZeroDivisionError:
                print("failed", flush=True)

    asyncio.run(main(sys.argv[1]))
"""


@pytest.mark.slow
def test_what_has_failed_moves_from_before_its_failure(desk: Desk) -> None:
    """What is put back later is the failed state, with what is known of its way out."""
    service = Service(desk)
    desk.write("app.py", RETRYING)
    desk.write("flows.py", FAILING)
    assert service.run("begin").out.splitlines() == ["closed", "failed"]
    desk.write("flows.py", FAILING.replace("n // 0", "n * 10"))
    moved = service.command("migrate", "a")
    assert (moved.status, verdicts(moved)) == (0, {"a": "moves"}), moved
    assert "--from-failure" in moved.out
    looked = service.run("look")
    assert (looked.status, looked.out) == (KILLED, "closed\n"), looked
    desk.write("flows.py", FAILING)
    assert verdicts(service.command("migrate", "--undo", "a")) == {"a": "back"}
    again = service.run("again")
    assert again.out.splitlines() == ["closed", "failed"], again
    desk.write("flows.py", FAILING.replace("n // 0", "n * 100"))
    assert verdicts(service.command("migrate", "a")) == {"a": "moves"}
    done = service.run("second")
    assert done.out.splitlines() == ["closed", "700 first second"], done
