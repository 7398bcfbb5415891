# durable: on
"""Plugins register themselves by decorators and subclassing, depend on each other and hook into phases."""
import asyncio
import collections

from world import effect


HOOKS = collections.defaultdict(list)


def hook(phase, order=0):
    def mark(fn):
        fn.phases = [*getattr(fn, "phases", ()), (phase, order)]
        return fn

    return mark


class Plugin:
    known = {}
    needs = ()

    def __init_subclass__(cls, **kw):
        super().__init_subclass__(**kw)
        Plugin.known[cls.__name__.lower()] = cls
        for name, member in vars(cls).items():
            for phase, order in getattr(member, "phases", ()):
                HOOKS[phase].append((order, cls, name))

    def __init__(self, app):
        self.app = app


class Metrics(Plugin):
    @hook("stop", order=9)
    async def flush(self):
        return await effect("flush", dict(self.app.counts))

    @hook("request")
    @hook("start")
    async def count(self, *args):
        self.app.counts["calls"] += 1


class Auth(Plugin):
    needs = ("metrics", "store")

    @hook("request", order=-1)
    async def check(self, user):
        self.app.user = await effect(f"check {user}", user.title())
        await self.app.get("store").save("last", self.app.user)


class Store(Plugin):
    needs = ("metrics",)

    def __init__(self, app):
        super().__init__(app)
        self.data = {}

    async def save(self, key, value):
        self.data[key] = await effect(f"save {key}", value)

    @hook("stop")
    async def dump(self):
        return sorted(self.data.items())


class App:
    def __init__(self):
        self.plugins = {}
        self.counts = collections.Counter()
        self.order = []

    def get(self, name):
        return self.plugins[name]

    async def load(self, name):
        if name in self.plugins:
            return
        for need in Plugin.known[name].needs:
            await self.load(need)
        self.plugins[name] = await effect(f"load {name}", Plugin.known[name](self))
        self.order.append(name)

    async def fire(self, phase, *args):
        out = []
        for _, cls, name in sorted(HOOKS[phase], key=lambda h: (h[0], h[2])):
            out.append(await getattr(self.plugins[cls.__name__.lower()], name)(*args))
        return out


async def main():
    app = App()
    await app.load("auth")
    out = [await app.fire("start"), await app.fire("request", "ann"), await app.fire("request", "bob")]
    out.append(await app.fire("stop"))
    return app.order, out, app.user, app.get("auth").app is app


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
