# durable: on
"""A chat session truncates its history by tokens, keeps a summary and pinned messages, and streams replies."""
import asyncio
import itertools
from dataclasses import dataclass, field

from world import effect


@dataclass(slots=True)
class Message:
    id: int
    role: str
    text: str
    pinned: bool = False

    @property
    def tokens(self):
        return len(self.text.split())


@dataclass
class Session:
    limit: int
    messages: list[Message] = field(default_factory=list)
    summary: str = ""
    ids: itertools.count = field(default_factory=lambda: itertools.count(1), repr=False)

    def add(self, role, text, **options):
        self.messages.append(Message(next(self.ids), role, text, **options))
        return self.messages[-1]

    async def truncate(self):
        dropped = []
        while sum(m.tokens for m in self.messages) > self.limit:
            victim = next((m for m in self.messages if not m.pinned), None)
            if victim is None:
                break
            self.messages.remove(victim)
            dropped.append(victim)
        if dropped:
            words = " ".join(m.text.split()[0] for m in dropped)
            self.summary = await effect(f"summarise {len(dropped)}", f"{self.summary} {words}".strip())
        return dropped

    async def stream(self, prompt):
        for word in reversed(prompt.split()):
            yield await effect(f"token {word}", word)

    async def ask(self, prompt):
        self.add("user", prompt)
        reply = self.add("assistant", "")
        async for word in self.stream(prompt):
            reply.text = f"{reply.text} {word}".strip()
        return reply, await self.truncate()


async def main():
    session = Session(limit=10)
    session.add("system", "be kind", pinned=True)
    first, _ = await session.ask("one two three")
    await effect("between")
    out = [first.text]
    for prompt in ("four five", "six seven eight"):
        reply, dropped = await session.ask(prompt)
        out.append((reply.text, [m.id for m in dropped], reply is session.messages[-1], first in dropped))
    return out, session.summary, session.messages, next(session.ids)


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
