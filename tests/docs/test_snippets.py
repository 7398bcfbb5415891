"""The Python blocks of pages that are no files: each is run, with what the page takes for granted put beside it."""

from __future__ import annotations

import ast
import inspect
import logging
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

import durable_import
from durable_import import DurableRuntime, InstanceQuery
from tests.docs.pages import FOLDER, PAGES, ROOT, Block, blocks, name_of
from tests.harness.rewriting import fast_text

ELSEWHERE = {  # by the acceptance tests of these pages
    "docs/applications.md",
    "docs/retries.md",
}
PEERS = FOLDER / "comparison.md"  # its first block is ours, the others need what is compared with
WAITING = """
    async def order(number):
        return await durable_import.wait_for_event("approval")
"""


def snippets(page: str) -> list[str]:
    """The Python blocks of a page that are no files."""
    return [block.text for block in _untitled(FOLDER / page)]


def _untitled(page: Path) -> list[Block]:
    return [block for block in blocks(page) if block.language == "python" and not block.title]


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A folder of the test's own, whose modules are forgotten; what is set of logging is undone."""
    root = logging.getLogger()
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(root, "level", root.level)
    durable_import.install()
    yield
    for name in ("told", "shop", "vendor"):
        sys.modules.pop(name, None)


def module(text: str, name: str = "told") -> ModuleType:
    """A marked module of this text."""
    Path(f"{name}.py").write_text(f"# durable: on\nimport asyncio\nimport durable_import\n{textwrap.dedent(text)}")
    return __import__(name)


def workflow(code: str, before: str = "", after: str = "") -> ModuleType:
    """A marked module whose ``main`` is this code."""
    body = textwrap.indent(f"{code}\n{textwrap.dedent(after)}", "    ")
    return module(f"from durable_import import *\n{textwrap.dedent(before)}\n\nasync def main():\n{body}\n")


async def beside(code: str, names: dict[str, Any]) -> None:
    """Run a block that stands beside the workflows."""
    made = eval(compile(code, "a block", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), names)
    if inspect.isawaitable(made):
        await made


def test_each_block_is_run() -> None:
    """Each page with such blocks is run here or elsewhere."""
    here = {"README.md", "docs/comparison.md", *(f"docs/{name}.md" for name in RUN_HERE)}
    assert {name_of(page) for page in PAGES if _untitled(page)} == here | ELSEWHERE


RUN_HERE = {"holds": 1, "how-it-works": 3, "libraries": 1, "observability": 4, "operating": 4, "stores": 5}


@pytest.mark.parametrize("page", RUN_HERE)
def test_no_block_is_new(page: str) -> None:
    """A block that comes to a page comes to these tests."""
    assert len(snippets(f"{page}.md")) == RUN_HERE[page]


def test_readme() -> None:
    """The program of README is that of the index, which is run."""
    [program] = _untitled(ROOT / "README.md")
    assert program.text in [block.text for block in blocks(FOLDER / "index.md")]


async def test_comparison() -> None:
    """The order that is ours runs; what is compared is Python."""
    ours, *others = snippets("comparison.md")
    told = module(ours)
    async with DurableRuntime("memory:") as runtime:
        handle = await runtime.start(told.order, 140)
        await handle.send("approval", "yes")
        assert await handle.result(timeout=60) == "shipped, receipt"
    for code in others:
        ast.parse(code)
    assert len(others) == 5, name_of(PEERS)


async def test_holds() -> None:
    """The two statements are executed in one transaction, and the report comes behind it."""
    [code] = snippets("holds.md")
    before = """
    from contextlib import asynccontextmanager

    SEEN = []

    class Connection:
        @asynccontextmanager
        async def transaction(self):
            SEEN.append("begin")
            yield
            SEEN.append("commit")

        async def execute(self, statement, *values):
            SEEN.append(statement.split()[0])

    async def report(amount):
        SEEN.append(amount)
    """
    told = workflow(code, before, "await transfer(Connection(), 5)")
    async with DurableRuntime("memory:") as runtime:
        await runtime.run(told.main)
    assert told.SEEN == ["begin", "update", "update", "commit", 5]


async def test_how_it_works() -> None:
    """The function adds up, and is rewritten as the page shows; keys differ; a block tells that it runs again."""
    total, pay, stream = snippets("how-it-works.md")
    shown = next(block.text for block in blocks(FOLDER / "how-it-works.md") if "@ON and @outermost" in block.text)
    assert shown.strip() in fast_text(total.encode())
    prices = {"tea": 3, "cup": 4}
    before = f"""
    class Client:
        async def price_of(self, item):
            return {prices}[item]
    """
    told = workflow(total, before, "return await total(Client(), ['tea', 'cup'])")
    async with DurableRuntime("memory:") as runtime:
        assert await runtime.run(told.main) == 7
    sys.modules.pop("told")

    told = workflow(pay, "PAID = []\n\nasync def pay(name, key):\n    PAID.append(key)\n")
    async with DurableRuntime("memory:") as runtime:
        await runtime.run(told.main)
    assert len(set(told.PAID)) == 3
    sys.modules.pop("told")

    before = """
    class Stream:
        async def __aenter__(self):
            self.text_stream = self.texts()
            return self

        async def __aexit__(self, *_):
            pass

        async def texts(self):
            yield "a"
            yield "b"

    class client:
        class messages:
            stream = staticmethod(lambda _: Stream())
    """
    told = workflow(stream, before)
    async with DurableRuntime("memory:") as runtime:
        await runtime.run(told.main)


async def test_libraries() -> None:
    """What the program says of classes and functions is accepted."""
    [code] = snippets("libraries.md")
    Path("shop.py").write_text("async def connect(): ...\n")
    Path("vendor.py").write_text("class Settings: ...\n")
    names: dict[str, Any] = {"__name__": "told"} | {name: __import__(name) for name in ("shop", "vendor")}
    await beside(code, names)
    assert names["Client"]


async def test_observability() -> None:
    """Logging has the attributes, a history is read, a runtime makes spans, a span is open over an await."""
    log, history, telemetry, span = snippets("observability.md")
    told = module(
        "async def count():\n    for _ in range(3):\n        await asyncio.sleep(0)\n        await asyncio.to_thread(int)\n"
    )
    await beside(log, {"logging": logging})
    async with DurableRuntime("memory:?history=true") as runtime:
        handle = await runtime.start(told.count, instance_id="order-42")
        await handle.result(timeout=60)
        await beside(history, {"runtime": runtime})
    names: dict[str, Any] = {"DurableRuntime": DurableRuntime}
    await beside(telemetry, names)
    await names["runtime"].close()
    from opentelemetry import trace

    async def pay(order: str) -> None:
        assert order == "A1"

    await beside(span, {"tracer": trace.get_tracer("told"), "client": SimpleNamespace(pay=pay), "order": "A1"})


async def test_operating(capsys: pytest.CaptureFixture[str]) -> None:
    """A client lists, counts, shows a stack and sends an event."""
    code, _, _, _ = snippets("operating.md")
    told = module(WAITING)
    async with DurableRuntime("sqlite:///app.db") as runtime:
        handle = await runtime.start(told.order, 7, instance_id="order-7")
        while await handle.status() != "waiting":
            await handle.info()
        await beside(code, {})
        assert await handle.result(timeout=60) == "yes"
        assert await runtime.count(InstanceQuery(status="completed")) == 1
    assert "'waiting': 1" in (printed := capsys.readouterr().out)
    assert "number = 7" in printed


async def test_operating_tags() -> None:
    """An instance has the tags and the progress that it has told."""
    _, pack, _, _ = snippets("operating.md")
    told = module(
        f"from durable_import import progress, set_tag\n\nasync def pack_order(_):\n    await asyncio.sleep(0)\n\n{pack}"
    )
    async with DurableRuntime("memory:") as runtime:
        handle = await runtime.options(tags={"customer": "c1"}).start(told.pack, ["A1", "A2"])
        await handle.result(timeout=60)
        found = await handle.info()
        assert (found.tags, found.progress) == ({"customer": "c2"}, (2, 2, "A2 is packed"))


async def test_operating_questions() -> None:
    """An instance answers by the two ways of the page."""
    _, _, shop, _ = snippets("operating.md")
    told = module(f"from durable_import import on_ask, questions\n\n{shop}")
    async with DurableRuntime("memory:") as runtime:
        handle = await runtime.start(told.shop, {"pen": 2})
        assert await handle.ask("price", "pen", timeout=60) == 2
        assert await handle.ask("sold", timeout=60) == 1


async def test_operating_page() -> None:
    """The page is mounted in an application."""
    _, _, _, mounting = snippets("operating.md")
    application = FastAPI()
    async with DurableRuntime("sqlite:///app.db") as runtime:
        await runtime.list()
        await beside(mounting, {"application": application})
        async with AsyncClient(transport=ASGITransport(application), base_url="http://localhost:8000") as browser:
            assert "<h1>Instances</h1>" in (await browser.get("/durable/")).text


async def test_stores() -> None:
    """A store is given itself, used by itself, shared with rows of the program's own, and made by the user."""
    given, by_itself, rows, own, contract = snippets("stores.md")
    names: dict[str, Any] = {"DurableRuntime": DurableRuntime}
    for code in (given, by_itself):
        await beside(code, names)
    assert await names["store"].load("two") == {"status": "ok"}

    told = workflow(
        rows,
        after="""
        async with current_runtime().transaction() as connection:
            connection.execute("CREATE TABLE payment (id TEXT, amount INTEGER)")
        await pay("A1", 3)
        async with current_runtime().transaction() as connection:
            return connection.execute("SELECT * FROM payment").fetchall()
        """,
    )
    async with DurableRuntime("sqlite:///rows.db?shared=yes") as runtime:
        assert await runtime.run(told.main) == [("A1", 3)]

    names = {"__name__": "told"}
    for code in (own, contract):
        await beside(code, names)
    assert {"RedisStore", "TestRedisStore"} <= names.keys()
