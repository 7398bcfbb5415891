# durable: on
"""Several downloads fail and try again with growing pauses, independently of each other."""
import asyncio
import functools

from world import effect, fail


class Unavailable(Exception):
    def __init__(self, url, attempt):
        super().__init__(f"{url} #{attempt}")
        self.attempt = attempt


class GaveUp(Exception):
    pass


def retry(attempts, base=0.01):
    def decorate(function):
        @functools.wraps(function)
        async def wrapper(self, url):
            delays = [base * 2**n for n in range(attempts)]
            failures = []
            for attempt, delay in enumerate(delays, 1):
                try:
                    result = await function(self, url, attempt)
                except Unavailable as error:
                    failures.append(error)
                    self.delays.setdefault(url, []).append(delay)
                    await asyncio.sleep(delay)
                else:
                    return result, len(failures)
            raise GaveUp(url, [e.attempt for e in failures]) from failures[-1]

        return wrapper

    return decorate


class Downloader:
    def __init__(self, failures):
        self.failures = failures
        self.delays = {}

    @retry(3)
    async def get(self, url, attempt):
        if attempt <= self.failures[url]:
            await fail(f"get {url} attempt {attempt}", Unavailable(url, attempt))
        return await effect(f"get {url} attempt {attempt}", url.upper())


async def main():
    downloader = Downloader({"a": 0, "b": 2, "c": 1, "d": 9})
    outcomes = await asyncio.gather(*map(downloader.get, "abcd"), return_exceptions=True)
    gave_up = outcomes.pop()
    cause = gave_up.__cause__

    # first good mirror wins; the losers never answer and are cancelled
    async def mirror(name, answers):
        if not answers:
            await asyncio.sleep(3600)
        return await effect(f"mirror {name}", name)

    mirrors = [asyncio.create_task(mirror(n, n == "m2"), name=n) for n in ("m1", "m2", "m3")]
    done, pending = await asyncio.wait(mirrors, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    await asyncio.wait(pending)
    winner = [t.result() for t in done]
    delays = sorted(downloader.delays.items())
    return outcomes, gave_up.args, str(cause), delays, winner, [t.cancelled() for t in mirrors]


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
