"""What has changed between two checkpoints."""

from __future__ import annotations

import re
from html import unescape
from types import ModuleType
from typing import Any

import httpx
import pytest

from tests.ui.conftest import OWN, MakeRuntime, field_of

PATH = "/instances/sum/history"


def rows(page: str) -> dict[str, tuple[str, str]]:
    """The table of a page."""
    code = r"<code>(.*?)</code>"
    found = re.findall(
        rf"<th role=\"rowheader\" scope=\"row\">{code}</th><td role=\"cell\">{code}</td><td role=\"cell\">{code}", page
    )
    return {unescape(path): (unescape(before), unescape(after)) for path, before, after in found}


async def test_variables(make_runtime: MakeRuntime, browser: httpx.AsyncClient, flows: ModuleType) -> None:
    """Those that are others are told, by their paths, as deep as they are; the same texts of secrets are hidden."""
    async with make_runtime() as runtime:
        await runtime.run(flows.add_up, [-1, -2, -3, -4], instance_id="sum")
        page = (await browser.get("/instances/sum")).text
        links = re.findall(r'href="(/instances/sum/history\?to=\d+)"', page)
        assert len(links) == len(await runtime.history("sum")) > 4
        found = rows((await browser.get(links[3])).text)
        assert found["0/add_up.total"] == ("1", "3")
        assert found["0/add_up.seen['last']"] == ("-1", "-2")
        assert found["0/add_up.seen['count']"] == ("1", "2")
        assert "0/add_up.numbers" not in found
        assert not any("secret -" in text for pair in found.values() for text in pair)
        wide = rows((await browser.get(f"{PATH}?from=1&to=4")).text)
        assert wide["0/add_up.total"][1] == "6"
        end = rows((await browser.get(PATH)).text)
        assert end["status"] == ("running", "completed")
        assert end["outcome"][1].startswith("(10, ")
        same = (await browser.get(f"{PATH}?from=2&to=2")).text
        assert "Nothing has changed." in same


@pytest.mark.parametrize("query", ["to=99", "from=x", "to=-1", "to=%C2%B2", "to=" + "9" * 5000])
async def test_no_such_checkpoint(make_runtime: MakeRuntime, browser: httpx.AsyncClient, flows: ModuleType, query: str) -> None:
    """It is said which there are."""
    async with make_runtime() as runtime:
        await runtime.run(flows.add_up, [1], instance_id="sum")
        answer = await browser.get(f"{PATH}?{query}")
        assert (answer.status_code, "is not kept: there are 0 to" in answer.text) == (400, True)


async def test_stacks_of_earlier_checkpoints(make_runtime: MakeRuntime, browser: httpx.AsyncClient, flows: ModuleType) -> None:
    """They are what the instance was then; of one that was never made there is none."""
    async with make_runtime() as runtime:
        await runtime.run(flows.add_up, [1], instance_id="sum")
        assert (await browser.get("/instances/none/history")).status_code == 404
        handle = runtime.handle("sum")
        first = await handle.stack(checkpoint=1)
        assert (first.checkpoint, first.status, first.outcome) == (1, "running", None)
        assert first.tasks[0].frames[0].function == "add_up"
        with pytest.raises(ValueError, match="checkpoint 99 of instance 'sum' is not kept"):
            await handle.stack(checkpoint=99)


async def test_forks(make_runtime: MakeRuntime, browser: httpx.AsyncClient, flows: ModuleType) -> None:
    """One is made from a point of the history, by the path that is told there; a program may ask what it would be."""
    async with make_runtime() as runtime:
        await runtime.recover()
        await runtime.run(flows.add_up, [-1, -2, -3], instance_id="sum")
        page = await browser.get(f"{PATH}?to=2")
        form = {"csrf_token": field_of(page.text, "csrf_token"), "checkpoint": field_of(page.text, "checkpoint")}
        sent = {**form, "new_id": "again", "changes": '{"0/add_up.total": 100}'}
        made = await browser.post("/instances/sum/fork", data=sent, headers={"Origin": OWN})
        assert (made.status_code, made.headers["location"]) == (303, "/instances/again?done=fork")
        assert (await runtime.handle("again").result(timeout=20))[0] == 105
        assert '<a href="/instances/sum">sum</a>, checkpoint 2' in (await browser.get("/instances/again")).text
        taken = await browser.post("/instances/sum/fork", data=sent, headers={"Origin": OWN})
        assert (taken.status_code, "again" in taken.text) == (409, True)
        asked = {"checkpoint": 1, "changes": {"total": 7}, "dry_run": True}
        planned = (await browser.post("/api/instances/sum/fork", json=asked)).json()
        assert planned["changes"] == [{"path": "0/add_up.total", "before": "0", "after": 7}]
        assert (await browser.get(f"/api/instances/{planned['id']}")).status_code == 404
        mistakes: tuple[dict[str, Any], ...] = (
            {"checkpoint": "1"}, {"changes": []}, {"changes": {"nothing": 1}}, {"checkpoint": 99}, {"new_id": 1},
        )  # fmt: skip
        for wrong in mistakes:
            assert (await browser.post("/api/instances/sum/fork", json=wrong)).status_code == 400
