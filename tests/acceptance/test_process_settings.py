"""Settings of the process and of libraries that a script sets when it runs are set again when it is resumed."""

from __future__ import annotations

import pytest

from tests.harness.killing import killed_at
from tests.harness.processes import KILLED, Desk

STANDARD = """
    # durable: on
    import asyncio
    import calendar
    import csv
    import decimal
    import faulthandler
    import gc
    import locale
    import logging
    import os
    import socket
    import sys
    import time
    import warnings

    from world import effect

    class Logger(logging.Logger):
        pass

    def settings():
        umask = os.umask(0)
        os.umask(umask)
        return [
            logging.getLoggerClass().__name__, logging.getLevelName(7), warnings.filters[0][:3], len(warnings.filters),
            locale.setlocale(locale.LC_ALL), decimal.getcontext().prec, socket.getdefaulttimeout(), sys.getrecursionlimit(),
            sys.getswitchinterval(), sys.get_int_max_str_digits(), faulthandler.is_enabled(), gc.isenabled(),
            gc.get_threshold(), sys.path[0], sys.path[-1], sys.stdout.line_buffering, time.tzname, csv.field_size_limit(),
            calendar.firstweekday(), umask,
        ]

    async def main():
        logging.captureWarnings(True)
        logging.setLoggerClass(Logger)
        logging.addLevelName(7, "SEVEN")
        warnings.filterwarnings("error", "of (the )?shop", UserWarning)
        locale.setlocale(locale.LC_ALL, "C.UTF-8")
        decimal.getcontext().prec = 50
        socket.setdefaulttimeout(7)
        sys.setrecursionlimit(3333)
        sys.setswitchinterval(0.25)
        sys.set_int_max_str_digits(9999)
        faulthandler.enable()
        gc.disable()
        gc.set_threshold(1234, 5, 6)
        sys.path.insert(0, "/first")
        sys.path.append("/last")
        sys.stdout.reconfigure(line_buffering=True)
        os.environ["TZ"] = "Asia/Tokyo"
        time.tzset()
        csv.field_size_limit(77)
        calendar.setfirstweekday(3)
        os.umask(0o077)
        before = settings()
        await effect("set")
        await effect("once more")
        try:
            warnings.warn("of the shop")
        except UserWarning as error:
            print(error, settings() == before, len(settings()), before[0], before[4])
        captured = []
        handler = logging.Handler()
        handler.emit = captured.append
        logging.getLogger("py.warnings").addHandler(handler)
        warnings.warn("of the house")
        print(len(captured), settings() == before)

    asyncio.run(main())
"""

LIBRARIES = """
    # durable: on
    import asyncio

    import numpy
    import pandas
    import structlog

    from world import effect

    def shout(logger, name, event):
        return repr(sorted(event))

    async def main():
        structlog.configure(processors=[structlog.processors.add_log_level, shout])
        numpy.random.seed(5)
        numpy.seterr(divide="raise")
        numpy.set_printoptions(precision=2)
        pandas.set_option("display.max_rows", 7)
        pandas.options.display.max_columns = 9
        first = numpy.random.rand()
        await effect("set")
        second = numpy.random.rand()
        await effect("once more")
        structlog.get_logger().warning("shown", number=1)
        try:
            numpy.float64(1) / numpy.float64(0)
        except FloatingPointError as error:
            print(error)
        print(
            first, second, numpy.random.rand(), numpy.array([0.123456]), pandas.get_option("display.max_rows"),
            pandas.options.display.max_columns, len(structlog.get_config()["processors"]),
        )

    asyncio.run(main())
"""


HELPED = """
    # durable: on
    import asyncio

    import drawing
    import helpers

    from world import effect

    async def main():
        helpers.configure()
        before = helpers.settings()
        drawn = [drawing.draw()]
        await effect("set")
        drawn.append(drawing.draw())
        await effect("once more")
        print(drawn, drawing.draw(), helpers.settings() == before, before)

    asyncio.run(main())
"""

HELPERS = """
    import copyreg
    import csv
    import gc
    import locale
    import logging
    import os
    import resource
    import signal
    import sqlite3
    import sys
    import threading
    import tracemalloc
    import xml.etree.ElementTree as ElementTree

    class Price:
        pass

    class Other:
        pass

    def adapt(price):
        return "price"

    def reduce(other):
        return Other, ()

    def handle(number, frame):
        pass

    def configure():
        locale.setlocale(locale.LC_ALL, "C.UTF-8")
        os.umask(0o077)
        logging.basicConfig(level=logging.INFO, format="%(message)s")
        signal.signal(signal.SIGUSR1, handle)
        threading.stack_size(1 << 20)
        csv.register_dialect("shop", delimiter="|", quoting=csv.QUOTE_ALL)
        sqlite3.register_adapter(Price, adapt)
        copyreg.pickle(Other, reduce)
        resource.setrlimit(resource.RLIMIT_NOFILE, (512, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
        tracemalloc.start(3)
        ElementTree.register_namespace("shop", "http://shop.example")
        os.nice(1)
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        gc.set_debug(gc.DEBUG_UNCOLLECTABLE)
        sys.set_coroutine_origin_tracking_depth(2)

    def settings():
        umask = os.umask(0)
        os.umask(umask)
        size = threading.stack_size()
        threading.stack_size(size)
        priced = sqlite3.connect(":memory:").execute("select ?", (Price(),)).fetchone()
        return [
            locale.setlocale(locale.LC_ALL), umask, size, logging.getLogger().level, signal.getsignal(signal.SIGUSR1) is handle,
            csv.get_dialect("shop").delimiter, priced, copyreg.dispatch_table[Other] is reduce,
            resource.getrlimit(resource.RLIMIT_NOFILE)[0], tracemalloc.get_traceback_limit(),
            ElementTree._namespace_map["http://shop.example"], os.nice(0), len(os.sched_getaffinity(0)), gc.get_debug(),
            sys.get_coroutine_origin_tracking_depth(),
        ]
"""

DRAWING = """
    import random

    random.seed(7)

    def draw():
        return random.random()
"""


def test_settings_by_helpers(desk: Desk) -> None:
    """What functions of modules that are not marked set, and draw, is as it was; nothing is said, since nothing is lost."""
    (done,) = killed_at(desk, {"program.py": HELPED, "helpers.py": HELPERS, "drawing.py": DRAWING}, (2, 3))
    assert done.err == "", done


LOST_BY_HELPERS = """
    import atexit
    import functools

    def traced(function):
        @functools.wraps(function)
        def wrapper(*arguments):
            return function(*arguments)

        return wrapper

    @traced
    def set_up():
        _set_up()

    def _set_up():
        atexit.register(print, "over")  # told
"""


def test_what_helpers_set_and_is_lost_is_told(desk: Desk) -> None:
    """It is told with the line in the module that is not marked, once."""
    desk.write("helpers.py", LOST_BY_HELPERS)
    desk.write(
        "program.py",
        """
        # durable: on
        import asyncio

        import helpers
        from world import effect

        async def main():
            helpers.set_up()
            await effect("one")
            await effect("two")

        asyncio.run(main())
        """,
    )
    done = desk.run("program.py")
    assert (done.status, done.out, len(done.err.splitlines())) == (0, "over\n", 1), done
    assert "helpers.py:16, in _set_up: instance" in done.err, done
    assert "has something called at the exit of the process" in done.err, done


OF_THE_LOOP = """
    # durable: on
    import asyncio
    import threading
    import time
    from concurrent.futures import ThreadPoolExecutor

    from world import effect

    def busy():
        time.sleep(0.01)
        return threading.current_thread().name

    async def main():
        loop = asyncio.get_running_loop()
        loop.set_debug(True)
        loop.slow_callback_duration = 7.5
        loop.shop = "north"
        loop.set_default_executor(ThreadPoolExecutor(1, thread_name_prefix="own"))
        await effect("set")
        await effect("once more")
        loop.set_debug(False)
        await effect("set otherwise")
        names = await asyncio.gather(*[asyncio.to_thread(busy) for _ in range(3)])
        print(loop.get_debug(), loop.slow_callback_duration, loop.shop, names)

    asyncio.run(main())
"""


@pytest.mark.slow
@pytest.mark.parametrize("program", [STANDARD, LIBRARIES, OF_THE_LOOP], ids=["standard", "libraries", "loop"])
def test_settings(desk: Desk, program: str) -> None:
    """They are what they were, after each kill; nothing is said, since nothing is lost."""
    for done in killed_at(desk, {"program.py": program}, 1, 2, (1, 3)):
        assert done.err == "", done


def test_what_cannot_be_kept_of_a_loop_is_told(desk: Desk) -> None:
    """An object that a program gives its loop as an attribute, and a pool that nobody can find, are named."""
    desk.write("pools.py", "from concurrent.futures import ThreadPoolExecutor\nPOOLS = [ThreadPoolExecutor(1)]\n")
    text = OF_THE_LOOP.replace('"north"', "object()").replace('ThreadPoolExecutor(1, thread_name_prefix="own")', "pools.POOLS[0]")
    desk.write("program.py", text.replace("import threading", "import pools\n    import threading", 1))
    done = desk.run("program.py")
    said = [line.partition(" of its loop, ")[0].partition("has set the ")[2] for line in done.err.splitlines()]
    assert (done.status, sorted(said)) == (0, ["attribute 'shop'", "default executor"]), done


WATCHING = """
    # durable: on
    import asyncio
    import os

    from world import effect

    async def main():
        loop, came = asyncio.get_running_loop(), asyncio.Event()
        reading, writing = os.pipe()
        loop.add_reader(reading, came.set)
        os.write(writing, b"x")
        await came.wait()
        loop.remove_reader(reading)
        await effect("came")
        print("came")

    asyncio.run(main())
"""


def test_what_a_loop_watches_is_told(desk: Desk) -> None:
    """A descriptor that a program has its loop watch is named: nothing watches it after a restart."""
    desk.write("program.py", WATCHING)
    done = desk.run("program.py")
    assert (done.status, done.out, done.err.count("has set the reader of")) == (0, "came\n", 1), done


FAILING = """
    # durable: on
    import asyncio
    import locale
    import os
    import sys

    from world import effect

    class Local:
        def __reduce__(self):
            raise TypeError("not this one")

    def refuse(category, name=None):
        if name is not None:
            raise locale.Error("there is no such locale here")
        return "C"

    async def main():
        locale.setlocale(locale.LC_ALL, "C.UTF-8")
        sys.path.append(Local())
        sys.setrecursionlimit(3333)
        await effect("set")
        await effect("told")
        print(sys.getrecursionlimit())

    if os.path.exists("refused"):
        locale.setlocale = refuse
    asyncio.run(main())
"""


def test_what_cannot_be_set_again_is_told(desk: Desk) -> None:
    """A value that cannot be saved is told when it would be, one that this process refuses when it resumes; the rest is set."""
    desk.write("program.py", FAILING)
    first = desk.run("program.py", kill_at=2)
    assert first.status == KILLED
    assert "has set of the module search path cannot be saved" in first.said + first.err, first
    (desk.folder / "refused").touch()
    done = desk.run("program.py")
    assert (done.status, done.out) == (0, "3333\n"), done
    assert "the locale, which the program had set, cannot be set again here: Error: there is no such" in done.said + done.err


LOST = """
    # durable: on
    import asyncio
    import atexit
    import signal
    import subprocess
    import sys
    import threading

    import numpy
    import structlog
    from opentelemetry import trace
    from pandas import set_option

    from world import effect

    def set_up():
        atexit.register(print, "over")  # told
        structlog.contextvars.bind_contextvars(tenant="north")

    def called_at_module_level():
        trace.set_tracer_provider(None)

    async def main():
        import pandas.api.extensions as extensions

        set_up()
        set_option("display.max_rows", 7)
        numpy.set_printoptions(precision=2)
        signal.alarm(0)  # told
        threading.Thread(target=print, args=("in a thread",)).start()  # told
        subprocess.Popen([sys.executable, "-c", ""]).wait()
        subprocess.Popen([sys.executable, "-c", ""])  # told
        if False:
            trace.set_tracer_provider(None)  # told
            extensions.register_dataframe_accessor("shop")  # told
        await effect("one")
        await effect("two")

    called_at_module_level()
    asyncio.run(main())
"""


def test_what_is_not_set_again_is_told(desk: Desk) -> None:
    """What a program, or a function that it calls, sets and nobody can read back is told once, with the line; nothing else."""
    desk.write("program.py", LOST)
    done = desk.run("program.py")
    assert done.status == 0, done
    expected = [number for number, line in enumerate(LOST.strip("\n").splitlines(), 1) if line.endswith("# told")]
    found = [
        int(line.partition("program.py:")[2].partition(",")[0]) for line in done.err.splitlines() if "not done again" in line
    ]
    assert sorted(found) == expected, done
