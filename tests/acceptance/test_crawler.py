"""A crawler over a library that cancels its own connecting, killed again and again."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Iterator

import pytest

from tests.harness.chaos import kill_at_random
from tests.harness.processes import Desk

PAGES = 40
CRAWLER = """
    # durable: on
    import asyncio, sys, httpx

    async def work(queue, url, pages):
        while True:
            number = await queue.get()
            try:
                async with httpx.AsyncClient() as client:
                    response = await client.get(f"{url}/{number}")
                    pages.append(response.text)
            finally:
                queue.task_done()

    async def main(url):
        queue = asyncio.Queue()
        for number in range(PAGES):
            queue.put_nowait(number)
        pages = []
        workers = [asyncio.create_task(work(queue, url, pages)) for _ in range(8)]
        await queue.join()
        for worker in workers:
            worker.cancel()
        print(sorted(pages, key=lambda page: int(page[1:])))

    asyncio.run(main(sys.argv[1]))
"""


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    path = (await reader.readline()).split()[1]
    await asyncio.sleep(0.05)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(path), path))
    writer.close()


@pytest.fixture
def url() -> Iterator[str]:
    """The address of a server that answers with the path that it was asked for, in a thread of its own."""
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(_answer, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    server.close()
    loop.close()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_crawler_gets_all_pages(desk: Desk, url: str, seed: int) -> None:
    """Whatever a library cancels within itself as the process is killed, no page is missing, and none is there twice."""
    desk.write("crawler.py", CRAWLER.replace("PAGES", str(PAGES)))
    lives = kill_at_random(desk, "crawler.py", url, moments=random.Random(seed), kills=12, span=0.5)
    assert lives.result == f"{[f'/{number}' for number in range(PAGES)]}\n"
    assert lives.err == ""
