# durable: on
"""A crawler with a bounded number of workers; even pages by asyncio's streams, odd ones by http.client in a thread."""
import asyncio
import sys

from http_client import Status, get, get_blocking

WORKERS = 8


class Crawler:
    def __init__(self, port):
        self.port = port
        self.frontier = asyncio.Queue()
        self.seen = set()
        self.pages = {}
        self.broken = {}
        self.slots = asyncio.Semaphore(5)
        self.fetching = self.most_fetching = 0

    def add(self, path):
        if path not in self.seen:
            self.seen.add(path)
            self.frontier.put_nowait(path)

    async def fetch(self, path):
        async with self.slots, asyncio.timeout(60):
            self.fetching += 1
            self.most_fetching = max(self.fetching, self.most_fetching)
            try:
                if int(path.rpartition("/")[2]) % 2:
                    return await asyncio.to_thread(get_blocking, self.port, path)
                return await get(self.port, path)
            finally:
                self.fetching -= 1

    async def work(self):
        while True:
            path = await self.frontier.get()
            try:
                title, *links = (await self.fetch(path)).splitlines()
            except Status as error:
                self.broken[path] = error.args[0]
            else:
                self.pages[path] = title, len(links)
                for link in links:
                    self.add(link)
            finally:
                self.frontier.task_done()

    async def crawl(self, start):
        self.add(start)
        workers = [asyncio.create_task(self.work(), name=f"worker {n}") for n in range(WORKERS)]
        await self.frontier.join()
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)


async def main():
    crawler = Crawler(int(sys.argv[1]))
    await crawler.crawl("/page/0")
    assert crawler.fetching == 0
    assert crawler.most_fetching <= 5
    for path, page in sorted(crawler.pages.items()):
        print(path, *page)
    return sorted(crawler.broken.items())


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
