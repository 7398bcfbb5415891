# durable: on
"""Many tasks ask for the same resources at once; each is made exactly once, also after a first failure."""
import asyncio

from world import effect, fail


class Lazy:
    """Double-checked under a lock."""

    def __init__(self, make):
        self.make = make
        self.lock = asyncio.Lock()
        self.value = None
        self.attempts = 0

    async def get(self):
        if self.value is None:
            async with self.lock:
                if self.value is None:
                    self.attempts += 1
                    self.value = await self.make(self.attempts)
        return self.value


class Application:
    def __init__(self):
        self.settings = Lazy(self.load_settings)
        self.database = Lazy(self.connect)
        self.order = []

    async def load_settings(self, attempt):
        await asyncio.sleep(0)
        return await effect(f"load settings {attempt}", {"url": "db://local", "retries": 2})

    async def connect(self, attempt):
        settings = await self.settings.get()
        await asyncio.sleep(0)
        if attempt < settings["retries"]:
            await fail(f"connect {attempt}", ConnectionError(attempt))
        return await effect(f"connect {attempt}", Database(settings))

    async def handle(self, number):
        import asyncio as local_asyncio
        from asyncio import current_task

        try:
            database = await self.database.get()
        except ConnectionError as error:
            self.order.append((number, error.args))
            database = await self.database.get()
        self.order.append((number, current_task() in local_asyncio.all_tasks()))
        return database


class Database:
    def __init__(self, settings):
        self.settings = settings


async def main():
    application = Application()
    settings, *databases = await asyncio.gather(
        application.settings.get(), *(application.handle(n) for n in range(4))
    )
    same = len({id(d) for d in databases}) == 1, databases[0].settings is settings is application.settings.value
    late = await application.handle(9) is application.database.value
    counts = application.settings.attempts, application.database.attempts
    await effect("shut down")
    return same, late, counts, application.order, settings


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
