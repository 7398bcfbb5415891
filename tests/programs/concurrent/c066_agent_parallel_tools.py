# durable: on
"""An agent calls several tools at once per turn, with time limits, errors as messages and a budget."""
import asyncio
import json
from dataclasses import dataclass, field

from world import effect, fail

SCRIPT = [
    [("search", {"q": "lisbon"}), ("weather", {"city": "lisbon"}), ("slow_tool", {})],
    [("calculate", {"a": 6, "b": 0}), ("calculate", {"a": 6, "b": 3}), ("no_such_tool", {})],
    [("delegate", {"topics": ["food", "trams"]})],
    "Pack an umbrella.",
]


@dataclass
class Agent:
    messages: list = field(default_factory=list)
    calls: int = 0
    limits: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))

    async def think(self, turn):
        return await effect(f"think {turn}", SCRIPT[turn])

    async def call(self, number, name, arguments):
        async with self.limits:
            self.calls += 1
            try:
                async with asyncio.timeout(30) as limit:
                    if name == "slow_tool":
                        limit.reschedule(asyncio.get_running_loop().time() + 0.05)
                    result = await TOOLS[name](**arguments)
            except TimeoutError:
                result = {"error": "timed out"}
            except (KeyError, ZeroDivisionError) as error:
                result = {"error": type(error).__name__}
        return {"role": "tool", "call": number, "content": json.dumps(result)}

    async def run(self):
        for turn in range(10):
            reply = await self.think(turn)
            if isinstance(reply, str):
                self.messages.append({"role": "assistant", "content": reply})
                return reply
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(self.call(f"{turn}.{n}", name, arguments), name=name)
                    for n, (name, arguments) in enumerate(reply)
                ]
            self.messages += [task.result() for task in tasks]
        raise RuntimeError("too many turns")


async def search(q):
    return await effect(f"search {q}", [q.title(), len(q)])


async def weather(city):
    return {"city": city, "rain": await effect(f"weather {city}", 0.7)}


async def slow_tool():
    await asyncio.Event().wait()


async def calculate(a, b):
    if b == 0:
        await fail(f"calculate {a}/{b}", ZeroDivisionError())
    return await effect(f"calculate {a}/{b}", a / b)


async def delegate(topics):
    found = await asyncio.gather(*(search(topic) for topic in topics))
    return dict(zip(topics, found, strict=True))


TOOLS = {f.__name__: f for f in (search, weather, slow_tool, calculate, delegate)}


async def main():
    agent = Agent()
    answer = await agent.run()
    return answer, agent.messages, agent.calls, agent.limits.locked()


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
