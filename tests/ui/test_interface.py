"""What programs ask for: the documents of ``--json``."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
from starlette.routing import Route

from durable_import import DurableRuntime, StateStore
from durable_import.cli.main import main
from durable_import.ui import app
from tests.running.test_life import until_status
from tests.ui.conftest import OWN, MakeRuntime
from tests.ui.test_pages import KEY, begin

ONE = "/api/instances/o-7"


async def test_messages(make_runtime: MakeRuntime, browser: httpx.AsyncClient, flows: ModuleType, tmp_path: Path) -> None:
    """A question is answered, an event taken; one for an instance that is not there yet is kept."""
    async with make_runtime() as runtime:
        await begin(runtime, flows, tmp_path / "written")
        asked = await browser.post(f"{ONE}/ask", json={"name": "number", "payload": [1], "timeout": 60})
        assert asked.json() == {"id": "o-7", "question": "number", "answer": {"number": 7, "asked": [1]}}
        sent = await browser.post(f"{ONE}/events", json={"name": "approval", "payload": {"by": 1}})
        assert sent.json() == {"id": "o-7", "event": "approval", "is_there": True}
        assert await runtime.handle("o-7").result() == ({"by": 1}, True)
        assert (await browser.get(ONE)).json()["outcome"] == "({'by': 1}, True)"
        early = await browser.post("/api/instances/later/events", json={"name": "go"})
        assert early.json() == {"id": "later", "event": "go", "is_there": False}
        [event] = (await browser.get("/api/instances/later/events")).json()
        assert (event["name"], event["payload"]) == ("go", "None")
        ended = await browser.post(f"{ONE}/ask", json={"name": "number"})
        assert (ended.status_code, "has ended" in ended.json()["error"]) == (409, True)


async def test_acts(make_runtime: MakeRuntime, browser: httpx.AsyncClient, flows: ModuleType) -> None:
    """What is done is said; what the instance is in no state for as well, with another status."""
    async with make_runtime() as runtime:
        await until_status(await runtime.start(flows.rest, instance_id="o-7"), "sleeping")
        retried = await browser.post(f"{ONE}/retry")
        assert (retried.status_code, retried.json()["done"]) == (409, False)
        cancelled = await browser.post(f"{ONE}/cancel")
        assert (cancelled.status_code, cancelled.json()) == (
            200,
            {"id": "o-7", "command": "cancel", "done": True, "status": "sleeping"},
        )
        await until_status(runtime.handle("o-7"), "cancelled")
        assert (await browser.post(f"{ONE}/cancel")).status_code == 409
        assert (await browser.delete(ONE)).json()["done"] is True
        assert (await browser.get(ONE)).status_code == 404


async def test_starting(store: StateStore, make_runtime: MakeRuntime, flows: ModuleType) -> None:
    """Only what the application has named is started, in its runtime; the same id again joins."""
    async with make_runtime() as runtime:
        mounted = app(store, runtime=runtime, functions={"wrong": flows.answer_wrongly, "with": flows.answer_with})
        async with httpx.AsyncClient(transport=httpx.ASGITransport(mounted), base_url=OWN) as browser:
            sent: dict[str, Any] = {"function": "with", "arguments": ["x"], "id": "a/b", "tags": {"customer": "c1"}}
            for _ in range(2):
                begun = await browser.post("/api/instances", json=sent)
                assert (begun.status_code, begun.json()["id"], begun.json()["tags"]) == (201, "a/b", {"customer": "c1"})
            keywords = await browser.post("/api/instances", json={"function": "with", "keywords": {"path": "y"}})
            assert (await runtime.handle(keywords.json()["id"]).status()) in ("pending", "running", "waiting")
            for sent, status, said in (
                ({"function": "with", "arguments": ["y"], "id": "a/b"}, 409, "a/b"),
                ({"function": "rest"}, 400, "there is no function 'rest' to start, but with, wrong"),
                ({"function": "os.system", "arguments": ["true"]}, 400, "there is no function"),
                ({"function": "wrong", "arguments": [1]}, 400, "cannot be started so: too many"),
                ({"function": "wrong", "arguments": {}}, 400, "arguments are an array"),
                ({"function": "wrong", "tags": {"a": 1}}, 400, "cannot be started so"),
                ({"function": "wrong", "id": ""}, 400, "id is empty"),
            ):
                refused = await browser.post("/api/instances", json=sent)
                assert (refused.status_code, said in refused.json()["error"]) == (status, True)


async def test_starting_where_nothing_runs(browser: httpx.AsyncClient) -> None:
    """A client runs no code of a program."""
    refused = await browser.post("/api/instances", json={"function": "order"})
    assert (refused.status_code, "nothing is started here" in refused.json()["error"]) == (403, True)
    with pytest.raises(ValueError, match="Give runtime="):
        app("memory:", functions={"order": print})  # type: ignore[dict-item]


async def test_an_exception_as_an_answer(make_runtime: MakeRuntime, browser: httpx.AsyncClient, flows: ModuleType) -> None:
    """It is told from mistakes of who asks."""
    async with make_runtime() as runtime:
        await runtime.start(flows.answer_wrongly, instance_id="o-7")
        answer = await browser.post(f"{ONE}/ask", json={"name": "what"})
        assert (answer.status_code, answer.json()) == (
            502,
            {"error": "instance 'o-7' answers 'what' by LookupError('no such thing')"},
        )
        assert (await browser.post(f"{ONE}/ask", json={"name": "other", "timeout": 0})).status_code == 504


async def test_answers_are_only_looked_at(
    make_runtime: MakeRuntime, browser: httpx.AsyncClient, flows: ModuleType, tmp_path: Path
) -> None:
    """Nothing of the program is made of them: what has no JSON is told as in stacks."""
    path = str(tmp_path / "written")
    expected = {
        "trap": f"open({path!r}, 'w')",
        "account": "Account(name='a', api_key='b')",
        "round": {"path": path, "self": "{'path': " + repr(path) + ", 'self': {...}}"},
        "odd": [[1, 2.5], {"1": "b'x'"}, "nan", [3], None, True],
        "large": "<int of 20,001 bits>",
    }
    async with make_runtime() as runtime:
        await runtime.start(flows.answer_with, path, instance_id="o-7")
        for what, answer in expected.items():
            asked = await browser.post(f"{ONE}/ask", json={"name": "what", "payload": what})
            assert (asked.status_code, asked.json().get("answer", asked.text)) == (200, answer)
        deep = (await browser.post(f"{ONE}/ask", json={"name": "what", "payload": "deep"})).text
        assert deep.count("[") >= 100
    assert not (tmp_path / "written").exists()


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("method", "path", "sent", "status"),
    [
        ("GET", "/api/instances/none", None, 404),
        ("GET", "/api/instances?limit=0", None, 400),
        ("GET", "/api/instances?limit=100000", None, 400),
        ("GET", "/api/instances?where=x", None, 400),
        ("GET", "/api/none", None, 404),
        ("PUT", ONE, None, 405),
        ("POST", f"{ONE}/events", {"content": b"{", "headers": {"Content-Type": "application/json"}}, 400),
        ("POST", f"{ONE}/events", {"content": b"[" * 100_000, "headers": {"Content-Type": "application/json"}}, 400),
        ("POST", f"{ONE}/events", {"content": b'{"name": "x"}', "headers": {"Content-Type": "text/plain"}}, 415),
        ("POST", f"{ONE}/events", {"data": {"name": "x"}}, 415),
        ("POST", f"{ONE}/events", {"json": ["x"]}, 400),
        ("POST", f"{ONE}/events", {"json": {"name": "x", "load": 1}}, 400),
        ("POST", f"{ONE}/events", {"json": {"name": 7}}, 400),
        ("POST", f"{ONE}/events", {"json": {"payload": 7}}, 400),
        ("POST", f"{ONE}/ask", {"json": {"name": "x", "timeout": "long"}}, 400),
        ("POST", f"{ONE}/ask", {"json": {"name": "x", "timeout": 1e9}}, 400),
    ],
)
async def test_mistakes(
    make_runtime: MakeRuntime, browser: httpx.AsyncClient, flows: ModuleType, method: str, path: str, sent: Any, status: int
) -> None:
    """Each is said in a document, and nothing is done."""
    async with make_runtime() as runtime:
        await runtime.start(flows.rest, instance_id="o-7")
        answer = await browser.request(method, path, **(sent or {}))
        assert (answer.status_code, set(answer.json())) == (status, {"error"})
        assert await runtime.handle("o-7").events() == []


def test_the_documents_are_those_of_the_commands(tmp_path: Path, flows: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    """Of lists, instances, events and history; but secrets are hidden, and a list is cut by the same names."""
    url = f"sqlite:///{tmp_path}/state.db?history=true"

    async def run() -> None:
        async with DurableRuntime(url) as runtime:
            await begin(runtime, flows, tmp_path / "written")
            await runtime.publish_event("o-7", "note", 1)

    def printed(*words: str) -> Any:
        assert main([words[0], "--store", url, *words[1:], "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    async def had(path: str) -> Any:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app(url)), base_url=OWN) as browser:
            return (await browser.get(path)).json()

    asyncio.run(run())
    commands = {
        "/api/instances?tag=customer%3Dc1&limit=1": ("list", "--tag", "customer=c1", "--limit", "1"),
        f"{ONE}/events": ("events", "o-7"),
        f"{ONE}/history": ("history", "o-7"),
    }
    for path, words in commands.items():
        assert asyncio.run(had(path)) == printed(*words)
    shown, told = asyncio.run(had(ONE)), printed("show", "o-7")
    assert KEY in json.dumps(told)
    assert KEY not in json.dumps(shown)
    assert shown.keys() == told.keys()
    assert [task.keys() for task in shown["tasks"]] == [task.keys() for task in told["tasks"]]


async def test_the_description(make_runtime: MakeRuntime, browser: httpx.AsyncClient, flows: ModuleType, tmp_path: Path) -> None:
    """It has each path with each method, and what is answered has the fields that it says."""
    described = (await browser.get("/openapi.json")).json()
    routes = {
        (re.sub(r"\{id:\w+\}", "{id}", route.path), method.lower())
        for route in app("memory:").routes
        if isinstance(route, Route) and route.path.startswith("/api")
        for method in (route.methods or set()) - {"HEAD"}
    }
    paths = {(path, method) for path, methods in described["paths"].items() for method in methods if method != "parameters"}
    assert paths == routes
    schemas = described["components"]["schemas"]
    used = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(described)))
    assert used == schemas.keys()
    async with make_runtime() as runtime:
        await begin(runtime, flows, tmp_path / "written")
        await runtime.publish_event("o-7", "note")
        listed = (await browser.get("/api/instances")).json()
        shown = (await browser.get(ONE)).json()
        [event] = (await browser.get(f"{ONE}/events")).json()
        past = (await browser.get(f"{ONE}/history")).json()[0]
    assert listed.keys() == schemas["List"]["properties"].keys()
    assert listed["items"][0].keys() == schemas["Instance"]["properties"].keys()
    own = schemas["InstanceWithStack"]["allOf"][1]["properties"]
    assert shown.keys() == schemas["Instance"]["properties"].keys() | own.keys()
    task = own["tasks"]["anyOf"][0]["items"]["properties"]
    assert shown["tasks"][0].keys() == task.keys()
    assert shown["tasks"][0]["frames"][0].keys() == task["frames"]["items"]["properties"].keys()
    assert (event.keys(), past.keys()) == (schemas["Event"]["properties"].keys(), schemas["PastState"]["properties"].keys())
