# durable: on
"""Requests are numbered, answered in batches and out of order; each caller gets its own answer by a future."""
import asyncio
import itertools

from world import effect


class Channel:
    def __init__(self):
        self.numbers = itertools.count(1)
        self.pending = {}
        self.outbox = asyncio.Queue()
        self.answered = []

    async def call(self, method, *params):
        number = next(self.numbers)
        self.pending[number] = future = asyncio.get_running_loop().create_future()
        await self.outbox.put({"id": number, "method": method, "params": params})
        try:
            return await future
        finally:
            del self.pending[number]

    def receive(self, answer):
        future = self.pending.get(answer["id"])
        if future is None or future.done():
            self.answered.append(("stray", answer["id"]))
            return
        self.answered.append(answer["id"])
        if "error" in answer:
            future.set_exception(RuntimeError(answer["error"]))
        else:
            future.set_result(answer["result"])


class Server:
    def __init__(self, channel):
        self.channel = channel

    async def serve(self, batch_size):
        batch = []
        while True:
            batch.append(await self.channel.outbox.get())
            if len(batch) == batch_size:
                ids = "+".join(str(r["id"]) for r in batch)
                await effect(f"batch {ids}")
                for request in reversed(batch):
                    self.channel.receive(self.answer(request))
                self.channel.receive({"id": 1000, "result": None})
                batch = []

    def answer(self, request):
        match request:
            case {"id": n, "method": "add", "params": (a, b)}:
                return {"id": n, "result": a + b}
            case {"id": n, "method": "echo", "params": params}:
                return {"id": n, "result": params}
            case {"id": n, "method": method}:
                return {"id": n, "error": f"no method {method}"}


async def client(channel, finished, *request):
    try:
        answer = await channel.call(*request)
    except RuntimeError as error:
        answer = str(error)
    finished.append(request)
    return answer


async def main():
    channel, finished = Channel(), []
    server = asyncio.create_task(Server(channel).serve(3))
    requests = [("add", 1, 2), ("echo", "x"), ("drop",), ("add", "a", "b"), ("echo",), ("add", 0, 0)]
    answers = await asyncio.gather(*(client(channel, finished, *r) for r in requests))
    lost = asyncio.create_task(channel.call("echo", "nobody answers"))
    await asyncio.sleep(0)
    waiting = sorted(channel.pending)
    lost.cancel()
    await asyncio.wait([lost])
    server.cancel()
    return answers, finished, channel.answered, waiting, channel.pending, next(channel.numbers)


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
