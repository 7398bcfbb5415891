"""Makes the pictures of the page that the documents show: ``python -m tests.ui.screenshots``."""

from __future__ import annotations

import asyncio
import shutil
import sys
from pathlib import Path

from playwright.async_api import ViewportSize, async_playwright

import durable_import
from durable_import import DurableRuntime
from tests.docs.pages import FOLDER
from tests.harness.imports import fresh
from tests.running.test_life import until_status
from tests.ui.test_serving import serving

SIZE = ViewportSize(width=1100, height=640)
PLACE = Path("/tmp/shop")  # stands in the pictures


async def fill(url: str) -> None:
    """Orders that wait for an approval, and others that have ended."""
    durable_import.install()
    shutil.copy(Path(__file__).with_name("pictured_flows.py"), PLACE / "orders.py")
    sys.path.insert(0, str(PLACE))
    flows = fresh("orders")
    async with DurableRuntime(url) as runtime:
        for number in range(1, 9):
            handle = await runtime.options(instance_id=f"order-{number}").start(flows.order, number)
            await until_status(handle, "waiting")
            if number % 3 == 0:
                await handle.send("approval", "yes")
                await handle.result()
        await runtime.start(flows.remind, "monthly report", instance_id="reminder")
        await until_status(runtime.handle("reminder"), "sleeping")


async def take(folder: Path) -> None:
    """The pictures, in a folder."""
    PLACE.mkdir()
    try:
        url = f"sqlite:///{PLACE}/app.db?history=true"
        await fill(url)
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            with serving(url) as (_, address):
                page = await (await browser.new_context(viewport=SIZE)).new_page()
                await page.goto(address)
                await page.screenshot(path=folder / "page-list.png")
                await page.get_by_role("link", name="order-8").click()
                await page.locator("summary", has_text="Variables (").nth(1).click()
                await page.get_by_role("heading", name="Tasks").evaluate("heading => heading.scrollIntoView()")
                await page.screenshot(path=folder / "page-instance.png")
            await browser.close()
    finally:
        shutil.rmtree(PLACE)


if __name__ == "__main__":
    (FOLDER / "images").mkdir(exist_ok=True)
    asyncio.run(take(FOLDER / "images"))
