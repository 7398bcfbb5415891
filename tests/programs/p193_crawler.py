# durable: on
"""A crawler with a deque, a visited set, depth limit and per-host counts follows links until the page budget is spent."""
import asyncio
import collections
from urllib.parse import urljoin, urlsplit

from world import effect, fail


SITE = {
    "http://a/": ["/one", "two?x=1", "http://b/"],
    "http://a/one": ["/", "../one", "/missing"],
    "http://a/two?x=1": ["http://b/deep", "#frag"],
    "http://b/": ["/deep", "http://a/one"],
    "http://b/deep": ["/deeper"],
    "http://b/deeper": ["/deepest"],
}


class NotFound(Exception):
    pass


class Crawler:
    def __init__(self, start, *, depth, pages):
        self.queue = collections.deque([(start, 0)])
        self.seen = {start}
        self.hosts = collections.defaultdict(list)
        self.errors = []
        self.depth = depth
        self.pages = pages

    async def fetch(self, url):
        if url not in SITE:
            await fail(f"get {url}", NotFound(url))
        return await effect(f"get {url}", SITE[url])

    async def links(self, url):
        for link in await self.fetch(url):
            absolute = urljoin(url, link).partition("#")[0]
            if absolute not in self.seen:
                yield absolute

    async def run(self):
        order = []
        while self.queue and len(order) < self.pages:
            url, depth = self.queue.popleft()
            order.append(url)
            try:
                async for link in self.links(url):
                    self.seen.add(link)
                    if depth < self.depth:
                        self.queue.append((link, depth + 1))
            except NotFound as error:
                self.errors.append(error)
            else:
                self.hosts[urlsplit(url).netloc].append(depth)
        return order


async def main():
    crawler = Crawler("http://a/", depth=2, pages=8)
    order = await crawler.run()
    await effect("report")
    return order, sorted(crawler.seen), dict(crawler.hosts), [e.args for e in crawler.errors], list(crawler.queue)


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
