"""``run`` is ``python``: whichever way a program begins its event loop, and whichever options and archives python is given."""

from __future__ import annotations

import sys
import zipapp
from pathlib import Path

import pytest

from tests.harness.crash import REPOSITORY, RUN
from tests.harness.processes import KILLED, Desk, Finished

PROGRAM = """
    # durable: on
    import asyncio
    import warnings

    from world import effect

    warnings.simplefilter("ignore")

    async def main(name="first"):
        total = 0
        for number in range(2):
            total += await effect(name, number)
        print(name, total, asyncio.get_running_loop().is_running())
        return total

    async def both():
        return await main(), await main("second")

"""

BEGINNINGS = {
    "new_event_loop": """
        loop = asyncio.new_event_loop()
        print(loop.run_until_complete(both()), loop.is_running())
        loop.close()
    """,
    "runner": """
        with asyncio.Runner() as runner:
            print(runner.run(both()), runner.get_loop().is_closed())
    """,
    "set_event_loop": """
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        print(asyncio.get_event_loop().run_until_complete(both()))
        print(asyncio.get_event_loop() is loop)
    """,
    "task": """
        loop = asyncio.new_event_loop()
        task = loop.create_task(both())
        task.add_done_callback(lambda _: loop.stop())
        loop.run_forever()
        print(task.result())
    """,
    "get_event_loop": """
        try:
            loop = asyncio.get_event_loop()
        except RuntimeError as error:
            print(error)
            loop = asyncio.new_event_loop()
        print(loop.run_until_complete(both()))
        try:
            asyncio.get_event_loop()
        except RuntimeError as error:
            print(error)
    """,
}


def until_the_end(desk: Desk, *arguments: str, effects: int) -> Finished:
    """Run a program, kill it in each effect, and let it go on each time; gives its last process."""
    for number in range(effects):
        assert desk.run(*arguments, kill_at=2 * number + 1).status == KILLED
    return desk.run(*arguments)


@pytest.mark.slow
@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_event_loops(desk: Desk, beginning: str) -> None:
    """Each way of running a coroutine works as in python, also across kills."""
    path = desk.write("program.py", PROGRAM)
    path.write_text(path.read_text() + desk.write("beginning.py", BEGINNINGS[beginning]).read_text())
    native = desk.native("program.py")
    assert native.status == 0, native
    (desk.folder / "effects").unlink()
    done = until_the_end(desk, "program.py", effects=4)
    assert (done.status, done.err) == (0, native.err)
    assert done.out.splitlines() == [line for line in native.out.splitlines() if not line.startswith("first ")]


PATHS = """
    # durable: on
    import asyncio
    import sys

    async def main():
        await asyncio.sleep(0)
        try:
            import beside
        except ImportError:
            beside = None
        names = [name for name in ("__file__", "__package__", "__name__") if name in globals()]
        print({name: globals()[name] for name in names}, beside, sys.argv, sys.path[:2])
        print(sorted(name for name in globals() if name.startswith("__")))
        if __spec__ is not None:
            print(__spec__.name, __spec__.origin, __spec__.parent, type(__spec__.loader).__name__)

    asyncio.run(main())
"""


@pytest.mark.parametrize("option", ["", "-P"])
@pytest.mark.parametrize("target", ["inner/program.py", "inner", "program.pyz", "-m inner.program"])
def test_paths(desk: Desk, option: str, target: str) -> None:
    """A script, a folder, an archive or a module sees the same paths as in python, with ``-P`` too."""
    for name in ("program.py", "__main__.py"):
        desk.write(f"inner/{name}", PATHS)
    desk.write("inner/beside.py", "")
    zipapp.create_archive(desk.folder / "inner", desk.folder / "program.pyz")
    desk.variables["PYTHONPATH"] = str(REPOSITORY)
    options, words = option.split(), target.split()
    native = desk.native(*options, *words, "word")
    done = desk.start_command([sys.executable, *options, *RUN, *words, "word"]).end()
    assert native.status == (1 if "-m" in words and option else 0), native
    if native.status == 0:
        assert (done.status, done.out, done.err) == (0, native.out, native.err)
    else:
        assert (done.status, done.out) == (2, "")


def test_isolated(desk: Desk) -> None:
    """With ``-I`` nothing but what is installed can be imported, as in python."""
    desk.write("program.py", PATHS)
    desk.write("beside.py", "")
    native = desk.native("-I", "program.py")
    begin = f"import sys; sys.path.append({str(REPOSITORY)!r}); from durable_import.cli.main import main; main(sys.argv[1:])"
    done = desk.start_command([sys.executable, "-I", "-c", begin, "run", "program.py"]).end()
    assert (done.status, done.err) == (0, native.err)
    assert done.out == native.out


@pytest.mark.slow
def test_archive_is_killed(desk: Desk, tmp_path: Path) -> None:
    """A program in an archive, with a marked module in it, goes on after a kill."""
    folder = tmp_path / "source"
    desk.write("source/__main__.py", PROGRAM + "\n    import part\n    asyncio.run(part.twice(both))\n")
    desk.write(
        "source/part.py",
        """
        # durable: on
        async def twice(function):
            print(await function(), await function())
        """,
    )
    zipapp.create_archive(folder, desk.folder / "program.pyz")
    native = desk.native("program.pyz")
    (desk.folder / "effects").unlink()
    done = until_the_end(desk, "program.pyz", effects=8)
    assert (done.status, done.out.splitlines()[-1]) == (0, native.out.splitlines()[-1])


def test_packages_around_the_module(desk: Desk) -> None:
    """The packages that are imported to find a module of theirs are parts of the program: what they import is durable."""
    desk.write("shop/__init__.py", "# durable: on\nfrom .till import pay\n")
    desk.write(
        "shop/till.py",
        """
        # durable: on
        from world import effect

        async def pay(amount):
            return await effect("reserve", amount) + await effect("charge", 1)
        """,
    )
    desk.write(
        "shop/jobs/__main__.py",
        """
        # durable: on
        import asyncio
        from .. import pay

        print(asyncio.run(pay(6)))
        """,
    )
    assert desk.run("-m", "shop.jobs", kill_at=2).status == KILLED
    done = desk.run("-m", "shop.jobs")
    assert (done.status, done.out, done.err) == (0, "7\n", "")
    assert desk.effects == ["reserve", "charge", "charge"]
