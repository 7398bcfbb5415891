# durable: on
"""Cache entries expire by timers of their own; touching one prolongs it, expiry tells a listener."""
import asyncio as aio

from world import effect


class ExpiringCache:
    def __init__(self, loop):
        self.loop = loop
        self.values = {}
        self.handles = {}
        self.expired = []
        self.listeners = []

    def put(self, key, value, seconds):
        self.values[key] = value
        self.touch(key, seconds)

    def touch(self, key, seconds):
        if old := self.handles.pop(key, None):
            old.cancel()
        self.handles[key] = self.loop.call_later(seconds, self._expire, key)

    def _expire(self, key):
        del self.handles[key], self.values[key]
        self.expired.append(key)
        for listener in self.listeners[:]:
            listener(key)

    def close(self):
        for handle in self.handles.values():
            handle.cancel()

    async def until_expired(self, *keys):
        missing = set(keys) & self.values.keys()
        empty = self.loop.create_future()

        def listener(key):
            missing.discard(key)
            if not missing:
                self.listeners.remove(listener)
                empty.set_result(sorted(keys))

        if missing:
            self.listeners.append(listener)
        else:
            empty.set_result([])
        return await empty


async def main():
    cache = ExpiringCache(aio.get_running_loop())
    tokens = {name: await effect(f"token for {name}", f"<{name}>") for name in ("ann", "bob", "cid", "dot")}
    cache.put("ann", tokens["ann"], 0.12)
    cache.put("bob", tokens["bob"], 0.01)
    cache.put("cid", tokens["cid"], 0.02)
    cache.put("dot", tokens["dot"], 3600)
    cache.touch("cid", 0.25)
    cache.touch("bob", 0.37)
    waits = await aio.gather(
        cache.until_expired("ann"),
        cache.until_expired("cid", "bob"),
        cache.until_expired("nobody"),
    )
    left = dict(cache.values)
    order = list(cache.expired)
    cache.touch("dot", 0)
    await cache.until_expired("dot")
    cache.put("eve", "<eve>", 3600)
    handle = cache.handles["eve"]
    cache.close()
    await effect("log out")
    return order, waits, left, cache.expired, list(cache.values), handle.cancelled(), cache.listeners


if __name__ == "__main__":
    print(repr(aio.run(main())))
