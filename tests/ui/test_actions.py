"""What people do: by forms that work without a script."""

from __future__ import annotations

from html import unescape
from pathlib import Path
from types import ModuleType

import httpx
import pytest

from durable_import import InstanceCancelledError
from tests.running.test_life import until_status
from tests.ui.conftest import OWN, MakeRuntime, submit
from tests.ui.test_pages import begin

PATH = "/instances/o-7"


async def test_an_event(make_runtime: MakeRuntime, browser: httpx.AsyncClient, flows: ModuleType, tmp_path: Path) -> None:
    """It is sent with what stands in the form, and the page says so."""
    async with make_runtime() as runtime:
        await begin(runtime, flows, tmp_path / "written")
        answer = await submit(browser, PATH, "send", name="approval", payload='{"by": "ü"}')
        assert (answer.status_code, answer.headers["location"]) == (303, f"{PATH}?done=send")
        assert await runtime.handle("o-7").result() == ({"by": "ü"}, True)
        page = (await browser.get(answer.headers["location"])).text
        assert "The event is sent." in page
        assert "It has ended." in page
        again = await submit(browser, PATH, "send", name="approval")
        assert (again.status_code, "has ended (completed)" in again.text) == (409, True)


async def test_a_question(make_runtime: MakeRuntime, browser: httpx.AsyncClient, flows: ModuleType, tmp_path: Path) -> None:
    """Its answer stands in the page; one that is an exception, or does not come, is said."""
    async with make_runtime() as runtime:
        await begin(runtime, flows, tmp_path / "written")
        answer = await submit(browser, PATH, "ask", name="number", payload='["<b>"]')
        assert answer.status_code == 200
        assert '{\n  "number": 7,\n  "asked": [\n    "<b>"\n  ]\n}</pre>' in unescape(answer.text)
        assert "<b>" not in answer.text
        late = await submit(browser, PATH, "ask", name="never", timeout="0.05")
        assert (late.status_code, "has not answered" in late.text) == (504, True)
        await runtime.start(flows.answer_wrongly, instance_id="wrong")
        wrong = await submit(browser, "/instances/wrong", "ask", name="what")
        assert (wrong.status_code, "by LookupError('no such thing')" in unescape(wrong.text)) == (502, True)


async def test_cancelling(make_runtime: MakeRuntime, browser: httpx.AsyncClient, flows: ModuleType, tmp_path: Path) -> None:
    """It ends; one that has ended is in no state for it."""
    async with make_runtime() as runtime:
        await begin(runtime, flows, tmp_path / "written")
        assert (await submit(browser, PATH, "cancel")).headers["location"] == f"{PATH}?done=cancel"
        with pytest.raises(InstanceCancelledError):
            await runtime.handle("o-7").result()
        again = await submit(browser, PATH, "cancel")
        assert (again.status_code, "It has ended already." in again.text) == (409, True)


async def test_retrying_and_deleting(make_runtime: MakeRuntime, browser: httpx.AsyncClient, flows: ModuleType) -> None:
    """What has failed goes on; what is deleted is not there any more."""
    path = "/instances/f"
    async with make_runtime() as runtime:
        handle = await runtime.start(flows.fail_once, instance_id="f")
        assert (await submit(browser, path, "retry")).status_code == 409
        await handle.send("again", "badly")
        await until_status(handle, "failed")
        assert "not &lt;b&gt;well&lt;/b&gt;" in (await browser.get(path)).text
        assert (await submit(browser, path, "retry")).status_code == 303
        gone = await submit(browser, path, "delete")
        assert (gone.status_code, gone.headers["location"]) == (303, "/?done=delete")
        assert "The instance is forgotten." in (await browser.get("/?done=delete")).text
        assert (await browser.get(path)).status_code == 404


@pytest.mark.parametrize(
    ("action", "fields", "said"),
    [
        ("send", {"name": "approval", "payload": "yes"}, "the payload is not JSON"),
        ("send", {"name": "@cancel"}, "begins with '@'"),
        ("send", {"name": ""}, "what is its name?"),
        ("ask", {"name": "number", "timeout": "long"}, "timeout is 'long'"),
    ],
)
async def test_mistakes(
    make_runtime: MakeRuntime, browser: httpx.AsyncClient, flows: ModuleType, action: str, fields: dict[str, str], said: str
) -> None:
    """The page says what is wrong, and has what was typed."""
    async with make_runtime() as runtime:
        await runtime.start(flows.rest, instance_id="o-7")
        answer = await submit(browser, PATH, action, **fields)
        assert (answer.status_code, said in unescape(answer.text)) == (400, True)
        assert f'value="{fields["name"]}"' in answer.text


@pytest.mark.parametrize("action", ["send", "ask", "cancel", "retry", "delete"])
async def test_forms_of_others(make_runtime: MakeRuntime, browser: httpx.AsyncClient, flows: ModuleType, action: str) -> None:
    """Without the token of a form nothing is done, whatever is said of where it is from."""
    async with make_runtime() as runtime:
        await runtime.start(flows.rest, instance_id="o-7")
        for fields in ({"name": "x"}, {"name": "x", "csrf_token": "0" * 64}, {"name": "x", "csrf_token": "ü"}):
            answer = await browser.post(f"{PATH}/{action}", data=fields, headers={"Origin": OWN})
            assert (answer.status_code, "load the page again" in answer.text) == (403, True)
        assert (await browser.get(f"{PATH}/{action}")).status_code in (404, 405)
        assert await runtime.handle("o-7").status() in ("running", "sleeping", "pending")
        assert await runtime.handle("o-7").events() == []


async def test_large_forms(browser: httpx.AsyncClient) -> None:
    """More than a person types is refused before it is read."""
    answer = await browser.post(f"{PATH}/send", content=b"x" * 1_000_001, headers={"Origin": OWN})
    assert answer.status_code == 413
