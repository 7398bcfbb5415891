# durable: on
"""Async iteration, context managers, closures and exceptions combined in one pipeline class."""
import asyncio

from world import effect


class Pipeline:
    def __init__(self, source):
        self.source, self.stages, self.errors = source, [], []

    def stage(self, function):
        self.stages.append(function)
        return self

    def __or__(self, function):
        return self.stage(function)

    async def __aenter__(self):
        await effect("open")
        return self

    async def __aexit__(self, kind, error, traceback):
        self.errors.append(repr(error))
        await effect("close")
        return isinstance(error, StopPipeline)

    async def __aiter__(self):
        for item in self.source:
            try:
                for stage in self.stages:
                    item = await stage(item)
                    if item is None:
                        break
                else:
                    yield item
                    continue
                self.errors.append("dropped")
            except ValueError as error:
                self.errors.append(str(error))
                yield await effect("replacement", "?")


class StopPipeline(Exception):
    pass


async def main():
    seen = 0

    async def parse(text):
        nonlocal seen
        seen += 1
        return int(await effect(f"parse-{text}", text))

    async def odd_only(n):
        return n if n % 2 else None

    out = []
    async with Pipeline(iter(["1", "2", "x", "5", "7", "9"])) as pipe:
        async for value in pipe | parse | odd_only:
            out.append((value, seen))
            if value == 7:
                raise StopPipeline(next(pipe.source))
    return out, pipe.errors, list(pipe.source)


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
