# durable: on
"""Dependencies are async context managers resolved by parameter name, shared in a request, and closed in reverse."""
import asyncio
import inspect

from world import effect, fail


PROVIDERS = {}


def provider(fn):
    PROVIDERS[fn.__name__] = fn
    return fn


class Provided:
    def __init__(self, name, scope):
        self.name = name
        self.scope = scope

    async def __aenter__(self):
        arguments = await self.scope.resolve(PROVIDERS[self.name])
        self.source = PROVIDERS[self.name](**arguments)
        return await anext(self.source)

    async def __aexit__(self, kind, error, trace):
        if error is None:
            await anext(self.source, None)
        else:
            try:
                await self.source.athrow(error)
            except StopAsyncIteration:
                return True
            except BaseException as other:
                if other is not error:
                    raise
        return False


class Scope:
    def __init__(self):
        self.values = {}
        self.open = []

    async def get(self, name):
        if name not in self.values:
            manager = Provided(name, self)
            self.values[name] = await manager.__aenter__()
            self.open.append(manager)
        return self.values[name]

    async def resolve(self, fn):
        return {name: await self.get(name) for name in inspect.signature(fn).parameters}

    async def __aenter__(self):
        return self

    async def __aexit__(self, kind, error, trace):
        while self.open:
            if await self.open.pop().__aexit__(type(error), error, trace):
                error = None
        return kind is not None and error is None


LOG = []


@provider
async def config():
    yield {"url": await effect("read config", "db://x")}
    LOG.append("config closed")


@provider
async def database(config):
    connection = [await effect("connect", config["url"])]
    try:
        yield connection
        LOG.append("committed")
    except ValueError as error:
        LOG.append(f"rolled back {error}")
        await effect("rollback")
    finally:
        connection.clear()


@provider
async def user(database, config):
    yield f"user of {database[0]} and {len(config)}"
    LOG.append(await effect("user closed", "user closed"))


async def endpoint(user, database):
    database.append(await effect("work", 1))
    return user, list(database)


async def failing(user):
    await fail("failing", ValueError("bad"))


async def main():
    out = []
    for fn in (endpoint, failing):
        async with Scope() as scope:
            out.append(await fn(**await scope.resolve(fn)))
        out.append((sorted(scope.values), len(scope.open)))
    return out, LOG


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
