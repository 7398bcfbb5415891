# durable: on
"""An agent chooses tools until it has an answer, within a budget, with retries and a transcript."""
import asyncio
import json
from dataclasses import dataclass, field

from world import effect


class BudgetExceeded(Exception):
    def __init__(self, spent, limit):
        super().__init__(spent, limit)
        self.spent = spent
        self.limit = limit


class ToolError(Exception):
    pass


@dataclass
class Agent:
    goal: str
    limit: int = 12
    spent: int = 0
    transcript: list = field(default_factory=list)
    memory: dict = field(default_factory=dict)

    def say(self, role, **content):
        self.transcript.append({"role": role, **content})

    def charge(self, n):
        self.spent += n
        if self.spent > self.limit:
            raise BudgetExceeded(self.spent, self.limit)


TOOLS = {}


def tool(cost):
    def register(fn):
        TOOLS[fn.__name__] = (fn, cost)
        return fn

    return register


@tool(cost=2)
async def search(agent, query):
    return await effect(f"search {query}", [f"{query} {n}" for n in range(2)])


@tool(cost=1)
async def flaky(agent):
    attempt = agent.memory["flaky"] = agent.memory.get("flaky", 0) + 1
    await effect(f"flaky {attempt}")
    if attempt < 3:
        raise ToolError(f"attempt {attempt}")
    return "flaky ok"


@tool(cost=3)
async def summarise(agent, key):
    return await effect("summarise", " + ".join(agent.memory[key]))


def plan(agent):
    if "search" not in agent.memory:
        return "search", {"query": agent.goal}
    if agent.memory.get("flaky done") is None:
        return "flaky", {}
    return "summarise", {"key": "search"}


async def call(agent, name, arguments, retries=3):
    fn, cost = TOOLS[name]
    for attempt in range(retries):
        agent.charge(cost)
        try:
            return await fn(agent, **arguments)
        except ToolError as error:
            agent.say("error", attempt=attempt, text=str(error))
            if attempt == retries - 1:
                raise
            await asyncio.sleep(0)
    raise AssertionError


async def run(agent):
    while True:
        name, arguments = await effect("think", plan(agent))
        agent.say("call", name=name, arguments=json.dumps(arguments))
        result = await call(agent, name, arguments)
        agent.say("tool", result=result)
        match name:
            case "search":
                agent.memory["search"] = result
            case "flaky":
                agent.memory["flaky done"] = True
            case "summarise":
                return result


async def main():
    rich, poor = Agent("cats"), Agent("dogs", limit=3)
    answer = await run(rich)
    try:
        await run(poor)
    except BudgetExceeded as error:
        failed = (error.spent, error.limit, error.args)
    return answer, failed, rich.spent, rich.transcript, len(poor.transcript)


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
