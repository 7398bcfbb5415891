# durable: on
"""A read-write lock over a condition: readers share, writers are alone and are preferred."""
import asyncio
from contextlib import asynccontextmanager

from world import effect


class ReadWriteLock:
    def __init__(self):
        self.condition = asyncio.Condition()
        self.readers = 0
        self.writing = False
        self.writers_waiting = 0

    @asynccontextmanager
    async def reading(self):
        async with self.condition:
            await self.condition.wait_for(lambda: not self.writing and not self.writers_waiting)
            self.readers += 1
        try:
            yield self.readers
        finally:
            async with self.condition:
                self.readers -= 1
                if not self.readers:
                    self.condition.notify_all()

    @asynccontextmanager
    async def alone(self):
        async with self.condition:
            self.writers_waiting += 1
            try:
                await self.condition.wait_for(lambda: not self.writing and not self.readers)
                self.writing = True
            finally:
                self.writers_waiting -= 1
        try:
            yield
        finally:
            async with self.condition:
                self.writing = False
                self.condition.notify_all()


class Document:
    def __init__(self):
        self.lock = ReadWriteLock()
        self.text = "v0"
        self.trace = []

    async def read(self, who, turns):
        async with self.lock.reading():
            seen = self.text
            self.trace.append(f"{who}(")
            for _ in range(turns):
                await asyncio.sleep(0)
            assert seen == self.text
            self.trace.append(f"){who}")
        return seen

    async def write(self, who, text, action):
        async with self.lock.alone():
            self.trace.append(f"{who}[")
            self.text = await action
            self.trace.append(f"]{who}")


async def main():
    document = Document()
    seen = await asyncio.gather(
        document.read("a", 4),
        document.read("b", 2),
        document.write("W", "v1", asyncio.sleep(0, "v1")),
        document.read("c", 1),
        document.write("X", "v2", asyncio.sleep(0, "v2")),
        document.read("d", 3),
    )
    trace = " ".join(document.trace)
    document.trace.clear()
    await asyncio.gather(
        document.write("Y", "v3", effect("write v3", "v3")),
        document.write("Z", "v4", effect("write v4", "v4")),
        document.read("e", 1),
    )
    return seen, trace, " ".join(document.trace), document.text, document.lock.readers, document.lock.writing


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
