# durable: on
"""A bounded number of workers crawl a site made up in the program; duplicates, loops and dead links included."""
import asyncio
from collections import Counter
from urllib.parse import urljoin

from world import effect, fail

SITE = {
    "/": ["/about", "/blog/", "/missing"],
    "/about": ["/", "team", "/about"],
    "/team": ["/about", "/blog/2"],
    "/blog/": ["1", "2", "../about"],
    "/blog/1": ["/blog/2", "/gone"],
    "/blog/2": ["/blog/1", "/"],
}


class DeadLink(Exception):
    pass


class Crawler:
    def __init__(self, workers):
        self.frontier = asyncio.Queue()
        self.seen = set()
        self.pages = {}
        self.dead = []
        self.workers = workers
        self.busy = 0
        self.most_busy = 0
        self.inbound = Counter()

    def add(self, url):
        self.inbound[url] += 1
        if url not in self.seen:
            self.seen.add(url)
            self.frontier.put_nowait(url)

    async def fetch(self, url):
        if url not in SITE:
            await fail(f"GET {url} (dead)", DeadLink(url))
        return await effect(f"GET {url}", SITE[url])

    async def work(self):
        while True:
            url = await self.frontier.get()
            self.busy += 1
            self.most_busy = max(self.most_busy, self.busy)
            try:
                links = await self.fetch(url)
            except DeadLink as error:
                self.dead.append(error)
            else:
                self.pages[url] = len(links)
                for link in links:
                    self.add(urljoin(url, link))
            finally:
                self.busy -= 1
                self.frontier.task_done()

    async def crawl(self, start):
        self.add(start)
        workers = [asyncio.create_task(self.work(), name=f"worker {n}") for n in range(self.workers)]
        await self.frontier.join()
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)


async def main():
    crawler = Crawler(workers=3)
    await crawler.crawl("/")
    popular = sorted(crawler.inbound.items(), key=lambda item: (-item[1], item[0]))[:3]
    dead = sorted(str(e) for e in crawler.dead)
    await effect("write the index")
    return sorted(crawler.pages.items()), dead, popular, crawler.seen == {*crawler.pages, *dead}, crawler.most_busy <= 3


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
