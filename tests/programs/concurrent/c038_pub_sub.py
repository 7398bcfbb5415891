# durable: on
"""A broker fans messages out to subscribers with queues of their own; topics, wildcards and unsubscribing."""
import asyncio
import fnmatch

from world import effect


class Subscription:
    def __init__(self, broker, pattern):
        self.broker = broker
        self.pattern = pattern
        self.queue = asyncio.Queue()

    async def __aenter__(self):
        self.broker.subscriptions.append(self)
        return self

    async def __aexit__(self, *exc):
        self.broker.subscriptions.remove(self)

    def __aiter__(self):
        return self

    async def __anext__(self):
        message = await self.queue.get()
        if message is self.broker.END:
            raise StopAsyncIteration
        return message


class Broker:
    END = object()

    def __init__(self):
        self.subscriptions = []
        self.dropped = []

    async def publish(self, topic, payload):
        message = {"topic": topic, "payload": payload}
        receivers = [s for s in self.subscriptions if fnmatch.fnmatch(topic, s.pattern)]
        for subscription in receivers:
            await subscription.queue.put(message)
        if not receivers:
            self.dropped.append(message)
        return len(receivers)

    def close(self):
        for subscription in self.subscriptions:
            subscription.queue.put_nowait(self.END)


async def listen(broker, pattern, inbox, limit=None):
    async with Subscription(broker, pattern) as messages:
        async for message in messages:
            inbox.append(message)
            if len(inbox) == limit:
                break
    return pattern, len(inbox)


async def main():
    broker = Broker()
    inboxes = {"news/*": [], "news/sport": [], "*": [], "weather": []}
    listeners = [asyncio.create_task(listen(broker, p, inbox)) for p, inbox in inboxes.items()]
    short = []
    leaver = asyncio.create_task(listen(broker, "*", short, limit=2))
    await asyncio.sleep(0)
    counts = []
    for topic, payload in (("news/sport", "2:1"), ("weather", "rain"), ("news/art", "opening"), ("sale", "-10%")):
        counts.append(await broker.publish(topic, await effect(f"write {payload}", payload)))
        for _ in range(3):
            await asyncio.sleep(0)
    broker.close()
    ends = await asyncio.gather(*listeners, leaver)
    await broker.publish("news/late", "too late")
    shared = inboxes["news/*"][0] is inboxes["*"][0] is short[0]
    contents = {p: [m["payload"] for m in inbox] for p, inbox in inboxes.items()}
    return counts, ends, contents, [m["payload"] for m in short], shared, broker.dropped, broker.subscriptions


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
