"""``explain``: what is a checkpoint, what cannot be one, and why."""

from __future__ import annotations

import importlib
import itertools
import os
import sys
import textwrap
from pathlib import Path
from types import ModuleType

import pytest

import durable_import
from durable_import import Explanation, NoSourceCodeException, Point, explain, make_durable
from durable_import.cli.main import main

_numbers = itertools.count()

FOREIGN = """
import functools

async def call(function, *args):
    return await function(*args)

def retry(function):
    @functools.wraps(function)
    async def wrapper(*args):
        return await function(*args)
    return wrapper
"""

SHOP = """
    import asyncio
    import time
    import {foreign} as lib
    from durable_import import PauseForEventException as Pause
    from {foreign} import call, retry

    class Shop:
        async def order(self, item, client):
            price = await self.price(item)
            with open(item) as file:
                await asyncio.sleep(1)
                time.sleep(3)
            async with client.session() as session, client:
                async for row in session.rows():
                    print([x async for x in numbers(await client.get(row))])
            raise Pause("approve")
            generator = (await x for x in [])
            with open(item) as file:
                pass
            await call(self.price, helper())
            await lib.call(helper)
            await asyncio.to_thread(len, [])
            await decorated()
            return await price

        async def price(self, item):
            async def nested():
                await helper()
            return await nested()

        @staticmethod
        async def static():
            local = helper
            return await Shop.static(), await local()

    async def numbers(n):
        yield n

    async def helper():
        return 1

    @retry
    async def decorated():
        await helper()
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A marked module, and one that is not."""
    monkeypatch.syspath_prepend(os.fspath(tmp_path))
    number = next(_numbers)
    (tmp_path / f"foreign_{number}.py").write_text(FOREIGN)
    (tmp_path / f"shop_{number}.py").write_text("# durable: on" + textwrap.dedent(SHOP).format(foreign=f"foreign_{number}"))
    importlib.invalidate_caches()
    durable_import.install()
    try:
        return importlib.import_module(f"shop_{number}")
    finally:
        durable_import.uninstall()


def rows(explanation: Explanation) -> list[tuple[int, str, str, bool]]:
    return [(p.lineno, p.source, p.kind, p.is_checkpoint) for p in explanation.points]


ORDER = [
    (10, "await self.price(item)", "await", True),
    (11, "with open(item) as file", "with", False),
    (12, "await asyncio.sleep(1)", "await", True),
    (13, "time.sleep(3)", "blocking", False),
    (14, "async with client.session() as session", "async with", True),
    (14, "async with client", "async with", True),
    (15, "async for row in session.rows()", "async for", True),
    (16, "async for x in numbers(await client.get(row))", "async for", True),
    (16, "await client.get(row)", "await", True),
    (17, "raise Pause('approve')", "raise", True),
    (18, "(await x for x in [])", "asynchronous generator", False),
    (21, "await call(self.price, helper())", "await", True),
    (21, "self.price", "given away", False),
    (21, "helper()", "given away", False),
    (22, "await lib.call(helper)", "await", True),
    (22, "helper", "given away", False),
    (23, "await asyncio.to_thread(len, [])", "await", True),
    (24, "await decorated()", "await", True),
    (25, "await price", "await", True),
]


def test_each_place_of_a_function(shop: ModuleType) -> None:
    """Every await, and what is no checkpoint, in the order of the text, with its line."""
    explanation = explain(shop.Shop.order)
    assert sorted(rows(explanation)) == sorted(ORDER)
    assert [p.lineno for p in explanation.points] == [row[0] for row in ORDER]
    assert (explanation.is_durable, explanation.remark, explanation.function) == (True, "durable", "Shop.order")
    assert {p.is_checkpoint for p in explanation.checkpoints} == {True}
    assert {p.kind for p in explanation.others} == {"with", "blocking", "asynchronous generator", "given away"}


def meaning(explanation: Explanation, source: str) -> str:
    [point] = [p for p in explanation.points if p.source == source]
    return point.meaning


def test_meanings_say_what_is_known(shop: ModuleType) -> None:
    """Frames are named; foreign modules, decorators and threads are told apart; what cannot be known is said."""
    order = explain(shop.Shop.order)
    assert f"Shop.price ({shop.__file__}:27)" in meaning(order, "await self.price(item)")
    assert "sleep of asyncio.tasks is durable itself" in meaning(order, "await asyncio.sleep(1)")
    assert "numbers" in meaning(order, "async for x in numbers(await client.get(row))")
    assert "known when it runs" in meaning(order, "await client.get(row)")
    assert f"call of module {shop.lib.__name__}, which is not marked" in meaning(order, "await lib.call(helper)")
    assert "in a thread" in meaning(order, "await asyncio.to_thread(len, [])")
    assert f"decorator of module {shop.lib.__name__}" in meaning(order, "await decorated()")
    assert f"given to call of module {shop.lib.__name__}" in meaning(order, "helper()")
    static = explain(shop.Shop.static)
    assert "Shop.static" in meaning(static, "await Shop.static()")
    assert "known when it runs" in meaning(static, "await local()")


def test_decorated_function_is_part_of_a_step(shop: ModuleType) -> None:
    """A function that a foreign decorator awaits has no checkpoints."""
    explanation = explain(shop.decorated)
    assert not explanation.is_durable
    assert shop.lib.__name__ in explanation.remark


def test_function_that_is_not_durable(shop: ModuleType) -> None:
    """It is said why; after ``make_durable`` it is, and so is what it calls."""
    assert not explain(shop.lib.call).is_durable
    assert "not marked" in explain(shop.lib.call).remark
    program = make_durable(shop.lib.call)
    assert explain(program).remark == "durable"
    assert explain(program) == explain(shop.lib.call)
    assert "a call of durable code, call" in meaning(explain(shop.Shop.order), "await lib.call(helper)")


def test_text_of_an_explanation(shop: ModuleType) -> None:
    """``str`` shows file, line, source and meaning."""
    lines = str(explain(shop.Shop.static)).splitlines()
    assert lines[0] == f"{shop.__file__}:{shop.Shop.static.__code__.co_firstlineno + 1} Shop.static: durable"
    assert lines[1] == f"  * {shop.__file__}:35  await Shop.static()"
    assert str(Point("f.py", 1, "x", "with", "held", False)) == "  - f.py:1  x\n      with: held"


def test_what_has_no_source_cannot_be_explained() -> None:
    """A builtin, and a function made by exec."""
    with pytest.raises(NoSourceCodeException, match="not written in Python"):
        explain(len)
    namespace: dict[str, object] = {"__name__": "nowhere"}
    exec("async def f(): pass", namespace)
    with pytest.raises(NoSourceCodeException, match="f cannot be explained"):
        explain(namespace["f"])  # type: ignore[arg-type]


def test_command_explains_a_file_without_importing_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All async functions, nested ones too; what is imported is left open."""
    path = tmp_path / "unseen.py"
    path.write_text("# durable: on" + textwrap.dedent(SHOP).format(foreign="nowhere") + "\nraise SystemExit('imported')\n")
    assert main(["explain", os.fspath(path)]) == 0
    printed = capsys.readouterr().out
    heads = [line.removeprefix(f"{path}:") for line in printed.splitlines() if line.startswith(os.fspath(path))]
    assert heads == [
        "9 Shop.order: durable",
        "27 Shop.price: durable",
        "28 Shop.price.<locals>.nested: durable",
        "33 Shop.static: durable",
        "37 numbers: durable",
        "40 helper: durable",
        "44 decorated: durable",
    ]
    assert f"price ({path}:27)" in printed
    assert "call is imported from nowhere: if that is marked" in printed
    assert "decorated is decorated with @retry" in printed
    assert "blocking: " in printed
    assert path.stem not in sys.modules


def test_command_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is missing or is no Python, and one that is not marked."""
    assert main(["explain", os.fspath(tmp_path / "missing.py")]) == 2
    (tmp_path / "broken.py").write_text("async def (")
    assert main(["explain", os.fspath(tmp_path / "broken.py")]) == 2
    (tmp_path / "plain.py").write_text("async def f(): await g()\n")
    assert main(["explain", os.fspath(tmp_path / "plain.py")]) == 0
    assert "not durable: the file is not marked" in capsys.readouterr().out
