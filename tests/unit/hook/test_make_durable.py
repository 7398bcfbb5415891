"""Functions of modules that are not marked, made durable where they stand."""

from __future__ import annotations

import asyncio
import functools
import importlib
import inspect
import itertools
import os
import pickle
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from durable_import import AlreadyDurableException, DurableProgram, NoSourceCodeException, UnsupportedSyntaxError, make_durable
from durable_import.frames.capture import is_rewritten_function
from durable_import.pythons.versions import MAX_BLOCKS
from durable_import.snapshot.encoder import Encoder
from tests.harness.crash import environment
from tests.harness.torture import TortureDriver, tortured

_numbers = itertools.count()
Import = Callable[..., ModuleType]


@pytest.fixture
def import_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Import:
    """Imports text as a module that is not marked."""
    monkeypatch.syspath_prepend(os.fspath(tmp_path))

    def imported(source: str, name: str | None = None) -> ModuleType:
        name = name or f"plain_{next(_numbers)}"
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(source))
        importlib.invalidate_caches()
        monkeypatch.delitem(sys.modules, name, raising=False)
        return importlib.import_module(name)

    return imported


EVERYTHING = '''
import asyncio
import functools

seen = []


async def step(value):
    """Its state is saved in the middle: only a function that is durable survives that."""
    kept = [value, object.__name__]
    for _ in range(2):
        await asyncio.sleep(0)
        kept.append(_)
    return kept[0]


def decorator(function):
    @functools.wraps(function)
    async def wrapper(*args):
        before = len(args)
        result = await function(*args)
        return result, before

    return wrapper


@decorator
async def decorated(x):
    y = await step(x)
    return y + 1


def factory(n):
    async def made(x):
        return await step(x) + n

    return made


early = factory(10)
anonymous = lambda x: early(x)


class Outer:
    base = 100

    def __init__(self, n):
        self.n = n

    async def method(self):
        return await step(self.n) + self.base

    @classmethod
    async def of_class(cls):
        return await step(cls.base)

    @staticmethod
    async def of_nothing():
        return await step("static")

    @property
    def later(self):
        return self.__private()

    async def __private(self):
        return await step("private")

    class Inner:
        async def method(self):
            return await super().__class__.of_inner(self) if False else await step(__class__.__name__)


def local_class():
    class Local:
        async def method(self):
            return await step("local")

    return Local()


held = local_class()


async def numbers(n):
    for i in range(n):
        yield await step(i)


def generator():
    got = yield 1
    yield got


async def main(name):
    """Doc."""
    inner_value = name

    async def nested():
        return await step(inner_value)

    g = generator()
    out = [next(g), await nested(), await decorated(1), await early(1), await factory(20)(1), await anonymous(2)]
    out += [await Outer(5).method(), await Outer.of_class(), await Outer.of_nothing(), await Outer(1).later]
    out += [await Outer.Inner().method(), await held.method(), [n async for n in numbers(2)], g.send(await step("sent"))]
    return out
'''
RESULT = [
    1, "Ada", (2, 1), 11, 21, 12, 105, 100, "static", "private", "Inner", "local", [0, 1], "sent",
]  # fmt: skip


async def test_everything_that_it_reaches_is_durable(import_source: Import) -> None:
    """Decorated functions, methods, closures, properties and classes of all kinds are frames: none begins again."""
    module = import_source(EVERYTHING)
    assert await module.main("Ada") == RESULT
    before = module.main, module.early, vars(module.Outer)["of_class"]
    program = make_durable(module.main)
    assert (module.main, module.early, vars(module.Outer)["of_class"]) == before
    assert await module.main("Ada") == RESULT
    seen: list[int] = []
    original = TortureDriver.swap

    async def counted(self: TortureDriver, checkpoint: Any) -> None:
        seen.append(max(len(task.stack()) for task in self.loop.tasks))
        await original(self, checkpoint)

    TortureDriver.swap = counted  # type: ignore[method-assign]
    try:
        assert await tortured(lambda: program.fn("Ada")) == RESULT
    finally:
        TortureDriver.swap = original  # type: ignore[method-assign]
    assert max(seen) >= 4


def test_program_looks_like_the_function(import_source: Import) -> None:
    """Name, doc, signature, and that it is a coroutine function."""
    module = import_source(EVERYTHING)
    program = make_durable(module.main)
    assert program.fn is module.main
    assert program.__wrapped__ is module.main
    assert (program.__name__, program.__doc__, program.__module__) == ("main", "Doc.", module.__name__)
    assert inspect.iscoroutinefunction(program)
    assert inspect.signature(program) == inspect.signature(module.main)
    assert pickle.loads(pickle.dumps(program)).fn is module.main


def test_call_of_a_program(import_source: Import) -> None:
    """``create_call`` gives the call with its arguments."""
    program = make_durable(import_source(EVERYTHING).main)
    call = program.create_call("Ada")
    assert (call.fn, dict(call.arguments)) == (program.fn, {"name": "Ada"})
    assert program.create_call(name="Bob").arguments == {"name": "Bob"}


async def test_inside_an_instance_it_is_a_call_like_any_other(import_source: Import) -> None:
    """Durable code that calls a program awaits a frame of its own instance."""
    module = import_source(EVERYTHING + "\nasync def outer():\n    return await program('Eve')\n")
    module.program = make_durable(module.main)  # type: ignore[attr-defined]
    assert (await tortured(module.outer))[1] == "Eve"


async def test_method_and_partial_and_callable_object(import_source: Import) -> None:
    """What is called may be a bound method, a partial function or an object; as a decorator it makes methods too."""
    module = import_source(EVERYTHING)
    assert await tortured(make_durable(module.Outer(7).method).fn) == 107
    module = import_source(EVERYTHING)
    assert (await tortured(make_durable(functools.partial(module.main, "Zoe")).fn))[1] == "Zoe"
    source = """
    import asyncio
    from durable_import import make_durable

    class Job:
        n = 1

        @make_durable
        async def run(self, k):
            await asyncio.sleep(0)
            return self.n + k + await self.later()

        async def later(self):
            await asyncio.sleep(0)
            return 10

        async def __call__(self):
            return await self.later()
    """
    module = import_source(source)
    assert await tortured(functools.partial(module.Job().run.fn, 2)) == 13
    assert await tortured(make_durable(module.Job()).fn) == 10


async def test_functions_defined_after_it_are_durable(import_source: Import) -> None:
    """A module that makes a function durable in its middle defines the rest by its old code."""
    source = """
    import asyncio
    from durable_import import make_durable

    async def main():
        return await helper(), await Thing().method()

    program = make_durable(main)

    async def helper():
        kept = [1]
        await asyncio.sleep(0)
        return kept

    class Thing:
        async def method(self):
            await asyncio.sleep(0)
            return "thing"
    """
    module = import_source(source)
    assert not is_rewritten_function(module.helper)
    assert await tortured(module.program.fn) == ([1], "thing")
    assert is_rewritten_function(module.helper)


async def test_function_made_by_a_frame_of_old_code(import_source: Import) -> None:
    """A nested function that a running function makes is found, also the second time."""
    source = """
    import asyncio
    from durable_import import make_durable

    async def main(torture):
        found = []
        for n in range(2):
            async def inner():
                await asyncio.sleep(0)
                return n
            found.append(await torture(make_durable(inner).fn))
        return found
    """
    assert await import_source(source).main(tortured) == [0, 1]


async def test_decorator_of_another_module_becomes_durable_with_it(import_source: Import) -> None:
    """A function behind a decorator of another unmarked module is a frame; so is the decorator's own function."""
    import_source(
        """
        import functools

        def retry(function):
            @functools.wraps(function)
            async def wrapper(*args):
                failures = []
                while True:
                    try:
                        return await function(*args), len(failures)
                    except ValueError as error:
                        failures.append(error)
            return wrapper
        """,
        "decorating",
    )
    module = import_source(
        """
        import asyncio
        from decorating import retry

        tries = []

        @retry
        async def main():
            tries.append(1)
            await asyncio.sleep(0)
            if len(tries) < 3:
                raise ValueError("again")
            return "done"
        """
    )
    assert await tortured(make_durable(module.main).fn) == ("done", 2)


async def test_functions_of_zip_archives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The source is asked of the module's loader."""
    name = f"zipped_{next(_numbers)}"
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr(f"{name}.py", EVERYTHING)
    monkeypatch.syspath_prepend(os.fspath(tmp_path / "z.zip"))
    program = make_durable(importlib.import_module(name).main)
    assert await tortured(lambda: program.fn("Ada")) == RESULT


SCRIPT = """
import asyncio, sys
from durable_import import make_durable
from durable_import.frames.capture import capture

async def greet(name):
    kept = [name]
    await asyncio.sleep(0)
    return kept

program = make_durable(greet)

async def main():
    coroutine = greet("Ada")
    coroutine.send(None)
    print(capture(coroutine).variables["kept"], __file__ == greet.__code__.co_filename)

asyncio.run(main())
"""


def test_functions_of_scripts(tmp_path: Path) -> None:
    """Also by plain Python, where the module is ``__main__``."""
    (tmp_path / "script.py").write_text(SCRIPT)
    command = [sys.executable, "script.py"]
    done = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False, timeout=300)
    assert (done.stdout, done.stderr) == ("['Ada'] True\n", "")


async def test_reloaded_module_can_be_made_durable_again(import_source: Import, tmp_path: Path) -> None:
    """A reload defines new functions, perhaps of another source."""
    module = import_source("import asyncio\nasync def f():\n    await asyncio.sleep(0)\n    return 1\n")
    assert await tortured(make_durable(module.f).fn) == 1
    importlib.reload(module)
    assert await tortured(make_durable(module.f).fn) == 1
    other = "import asyncio\n\nasync def f():\n    await asyncio.sleep(0)\n    return 20\n"
    (tmp_path / f"{module.__name__}.py").write_text(other)
    importlib.reload(module)
    assert await tortured(make_durable(module.f).fn) == 20


def test_functions_do_not_become_instances_by_themselves(import_source: Import) -> None:
    """Only what is called as a program: a runtime that is ambient changes nothing for its module."""
    module = import_source("async def f():\n    return 1\nasync def g():\n    return await f()\n")
    make_durable(module.f)
    assert "@outermost" not in module.g.__code__.co_names


def test_what_is_durable_already_is_refused(import_source: Import) -> None:
    """A program, or a function that was made durable; another function of the same module may be."""
    module = import_source(EVERYTHING)
    program = make_durable(module.main)
    for again in (program, module.main):
        with pytest.raises(AlreadyDurableException, match="main is durable already"):
            make_durable(again)
    assert isinstance(make_durable(module.step), DurableProgram)


def test_what_has_no_source_is_refused(import_source: Import, tmp_path: Path) -> None:
    """Each error names the function and says what to do."""
    with pytest.raises(NoSourceCodeException, match=r"len.* not written in Python"):
        make_durable(len)  # type: ignore[arg-type]
    namespace: dict[str, Any] = {"__name__": "nowhere"}
    exec("async def made(): pass", namespace)
    with pytest.raises(NoSourceCodeException, match=r"made .<string>:1. .*typed in, at a prompt or in a notebook"):
        make_durable(namespace["made"])
    exec(compile("async def made(): pass", __file__, "exec"), namespace)
    with pytest.raises(NoSourceCodeException, match=r"made .*test_make_durable.py:1. .*no imported module 'nowhere'"):
        make_durable(namespace["made"])
    module = import_source("async def f(): pass\n")
    exec("async def made(): pass", vars(module))
    with pytest.raises(NoSourceCodeException, match="made by exec"):
        make_durable(module.made)
    with pytest.raises(NoSourceCodeException, match="lambda"):
        make_durable(lambda: asyncio.sleep(0))
    module = import_source("async def f():\n    return 1\n")
    (tmp_path / f"{module.__name__}.py").write_text("async def f():\n    return 2\n")
    with pytest.raises(NoSourceCodeException, match="changed since it was imported"):
        make_durable(module.f)
    (tmp_path / f"{module.__name__}.py").write_text("async def f(:\n")
    with pytest.raises(NoSourceCodeException, match="changed since it was imported"):
        make_durable(module.f)
    (tmp_path / f"{module.__name__}.py").unlink()
    with pytest.raises(NoSourceCodeException, match="cannot be read"):
        make_durable(module.f)


def test_what_is_no_async_function_is_refused(import_source: Import) -> None:
    """A plain function, a generator."""
    module = import_source("def f(): pass\nasync def g():\n    yield 1\n")
    for function in (module.f, module.g):
        with pytest.raises(TypeError, match="async def"):
            make_durable(function)


def test_what_cannot_be_rewritten_is_refused(import_source: Import) -> None:
    """The error is that of a marked module, and nothing has changed."""
    lines = [f"{' ' * n}for x in a:" for n in range(1, MAX_BLOCKS)]
    module = import_source("\n".join(["async def f(a):", *lines, f"{' ' * MAX_BLOCKS}async for x in a: pass"]))
    with pytest.raises(UnsupportedSyntaxError):
        make_durable(module.f)
    assert not is_rewritten_function(module.f)


async def test_functions_of_marked_modules_are_just_wrapped(import_source: Import) -> None:
    """Their code stays; they become programs."""
    import durable_import

    durable_import.install()
    try:
        module = import_source("# durable: on\nimport asyncio\nasync def f():\n    await asyncio.sleep(0)\n    return 1\n")
    finally:
        durable_import.uninstall()
    code = module.f.__code__
    program = make_durable(module.f)
    assert module.f.__code__ is code
    assert await tortured(program.fn, Encoder("marked")) == 1
