"""What people see: lists, instances with their stacks, and nothing that is hidden or dangerous."""

from __future__ import annotations

from html import unescape
from pathlib import Path
from types import ModuleType

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from durable_import import DurableRuntime, StateStore
from durable_import.ui import app
from tests.running.test_life import until_status
from tests.ui.conftest import OWN, MakeRuntime, links_of

KEY = "sk-0123456789"
IDS = ("a/b", "a/live", "..", ".", "a!", "ü 界", "<b>&\"'", "q?a=b#c%2F", "line\nline", "half \ud83d", "+%20")


async def begin(runtime: DurableRuntime, flows: ModuleType, path: Path, name: str = "o-7") -> None:
    """An instance that waits in two tasks."""
    handle = await runtime.start(flows.order, 7, str(path), KEY, instance_id=name)
    await until_status(handle, "waiting")


async def test_an_instance(make_runtime: MakeRuntime, browser: httpx.AsyncClient, flows: ModuleType, tmp_path: Path) -> None:
    """Its tasks are a tree, each frame has its lines with the current one marked, and its variables folded."""
    async with make_runtime() as runtime:
        await begin(runtime, flows, tmp_path / "written")
        await runtime.publish_event("o-7", "note", {"n": 1})
        page = (await browser.get("/instances/o-7")).text
    first, second = page.index("<h3>instance o-7"), page.index("<h3>approval &lt;/section&gt;")
    assert first < page.index('<ul class="tasks">', first) < second
    assert "waits for event &#39;approval&#39;" in page[second:]
    marked = page[page.index("<mark", second) : page.index("</mark>", second)]
    assert marked.endswith("answer = await wait_for_event(&#34;approval&#34;)")
    assert "<summary>Variables (2)</summary>" in page[second:]
    assert '<code class="name">number</code> = <code>7</code>' in page[second:]
    assert "<dt>Tag</dt><dd>customer=c1</dd>" in page
    assert "event <code>note</code>: <code>{&#39;n&#39;: 1}</code>" in page
    assert '<span class="status waiting">waiting</span>' in page[page.index('<ol class="timeline">') :]
    assert not (tmp_path / "written").exists()


async def test_nothing_is_interpreted_and_secrets_are_hidden(
    make_runtime: MakeRuntime, browser: httpx.AsyncClient, flows: ModuleType, tmp_path: Path
) -> None:
    """Values are text; secrets by their names stand nowhere: in arguments, pairs, the source, and under other names neither."""
    async with make_runtime() as runtime:
        await begin(runtime, flows, tmp_path / "written")
        await runtime.publish_event("o-7", "token", KEY)
        page = (await browser.get("/instances/o-7")).text
        told = (await browser.get("/api/instances/o-7")).text + (await browser.get("/api/instances/o-7/events")).text
    assert "<img src=x" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page
    assert "<script>" not in page
    assert "4096" in page
    for secret in (KEY, "open sesame", "abc123xyz"):
        assert secret not in page + told
    assert not (tmp_path / "written").exists()


@pytest.mark.parametrize("name", IDS)
async def test_any_id(make_runtime: MakeRuntime, browser: httpx.AsyncClient, flows: ModuleType, name: str) -> None:
    """The list leads to an instance of any id, also where a browser takes dots for steps; so does the interface."""
    async with make_runtime() as runtime:
        await runtime.start(flows.rest, instance_id=name)
        listed = (await browser.get("/")).text
        [link] = [link for link in links_of(listed) if not link.endswith("/openapi.json")]
        assert str(httpx.URL(OWN).join(link).raw_path, "ascii") == link
        page = await browser.get(link)
        assert page.status_code == 200
        shown = name.encode("utf-8", "replace").decode()
        assert unescape(page.text).count(f"<h1>{shown}</h1>") == 1
        assert (await browser.get(f"/api{link}")).json()["id"] == name


async def test_lists(make_runtime: MakeRuntime, browser: httpx.AsyncClient, flows: ModuleType, tmp_path: Path) -> None:
    """They are counted, filtered, searched, and turned over page by page."""
    async with make_runtime() as runtime:
        await begin(runtime, flows, tmp_path / "written")
        for number in range(5):
            await until_status(await runtime.start(flows.rest, instance_id=f"rest-{number}"), "sleeping")
        page = (await browser.get("/")).text
        assert '<span class="status sleeping">sleeping</span> <span class="count">5</span>' in page
        assert '<option value="rest">rest (5)</option>' in page
        assert links_of((await browser.get("/?status=waiting")).text) == ["/instances/o-7"]
        assert links_of((await browser.get("/?tag=customer%3Dc1&prefix=&function=")).text) == ["/instances/o-7"]
        assert "There is no such instance" in (await browser.get("/?prefix=none")).text
        seen, url = list[str](), "/?prefix=rest&limit=2"
        while url:
            page = (await browser.get(url)).text
            seen += links_of(page)
            _, is_more, rest = page.partition('<a rel="next" href="')
            url = unescape(rest.partition('"')[0]).replace("?", "?limit=2&") if is_more else ""
        assert seen == [f"/instances/rest-{number}" for number in reversed(range(5))]


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/instances/none", 404, "there is no instance &#39;none&#39;"),
        ("/?status=odd", 400, "there is no status &#39;odd&#39;"),
        ("/?cursor=odd", 400, "is no cursor"),
        ("/?tag=odd", 400, "is not NAME=VALUE"),
        ("/?page=2", 400, "there is no parameter &#39;page&#39;"),
        ("/none", 404, "Not Found"),
        ("/static/none.css", 404, "there is no file"),
    ],
)
async def test_what_cannot_be_shown(browser: httpx.AsyncClient, path: str, status: int, said: str) -> None:
    """It is said in a page."""
    answer = await browser.get(path)
    assert (answer.status_code, said in answer.text, "<h1>" in answer.text) == (status, True, True)


@pytest.mark.parametrize(("name", "kind"), [("style.css", "text/css"), ("live.js", "text/javascript"), ("icon.svg", "image/svg")])
async def test_files(browser: httpx.AsyncClient, name: str, kind: str) -> None:
    """What a page needs is served with it, and nothing of it comes from elsewhere."""
    answer = await browser.get(f"/static/{name}")
    assert (answer.status_code, answer.headers["content-type"].startswith(kind)) == (200, True)
    assert "//" not in answer.text.replace("http://www.w3.org/2000/svg", "").replace("// ", "")


async def test_mounted(store: StateStore, make_runtime: MakeRuntime, flows: ModuleType) -> None:
    """Below a path of another application all links and forms lead there."""
    outer = Starlette(routes=[Mount("/ops/durable", app(store))])
    async with make_runtime() as runtime, httpx.AsyncClient(transport=httpx.ASGITransport(outer), base_url=OWN) as browser:
        await runtime.start(flows.rest, instance_id="a/b")
        listed = (await browser.get("/ops/durable/")).text
        assert links_of(listed) == ["/ops/durable/instances/a%2Fb"]
        page = (await browser.get("/ops/durable/instances/a%2Fb")).text
        assert page.count('action="/ops/durable/instances/a%2Fb/') == page.count("action=") > 2
        assert (await browser.get("/ops/durable/openapi.json")).json()["servers"] == [{"url": "/ops/durable"}]
