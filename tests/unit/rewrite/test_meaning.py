"""Without a runtime a rewritten module means what it means natively, also to those who look closely."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import pickle
import sys
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import durable_import
from durable_import.frames import ambient
from durable_import.pythons.codes import nested_codes
from durable_import.rewrite.compiler import ModuleRewriting
from tests.harness.rewriting import GOLDEN, PROGRAMS, sources
from tests.harness.torture import native, rewritten

VERSION = sys.version_info[:2]
CASES = [*sources(GOLDEN, VERSION), *sources(GOLDEN / "traced", VERSION), *sources(PROGRAMS, VERSION)[::4]]

MODULE = '''# durable: {mark}
"""A module with one of each kind."""
{future}
import asyncio
import functools
from dataclasses import dataclass

LIMIT = 3


async def effect(value=None):
    await asyncio.sleep(0)
    return value


async def coroutine(a: int, /, b: "str" = "x", *args: LIMIT, c: float = 1.5, **kwargs: dict) -> "list[int]":
    """Has a docstring."""
    d = await effect(a)
    return [d, b, args, c, kwargs]


async def asynchronous_generator(n: int = 2):
    """Yields."""
    for i in range(n):
        yield await effect(i)


def generator(n: int = 2):
    """Yields too."""
    for i in range(n):
        got = yield i


def plain(x, y=2):
    """No suspension."""
    return x + y


async def without_docstring(x):
    await effect(x)


async def string_first():
    f"{{LIMIT}}"
    await effect()


def decorator(function):
    @functools.wraps(function)
    async def wrapper(*args, **kwargs):
        return await function(*args, **kwargs)

    wrapper.mark = "seen"
    return wrapper


@decorator
async def decorated(x: int = 1) -> int:
    """Is decorated."""
    return await effect(x)


async def unstarted(x={{"a": 1}}, *, y=(1, 2)):
    return x, y


anonymous = lambda x, y=1: x + y


@dataclass
class Box:
    """A class."""

    size: int = 1

    async def method(self, other: "Box") -> int:
        """A method."""
        return self.size + await effect(other.size)

    @classmethod
    async def make(cls, size: int) -> "Box":
        return cls(await effect(size))

    @staticmethod
    async def help(x):
        return await effect(x)

    @property
    def area(self):
        return self.size ** 2

    async def __private(self):
        return await effect(self.__class__.__name__)

    async def reveal(self):
        return await self.__private()

    class Inner:
        async def deep(self):
            def local():
                return self
            await effect()
            return local().__class__.__qualname__


def closure(n):
    async def inner(x):
        return await effect(x + n)
    return inner


nested = closure(5)
'''
ATTRIBUTES = (
    "__name__",
    "__qualname__",
    "__doc__",
    "__module__",
    "__annotations__",
    "__defaults__",
    "__kwdefaults__",
    "__dict__",
)
CODE_ATTRIBUTES = (
    "co_name",
    "co_qualname",
    "co_flags",
    "co_argcount",
    "co_posonlyargcount",
    "co_kwonlyargcount",
    "co_firstlineno",
    "co_freevars",
    "co_filename",
)
QUESTIONS = (
    inspect.iscoroutinefunction, inspect.isasyncgenfunction, inspect.isgeneratorfunction, inspect.isfunction,
    asyncio.iscoroutinefunction, inspect.signature, inspect.getdoc, inspect.getcomments, inspect.getsource,
    inspect.getsourcelines, inspect.getmodule, inspect.getfullargspec,
)  # fmt: skip


FUTURES = ("", "from __future__ import annotations")


@pytest.fixture(scope="module", params=[(f, v) for f in FUTURES for v in ("plain", "fast")], ids=lambda p: f"{p[0][5:15]} {p[1]}")
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[types.ModuleType]]:
    """A module imported natively, and the same one rewritten, under one name: while there is no runtime, or while there is."""
    name = "looked_at"
    future, variant = request.param
    modules = []
    durable_import.install()
    for mark in ("off", "on "):  # of one length: co_positions, columns and all stay comparable
        folder = tmp_path_factory.mktemp("module")
        (folder / f"{name}.py").write_text(MODULE.format(mark=mark, future=future))
        sys.path.insert(0, str(folder))
        runtimes = [object()] if variant == "fast" else []
        ambient.ON.extend(runtimes)
        try:
            modules.append(importlib.import_module(name))
        finally:
            sys.path.remove(str(folder))
            del sys.modules[name]
            for runtime in runtimes:
                ambient.ON.remove(runtime)
    yield modules
    durable_import.uninstall()


def functions(module: types.ModuleType) -> dict[str, Any]:
    """The functions of a module and of its classes, by the path to them."""
    found: dict[str, Any] = {}

    def collect(prefix: str, namespace: Mapping[str, Any]) -> None:
        for name, value in namespace.items():
            value = getattr(value, "__func__", value)
            if isinstance(value, type) and value.__module__ == module.__name__:
                collect(f"{prefix}{name}.", vars(value))
            elif isinstance(value, types.FunctionType) and value.__module__ == module.__name__:
                found[prefix + name] = value

    collect("", vars(module))
    return found


def comparable(answer: Any) -> Any:
    """An answer without what differs between two imports of one text: paths, the mark, addresses."""
    if isinstance(answer, types.ModuleType):
        return answer.__name__
    return answer if isinstance(answer, (bool, str, tuple, inspect.Signature)) else repr(answer)


def ask(question: Any, function: Any, module: types.ModuleType) -> Any:
    """The answer to a question about a function while its module is the one in ``sys.modules``."""
    sys.modules[module.__name__] = module
    inspect.modulesbyfile.clear()
    try:
        return comparable(question(function))
    except OSError as error:  # methods that dataclasses make have no source
        return str(error)
    finally:
        del sys.modules[module.__name__]


def test_modules_have_no_additional_names(pair: list[types.ModuleType]) -> None:
    """The globals of a rewritten module, and the attributes of its classes, are the native ones in the native order."""
    first, second = pair
    assert type(second.__loader__).__name__ == "DurableSourceLoader"
    assert type(first.__loader__).__name__ != "DurableSourceLoader"
    assert list(vars(first)) == list(vars(second))
    assert list(vars(first.Box)) == list(vars(second.Box))
    for name in ("__static_attributes__", "__firstlineno__"):  # from Python 3.13 on
        assert vars(first.Box).get(name) == vars(second.Box).get(name)


def test_functions_look_native(pair: list[types.ModuleType]) -> None:
    """Names, docs, annotations, defaults and the facts of the code object are the native ones."""
    first, second = (functions(module) for module in pair)
    assert list(first) == list(second)
    assert len(first) > 15
    for name, function in first.items():
        for attribute in ATTRIBUTES:
            expected, actual = getattr(function, attribute), getattr(second[name], attribute)
            if attribute == "__dict__":
                expected, actual = list(expected), list(actual)
            assert repr(actual) == repr(expected), (name, attribute)
        for attribute in CODE_ATTRIBUTES[:-1]:
            expected, actual = getattr(function.__code__, attribute), getattr(second[name].__code__, attribute)
            assert actual == expected, (name, attribute)


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda q: f"{q.__module__.split('.')[0]}.{q.__name__}")
def test_inspect_answers_as_natively(pair: list[types.ModuleType], question: Any) -> None:
    """``inspect`` tells the same of each function."""
    first, second = pair
    for name, function in functions(first).items():
        assert ask(question, functions(second)[name], second) == ask(question, function, first), name


def test_functions_and_instances_are_pickled_by_name(pair: list[types.ModuleType]) -> None:
    """Plain ``pickle`` gives the same bytes for functions, methods and instances of a rewritten module."""

    def pickled(module: types.ModuleType) -> list[bytes]:
        sys.modules[module.__name__] = module
        try:
            box = module.Box(3)
            values = [module.coroutine, module.generator, module.decorated, box, box.method, module.Box.make]
            payloads = [pickle.dumps(value) for value in values]
            assert pickle.loads(payloads[0]) is module.coroutine
            return payloads
        finally:
            del sys.modules[module.__name__]

    first, second = pair
    assert pickled(second) == pickled(first)


def test_results_are_native(pair: list[types.ModuleType]) -> None:
    """Calling each of the functions gives the native result."""

    async def main(module: types.ModuleType) -> list[Any]:
        box = await module.Box.make(4)
        return [
            await module.coroutine(1, "b", 2, c=3, d=4), [i async for i in module.asynchronous_generator()],
            list(module.generator()), await module.decorated(), await module.unstarted(), module.anonymous(1),
            await box.method(module.Box()), await module.Box.help(1), box.area, await box.reveal(),
            await module.Box.Inner().deep(), await module.nested(2), await module.string_first(),
        ]  # fmt: skip

    first, second = pair
    assert asyncio.run(main(second)) == asyncio.run(main(first))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_code_objects_look_native(path: Path) -> None:
    """Each function of each program keeps name, flags, counts of parameters, parameters, docstring, captured names."""
    source = path.read_bytes()
    trees = [ModuleRewriting(source, str(path), is_plain=plain).tree for plain in (False, True)]
    facts = []
    for tree in (source, *trees):
        code = compile(tree, str(path), "exec", dont_inherit=True)
        found: dict[tuple[Any, ...], list[Any]] = {}
        for inner in nested_codes(code):
            if inner.co_name.startswith("<"):
                continue  # comprehensions and lambdas: their code may be inlined, or be the rewriter's own
            parameters = inner.co_argcount + inner.co_kwonlyargcount + bool(inner.co_flags & 4) + bool(inner.co_flags & 8)
            key = (inner.co_qualname, inner.co_firstlineno)
            values = [getattr(inner, name) for name in CODE_ATTRIBUTES]
            found.setdefault(key, []).append((values, inner.co_varnames[:parameters], inner.co_consts[:1]))
        facts.append(found)
    first, *others = facts
    for other in others:
        assert first.keys() == other.keys()
        for key, expected in first.items():
            names = [[n[0][:-2] + n[0][-1:], set(n[0][-2]), n[1]] for n in expected]
            assert [[n[0][:-2] + n[0][-1:], set(n[0][-2]), n[1]] for n in other[key]] == names


HEAD = """
import asyncio
import sys

async def effect(value=None):
    await asyncio.sleep(0)
    return value

LOG = []
"""
VIEWS = {
    "locals": "a = await effect(1); return locals(), LOG",
    "vars and dir": "a = await effect(1); return vars(), dir(), sorted(vars().keys()), dict(**locals())",
    "locals in a comprehension": "a = await effect(1); return [sorted(set(locals()) - {'.0'}) for b in [1]]",
    "locals in a loop": "r = []\n    for i in range(2): await effect(); r.append(sorted(locals()))\n    return r",
    "locals in a handler": "try: 1 / 0\n    except ArithmeticError as e: await effect(); return sorted(locals())",
    "locals in with": "with open('/dev/null') as f:\n        await effect()\n        return sorted(locals())",
    "locals in a nested function": "a = await effect(1)\n    def inner(b):\n        return locals(), a\n    return inner(2)",
    "locals before any await": "a = 1\n    r = locals().copy()\n    await effect()\n    return r",
    "eval": "a = await effect(1); return eval('a + 1'), eval('a + b', {}, {'a': 2, 'b': 3})",
    "exec in a dictionary": "a = await effect(1); d = {}; exec('b = 2', {}, d); return d, a",
    "exec in locals": "a = await effect(1); exec('LOG.append(a)'); return LOG",
    "exec in globals": "exec('NEW = 5', globals()); await effect(); return NEW",
    "globals": "await effect(); return sorted(globals())",
    "frames": "a = await effect(1); return sys._getframe().f_code.co_name, sys._getframe().f_lineno",
    "names of frames": "await effect(); import inspect; return [f.function for f in inspect.stack()[:2]]",
}


@pytest.mark.parametrize("body", VIEWS.values(), ids=VIEWS)
def test_views_of_variables(body: str) -> None:
    """``locals``, ``vars``, ``dir``, ``globals``, ``eval`` and ``exec`` see the user's names and no others."""
    program = f"{HEAD}\nasync def main():\n    {body}\n"
    assert rewritten(program) == native(program)
