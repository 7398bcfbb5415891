# durable: on
"""A chat room with sessions of a reader and a writer task each; a slow session is dropped, others do not notice."""
import asyncio

from world import effect


class Session:
    def __init__(self, room, name, lines, limit=8):
        self.room = room
        self.name = name
        self.lines = lines
        self.outbox = asyncio.Queue(limit)
        self.received = []
        self.tasks = []

    def start(self):
        self.tasks = [
            asyncio.create_task(self.read(), name=f"{self.name} reads"),
            asyncio.create_task(self.write(), name=f"{self.name} writes"),
        ]

    async def read(self):
        for line in self.lines:
            self.room.say(self, line)
            await asyncio.sleep(0)
        return len(self.lines)

    async def write(self):
        while True:
            text = await self.outbox.get()
            if self.name == "sleepy":
                await asyncio.Event().wait()
            self.received.append(text)
            if text.endswith("!"):
                await effect(f"{self.name} shows {text}")
            self.outbox.task_done()

    async def close(self):
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        return [task.cancelled() for task in self.tasks]


class Room:
    def __init__(self):
        self.sessions = []
        self.transcript = []
        self.dropped = {}

    def join(self, *args, **kwargs):
        session = Session(self, *args, **kwargs)
        self.sessions.append(session)
        session.start()
        return session

    def say(self, source, line):
        text = f"{source.name}: {line}"
        self.transcript.append(text)
        for session in self.sessions[:]:
            if session is not source:
                try:
                    session.outbox.put_nowait(text)
                except asyncio.QueueFull:
                    self.sessions.remove(session)
                    self.dropped[session.name] = asyncio.create_task(session.close())


async def main():
    room = Room()
    ann = room.join("ann", ["hi", "how are you?", "bye!"])
    bob = room.join("bob", ["hello ann!", "fine"])
    room.join("sleepy", ["zzz"], limit=2)
    sent = [await session.tasks[0] for session in room.sessions[:2]]
    await asyncio.wait(room.dropped.values())
    await asyncio.gather(ann.outbox.join(), bob.outbox.join())
    dropped = {name: task.result() for name, task in room.dropped.items()}
    for text in ("ann: bye!", "bob: hello ann!"):
        await effect(f"archive {text}")
    closed = [await s.close() for s in room.sessions]
    return room.transcript, sent, dropped, ann.received, bob.received, closed


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
