"""`with` blocks around a kill: reopenable managers are entered again, and others hold while they are open."""

from __future__ import annotations

import re

import pytest

from tests.harness.processes import KILLED, Desk

SOCKETS = """
    # durable: on
    import asyncio, contextlib, socket, threading
    import durable_import
    from world import effect

    @durable_import.reopenable
    class Client:
        def __init__(self, name):
            self.name, self.socket = name, socket.socket()
        async def __aenter__(self):
            print("enter", self.name)
            return await asyncio.to_thread(lambda: self)
        async def __aexit__(self, *details):
            await asyncio.to_thread(self.socket.close)
            print("exit", self.name)

    @contextlib.asynccontextmanager
    async def session(name):
        async with Client(name) as client:
            yield client

    async def main():
        async with Client("a") as a, session("b") as b:
            others = {"list": [a, (b, 1)]}
            await effect("inside")
            print(others["list"][0] is a, others["list"][1][0] is b, a.socket.fileno() >= 0)
        await effect("after")
        return "done"

    print(asyncio.run(main()))
"""


def test_managers_are_entered_again(desk: Desk) -> None:
    """Clients with sockets are made again, inside of a generator's manager too; one that has been left is not."""
    desk.write("clients.py", SOCKETS)
    killed = desk.run("clients.py", kill_at=1)
    assert (killed.status, killed.out) == (KILLED, "enter a\nenter b\n")
    killed = desk.run("clients.py", kill_at=3)
    assert (killed.status, killed.out) == (KILLED, "enter a\nenter b\nTrue True True\nexit b\nexit a\n"), killed
    done = desk.run("clients.py")
    assert (done.status, done.out, done.err) == (0, "done\n", ""), done


def test_failure_to_enter_again_loses_nothing(desk: Desk) -> None:
    """What entering raises is told with the place of the block; once the cause is gone, the program goes on."""
    desk.write(
        "opened.py",
        """
        # durable: on
        import asyncio, socket, sys
        from pathlib import Path
        import durable_import
        from world import effect

        @durable_import.reopenable
        class Client:
            def __enter__(self):
                if Path("down").exists():
                    raise ConnectionError("the server is down")
                self.socket = socket.socket()
                return self
            def __exit__(self, *details):
                self.socket.close()

        async def main():
            with Client():
                await effect("first")
                await effect("second")
            return "done"

        print(asyncio.run(main()))
        """,
    )
    assert desk.run("opened.py", kill_at=2).status == KILLED
    (desk.folder / "down").touch()
    failed = desk.run("opened.py")
    assert failed.status != 0
    assert "the server is down" in failed.err + failed.said
    assert "opened.py:18" in failed.err + failed.said
    (desk.folder / "down").unlink()
    done = desk.run("opened.py")
    assert (done.status, done.out) == (0, "done\n"), done
    assert desk.effects == ["first", "second", "second"]


def test_timeout_keeps_its_deadline(desk: Desk) -> None:
    """`asyncio.timeout` around a sleep fires when it would have fired, not that much after the restart."""
    desk.write(
        "patience.py",
        """
        # durable: on
        import asyncio, time
        from world import effect

        async def beside():
            await asyncio.sleep(0.2)
            await effect("killed here")

        async def main():
            begun = time.time()
            other = asyncio.create_task(beside())
            try:
                async with asyncio.timeout(600):
                    await effect("begun")
                    await asyncio.sleep(3600)
            except TimeoutError:
                return time.time() >= begun + 600, other.done()
            return "no timeout"

        print(asyncio.run(main()))
        """,
    )
    assert desk.run("patience.py", kill_at=2).status == KILLED
    done = desk.run("patience.py", later=599)
    assert (done.status, done.out) == (0, "(True, True)\n"), done


def test_task_of_foreign_code_holds(desk: Desk) -> None:
    """While a native task runs the program's code beside it, nothing is saved, and that is told."""
    desk.write(
        "spawner.py",
        """
        import asyncio

        def spawn(coroutine):
            return asyncio.create_task(coroutine)
        """,
    )
    desk.write(
        "tasks.py",
        """
        # durable: on
        import asyncio, spawner
        from world import effect

        async def beside(seconds):
            await asyncio.sleep(seconds)

        async def main():
            spawner.spawn(beside(0))
            await asyncio.sleep(0.05)
            await effect("first")
            spawner.spawn(beside(30))
            await asyncio.sleep(0.05)
            await effect("second")
            await effect("third")

        asyncio.run(main())
        """,
    )
    killed = desk.run("tasks.py", kill_at=3)
    assert (killed.status, desk.effects) == (KILLED, ["first", "second", "third"]), killed
    assert "code that is not durable has made it" in killed.said
    assert "Mark the module that makes the task" in killed.said
    assert desk.run("tasks.py").status == 0
    assert desk.effects == ["first", "second", "third", "second", "third"]


def test_calls_in_flight_get_what_is_entered_again(desk: Desk) -> None:
    """Tasks whose calls in threads were under way call the new object, be it an argument, a method's owner or in a partial."""
    desk.write(
        "opened.py",
        """
        # durable: on
        import asyncio, functools, os, signal, socket, time

        class Connection:
            def __enter__(self):
                self.pair = socket.socketpair()
                print("opened", flush=True)
                return self

            def __exit__(self, *details):
                for end in self.pair:
                    end.close()

            def get(self, what):
                time.sleep(0 if os.path.exists("killed") else 30)
                self.pair[0].send(b"x")
                return what

        def use(connection, what):
            return connection.get(what)

        async def twice(call, *arguments):
            return [await asyncio.to_thread(call, *arguments) for _ in range(2)]

        async def main():
            loop = asyncio.get_running_loop()
            with Connection() as c, socket.socket() as plain:
                async with asyncio.TaskGroup() as group:
                    tasks = [
                        group.create_task(twice(use, c, "argument")),
                        group.create_task(twice(c.get, "method")),
                        group.create_task(twice(functools.partial(use, c), "partial")),
                        group.create_task(twice(functools.partial(c.get, "method in a partial"))),
                        group.create_task(twice(lambda: c.get("captured"))),
                        group.create_task(twice(plain.gettimeout)),
                        group.create_task(asyncio.to_thread(c.get, "task")),
                        group.create_task(asyncio.wait_for(asyncio.to_thread(c.get, "in time"), 60)),
                    ]
                    executor = loop.run_in_executor(None, c.get, "executor"), loop.run_in_executor(None, use, c, "executor")
                    await asyncio.sleep(0.2)
                    if not os.path.exists("killed"):
                        open("killed", "w").close()
                        os.kill(os.getpid(), signal.SIGKILL)
                return [task.result() for task in tasks], await asyncio.gather(*executor)

        print(asyncio.run(main()))
        """,
    )
    killed = desk.run("opened.py")
    assert (killed.status, killed.out) == (KILLED, "opened\n"), killed
    done = desk.run("opened.py")
    whats = ["argument", "method", "partial", "method in a partial", "captured"]
    expected = [*([what, what] for what in whats), [None, None], "task", "in time"], ["executor", "executor"]
    assert (done.status, done.out) == (0, f"opened\n{expected}\n"), done


GENERATORS = """
    # durable: on
    import asyncio, contextlib, socket
    from world import effect

    class Client:
        def __init__(self):
            self.socket = socket.socket()
        async def __aenter__(self):
            print("enter")
            return self
        async def __aexit__(self, *details):
            self.socket.close()
            print("exit")

    async def numbers():
        async with Client() as client:
            for number in range(3):
                await effect(f"before {number}")
                yield number

    @contextlib.asynccontextmanager
    async def open_numbers():
        yield numbers()

    async def main():
        async with MANAGER as found:
            async for number in found:
                print(number)
                BODY

    asyncio.run(main())
"""


@pytest.mark.parametrize("manager", ["contextlib.aclosing(numbers())", "open_numbers()"])
def test_generator_with_a_client_is_what_a_manager_gives(desk: Desk, manager: str) -> None:
    """Killed inside the generator, the client in it is entered again, and the generator goes on where it was."""
    desk.write("numbers_.py", GENERATORS.replace("MANAGER", manager).replace("BODY", "pass"))
    killed = desk.run("numbers_.py", kill_at=2)
    assert (killed.status, killed.err) == (KILLED, "")
    resumed = desk.run("numbers_.py")
    assert (resumed.status, resumed.out, resumed.err) == (0, "enter\n0\n1\n2\nexit\n", "")


@pytest.mark.parametrize("manager", ["contextlib.aclosing(numbers())", "open_numbers()"])
def test_generator_that_cannot_be_saved_is_not_made_again(desk: Desk, manager: str) -> None:
    """While the generator stands at a yield nobody could enter its client again: the instance is held."""
    desk.write("numbers_.py", GENERATORS.replace("MANAGER", manager).replace("BODY", 'await effect("inside")'))
    held = desk.run("numbers_.py", kill_at=4)
    assert (held.status, held.err) == (KILLED, "")
    assert re.search(r"held since .*numbers_\.py:\d+, in \w+: variable `.*` .* cannot be saved: it holds .*socket", held.said)
    resumed = desk.run("numbers_.py")
    assert (resumed.status, resumed.err) == (0, "")
    assert desk.effects[4:] == ["before 0", "inside", "before 1", "inside", "before 2", "inside"]
