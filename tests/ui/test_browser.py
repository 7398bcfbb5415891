"""The page in a real browser: Chromium, which has to be on the PATH (`apt-get install chromium`)."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from types import ModuleType

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, async_playwright, expect

from durable_import import (
    DurableRuntime,
    InstanceCancelledError,
    StoreUnavailableError,
    UnknownInstanceError,
    connect,
)
from tests.harness.processes import Desk
from tests.running.test_life import until, until_status
from tests.ui.test_pages import KEY
from tests.ui.test_serving import serving

pytestmark = pytest.mark.slow
NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    """A browser without a window."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    assert found is not None, f"none of {', '.join(NAMES)} is on the PATH: apt-get install chromium"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        await browser.close()


async def check(page: Page) -> None:
    """Raise for what keeps people from using the page, as axe sees it."""
    found = await Axe().run(page)
    serious = [each for each in found.response["violations"] if each["impact"] in ("serious", "critical")]
    assert not serious, [(each["id"], [node["html"] for node in each["nodes"]]) for each in serious]


async def fill(page: Page, heading: str, **fields: str) -> None:
    """Fill in the form below a heading, and send it."""
    form = page.locator("form", has=page.get_by_role("heading", name=heading))
    for label, text in fields.items():
        await form.get_by_label(label).fill(text)
    await form.get_by_role("button").click()


async def test_by_hand(chromium: Browser, flows: ModuleType, tmp_path: Path) -> None:
    """What begins is there without a reload; it is looked at, asked and told, and its end is seen. All can use the pages, in each
    scheme and size, and nothing goes wrong in the browser."""
    url = f"sqlite:///{tmp_path}/state.db"
    async with DurableRuntime(url, poll_interval=0.05) as runtime:
        await until_status(await runtime.start(flows.rest, instance_id="first"), "sleeping")
        with serving(url) as (_, place):
            context = await chromium.new_context(color_scheme="light")
            page, wrong = await context.new_page(), list[str]()
            page.on("console", lambda said: wrong.append(said.text))
            page.on("pageerror", lambda error: wrong.append(str(error)))
            await page.goto(place)
            await page.keyboard.press("Tab")
            await expect(page.get_by_text("Skip to content")).to_be_focused()
            await check(page)
            handle = await runtime.start(flows.order, 7, str(tmp_path / "written"), KEY, instance_id="order/7")
            await page.get_by_role("link", name="order/7").click()
            await expect(page.locator("mark").first).to_contain_text("async with asyncio.TaskGroup()")
            await page.locator("summary", has_text="Variables (").first.click()
            await expect(page.get_by_text("max_tokens = 4096")).to_be_visible()
            await check(page)
            await fill(page, "Ask", Question="number", Payload="[1]")
            await expect(page.get_by_label("Answer")).to_contain_text('"asked"')
            await fill(page, "Send an event", Event="approval", Payload='"yes"')
            await expect(page.get_by_text("The event is sent.")).to_be_visible()
            await expect(page.locator("[data-part=status]")).to_have_text("completed order")
            assert await handle.result() == ("yes", True)
            await page.emulate_media(color_scheme="dark")
            await page.set_viewport_size({"width": 360, "height": 640})
            await check(page)
            await page.get_by_role("link", name="Instances").click()
            await check(page)
            assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            assert wrong == []
    assert not (tmp_path / "written").exists()


SHOP = """\
    # durable: on
    import asyncio
    from durable_import import wait_for_event

    async def main():
        total = await asyncio.to_thread(sum, [3, 4])
        answer = await wait_for_event("approval")
        print("approved:", answer, total, flush=True)

    asyncio.run(main())
"""


async def test_a_process_that_is_killed(chromium: Browser, desk: Desk) -> None:
    """Its instance is seen as it stands, before and after; what is sent meanwhile is had by the process that goes on with it."""
    desk.write("shop.py", SHOP)
    url = f"sqlite:///{desk.folder}/state.db"
    running = desk.start("--store", url, "--instance", "shop", "shop.py")
    async with connect(url) as client:

        async def waits() -> bool:
            try:
                return (await client.handle("shop").info()).status == "waiting"
            except (StoreUnavailableError, UnknownInstanceError):
                return False

        await until(waits)
        with serving(url) as (_, place):
            page = await chromium.new_page()
            await page.goto(f"{place}instances/shop")
            owner = page.get_by_text(f"process {running.process.pid} on host")
            await expect(owner).to_be_visible()
            running.stop()
            await page.get_by_text("Variables (1)").click()
            await expect(page.get_by_text("total = 7")).to_be_visible()
            await fill(page, "Send an event", Event="approval", Payload='"well"')
            await expect(page.get_by_text("The event is sent.")).to_be_visible()
            again = desk.start("--store", url, "--instance", "shop", "shop.py")
            assert again.end().out == "approved: well 7\n"
            await expect(page.get_by_text("It is not in the store any more")).to_be_visible()  # as after each run that ends well


async def test_what_is_open_stays_open(chromium: Browser, flows: ModuleType, tmp_path: Path) -> None:
    """When something changes, also the focus stays, and what was typed."""
    url = f"sqlite:///{tmp_path}/state.db"
    async with DurableRuntime(url, poll_interval=0.05) as runtime:
        await runtime.start(flows.order, 7, str(tmp_path / "written"), KEY, instance_id="o-7")
        await until_status(runtime.handle("o-7"), "waiting")
        with serving(url) as (_, place):
            page = await chromium.new_page()
            await page.goto(f"{place}instances/o-7")
            await page.get_by_role("textbox", name="Event").fill("half a na")
            await page.locator("summary", has_text="Variables (").first.click()
            await expect(page.get_by_text("max_tokens = 4096")).to_be_visible()
            await runtime.publish_event("o-7", "note", "seen")
            await expect(page.locator("[data-part=waiting]")).to_contain_text("note")
            await expect(page.get_by_text("max_tokens = 4096")).to_be_visible()
            await expect(page.locator("summary", has_text="Variables (").first).to_be_focused()
            await expect(page.get_by_role("textbox", name="Event")).to_have_value("half a na")


async def test_without_scripts(chromium: Browser, flows: ModuleType, tmp_path: Path) -> None:
    """Links and forms are enough; a form that is not the page's own is not."""
    url = f"sqlite:///{tmp_path}/state.db"
    async with DurableRuntime(url, poll_interval=0.05) as runtime:
        handle = await runtime.start(flows.rest, instance_id="..")
        with serving(url) as (_, place):
            context = await chromium.new_context(java_script_enabled=False)
            page = await context.new_page()
            await page.goto(place)
            await page.get_by_role("link", name="..", exact=True).click()
            action = f"{page.url}/delete"
            await page.set_content(f"<form method=post action='{action}'><button>Win</button></form>")
            await page.get_by_role("button").click()
            await expect(page.get_by_text("this form is not from this page")).to_be_visible()
            await page.goto(place)
            await page.get_by_role("link", name="..", exact=True).click()
            await page.get_by_role("button", name="Cancel").click()
            await expect(page.get_by_text("It is asked to end")).to_be_visible()
            with pytest.raises(InstanceCancelledError):
                await handle.result()
