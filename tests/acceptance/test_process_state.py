"""What a script sets in its process is set again when it is resumed; in an application it is the application's, and told."""

from __future__ import annotations

import sys

import pytest

from durable_import.snapshot.module_data.process_state import looks_secret
from tests.harness.killing import killed_at
from tests.harness.processes import KILLED, Desk, Finished

SETUP = """
    import logging

    def set_up():
        handler = logging.StreamHandler(__import__("sys").stdout)
        handler.setFormatter(logging.Formatter("helped: %(message)s"))
        logging.getLogger("helped").addHandler(handler)
        logging.getLogger("helped").propagate = False
"""

LOGGING = """
    # durable: on
    import asyncio
    import logging
    import logging.config
    import logging.handlers
    import sys

    import setup
    from world import effect

    CONFIGURATION = {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"short": {"format": "%(name)s: %(message)s"}},
        "filters": {"few": {"name": "shop"}},
        "handlers": {
            "out": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "short", "filters": ["few"]},
            "files": {"class": "logging.handlers.RotatingFileHandler", "filename": "shop.log", "maxBytes": 1000},
        },
        "loggers": {"shop": {"level": "DEBUG", "handlers": ["out", "files"], "propagate": False}},
    }

    async def main():
        logging.basicConfig(level="INFO", stream=sys.stdout, format="root %(levelname)s %(message)s")
        await effect("basic")
        logging.config.dictConfig(CONFIGURATION)
        setup.set_up()
        await effect("all")
        mine = logging.FileHandler("mine.log")
        logging.getLogger("shop.mine").addHandler(mine)
        for number in range(2):
            logging.debug("not shown")
            logging.info("shown")
            logging.getLogger("shop").debug("of shop")
            logging.getLogger("shop.mine").warning("of mine")
            logging.getLogger("helped").warning("of helped")
            await effect(number)
        logging.getLogger("shop.mine").removeHandler(mine)
        logging.getLogger("shop.mine").warning("the last")
        print([len(logging.getLogger(name).handlers) for name in ("", "shop", "shop.mine", "helped")])

    asyncio.run(main())
"""

SIGNALS = """
    # durable: on
    import asyncio
    import os
    import signal

    from world import effect

    seen = []

    def handle(number, frame):
        seen.append(number)

    async def main():
        loop, came, inner = asyncio.get_running_loop(), asyncio.Event(), []
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGUSR1, handle)
        signal.signal(signal.SIGALRM, lambda number, frame: inner.append(number))
        loop.add_signal_handler(signal.SIGUSR2, came.set)
        loop.add_signal_handler(signal.SIGHUP, lambda *values: inner.append(values), 1, 2)
        await effect("set")
        for number in range(2):
            for each in (signal.SIGINT, signal.SIGUSR1, signal.SIGALRM, signal.SIGUSR2, signal.SIGHUP):
                os.kill(os.getpid(), each)
            await came.wait()
            came.clear()
            await effect(number)
        print(seen, inner, loop.remove_signal_handler(signal.SIGUSR2), loop.remove_signal_handler(signal.SIGUSR2))
        signal.signal(signal.SIGINT, before)
        try:
            loop.add_signal_handler(signal.SIGUSR1, main)
        except TypeError as error:
            print(error)

    asyncio.run(main())
    print(signal.getsignal(signal.SIGHUP), signal.getsignal(signal.SIGUSR1) is handle)
"""


def last_life(desk: Desk, program: str, effects: int) -> Finished:
    """Kill a program in each of its effects; gives the process that comes to the end."""
    for number in range(effects):
        killed = desk.run(program, kill_at=2 * number + 1)
        assert (killed.status, killed.err) == (KILLED, ""), killed
    return desk.run(program)


def test_logging(desk: Desk) -> None:
    """What ``basicConfig``, ``dictConfig`` and ``addHandler`` have set in main, or below it, is there after each kill."""
    desk.write("setup.py", SETUP)
    desk.write("program.py", LOGGING)
    native = desk.native("program.py")
    assert native.status == 0, native
    files = {name: (desk.folder / name).read_text() for name in ("shop.log", "mine.log")}
    for name in (*files, "effects"):
        (desk.folder / name).unlink()
    done = last_life(desk, "program.py", effects=4)
    assert (done.status, done.err) == (0, "")
    assert done.out.splitlines() == native.out.splitlines()[-len(done.out.splitlines()) :]
    assert {"shop.mine: the last", "[1, 2, 0, 1]"} <= set(done.out.splitlines())
    for name, text in files.items():
        assert set((desk.folder / name).read_text().splitlines()) == set(text.splitlines())


@pytest.mark.slow
def test_signals(desk: Desk) -> None:
    """Handlers that a script has set, by ``signal.signal`` and with its loop, are called after each kill as before it."""
    desk.write("program.py", SIGNALS)
    native = desk.native("program.py")
    assert native.status == 0, native
    (desk.folder / "effects").unlink()
    done = last_life(desk, "program.py", effects=3)
    assert (done.status, done.err, done.out) == (0, "", native.out)


def test_secret_variables(desk: Desk) -> None:
    """A variable of the environment is set again, unless its name says that it is secret: that is told once, and not kept."""
    desk.write(
        "program.py",
        """
        # durable: on
        import asyncio
        import os

        from world import effect

        async def main():
            os.environ.update(REGION="north", KEYBOARD="de", SHOP_API_KEY="eulav-t3rc3s"[::-1], DB_PASSWORD="eulav-t3rc3s"[::-1])
            await effect("one")
            await effect("two")
            await effect("three")
            print([os.environ.get(name) for name in ("REGION", "KEYBOARD", "SHOP_API_KEY", "DB_PASSWORD")])

        asyncio.run(main())
        """,
    )
    killed = desk.run("program.py", kill_at=3)
    assert killed.status == KILLED
    assert [killed.err.count(name) for name in ("SHOP_API_KEY", "DB_PASSWORD", "REGION")] == [1, 1, 0]
    assert all(b"s3cr3t-value" not in path.read_bytes() for path in desk.database.parent.iterdir())
    done = desk.run("program.py")
    assert (done.status, done.out) == (0, "['north', 'de', None, None]\n")


APPLICATION = """
    import asyncio
    import logging
    import os
    import signal
    import sys

    import durable_import
    durable_import.install()
    logging.basicConfig(format="%(message)s")

    import flows
    from durable_import import DurableRuntime

    async def main():
        async with DurableRuntime("sqlite:///app.db") as runtime:
            if sys.argv[1] == "begin":
                await runtime.start(flows.flow, instance_id="one")
                await runtime.start(flows.flow, instance_id="two")
                while await runtime.handle("two").status() != "waiting":
                    await asyncio.sleep(0.01)
                os.kill(os.getpid(), signal.SIGUSR2)
                await asyncio.sleep(0)
                os.kill(os.getpid(), signal.SIGKILL)
            await runtime.recover()
            await runtime.publish_event("one", "go")
            print(await runtime.handle("one").result())

    asyncio.run(main())
"""

FLOWS = """
    # durable: on
    import asyncio
    import logging
    import os
    import signal

    from durable_import import wait_for_event

    def handle(number, frame):
        pass

    async def flow():
        signal.signal(signal.SIGUSR1, handle)
        logging.basicConfig(level="DEBUG")
        os.environ["REGION"] = "north"
        os.chdir(os.getcwd())
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR2, print, "came")
        await wait_for_event("go")
        return signal.getsignal(signal.SIGUSR2) == signal.SIG_DFL, os.environ["HOME"]
"""


def test_application(desk: Desk) -> None:
    """An instance in an application that sets what belongs to the process is told where, once; nothing of it comes back."""
    desk.write("flows.py", FLOWS)
    desk.write("app.py", APPLICATION)
    first = desk.start_command([sys.executable, "app.py", "begin"]).end()
    assert first.status == KILLED
    lines = FLOWS.splitlines()
    for text in ("signal.signal(", "basicConfig", 'environ["REGION"]', "chdir"):
        line = next(number for number, each in enumerate(lines) if text in each)
        assert first.err.count(f"flows.py:{line}, in flow") == 1, (text, first.err)
    line = next(number for number, each in enumerate(lines) if "add_signal_handler" in each)
    assert f"flows.py:{line}, in flow: instance one handles signal" in first.err
    second = desk.start_command([sys.executable, "app.py", "end"]).end()
    assert (second.status, second.out.startswith("(True,")) == (0, True), second


@pytest.mark.parametrize(
    "name", ["API_KEY", "OPENAI_API_KEY", "apikey", "GITHUB_TOKEN", "DBPASSWORD", "PASS", "client_secret", "AUTH"]
)
def test_names_that_look_secret(name: str) -> None:
    """Such variables are not kept."""
    assert looks_secret(name)
    assert not any(
        map(looks_secret, ("PWD", "OLDPWD", "PATH", "KEYBOARD", "MONKEY", "AUTHOR", "BYPASS", "COMPASS", "TOKENIZERS"))
    )


QUIET = """
    # durable: on
    import asyncio
    import logging
    import logging.config

    from world import effect

    async def main():
        handlers = {"file": {"class": "logging.FileHandler", "filename": "app.log"}}
        loggers = {"app": {"level": "INFO", "handlers": ["file"]}}
        logging.config.dictConfig({"version": 1, "handlers": handlers, "loggers": loggers})
        for number in range(3):
            logging.getLogger("app").info("line %s", number)
            await effect(f"logged {number}")
        print(sorted(set(open("app.log").read().split("\\n"))), logging.getLogger("asyncio").disabled)

    asyncio.run(main())
"""


@pytest.mark.slow
def test_configuration_that_disables_all_others(desk: Desk) -> None:
    """What ``dictConfig`` does by itself to the loggers that exist, our own among them, is no obstacle to the rest."""
    killed_at(desk, {"quiet.py": QUIET}, 2, 3, (1, 3))


DRAWS = {
    "the module": ("import numpy as np", "np.random.seed(4)", "np.random.random(), np.random.randint(100)"),
    "the module within": ("import numpy.random", "numpy.random.seed(4)", "numpy.random.random()"),
    "the module by its name": (
        "from numpy import random as draws",
        "draws.seed(4)",
        "draws.normal(), list(draws.permutation(3))",
    ),
    "an import in a function": ("", "from numpy.random import seed; seed(4)", "__import__('numpy').random.random()"),
}


@pytest.mark.slow
@pytest.mark.parametrize(("imported", "seeded", "drawn"), DRAWS.values(), ids=DRAWS)
def test_generator_of_numpy(desk: Desk, imported: str, seeded: str, drawn: str) -> None:
    """What is drawn from the generator that ``numpy.random`` shares goes on where it was."""
    text = f"""
        # durable: on
        import asyncio
        {imported}
        from world import effect

        async def main():
            {seeded}
            drawn = []
            for number in range(3):
                drawn.append(repr(({drawn})))
                await effect(number)
            print(drawn, {drawn})

        asyncio.run(main())
    """
    killed_at(desk, {"draws.py": text}, 2, (1, 3))


PLACES = """
    # durable: on
    import asyncio
    import os
    import sys

    from world import effect

    async def deep(depth):
        return await effect("deep") if not depth else await deep(depth - 1)

    async def main():
        sys.setrecursionlimit(5000)
        os.makedirs("front", exist_ok=True)
        os.makedirs("back", exist_ok=True)
        sys.path.insert(0, os.path.abspath("front"))
        sys.path.append(os.path.abspath("back"))
        for folder in ("front", "back"):
            with open(f"{folder}/of_{folder}.py", "w") as file:
                file.write(f"here = {folder!r}")
        await effect("one")
        await deep(1500)
        import of_front, of_back
        names = [os.path.basename(folder) for folder in (sys.path[0], sys.path[-1])]
        print(of_front.here, of_back.here, sys.getrecursionlimit(), names)

    asyncio.run(main())
"""


def test_import_path_and_recursion_limit(desk: Desk) -> None:
    """Folders that the script has put on the import path are there again, and calls may be as deep as before."""
    killed_at(desk, {"places.py": PLACES}, 2, (1, 2))
