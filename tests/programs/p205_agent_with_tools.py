# durable: on
"""An agent's loop: the model's answers choose tools from a registry of decorated functions."""
import asyncio
import functools

from world import effect

TOOLS = {}


def tool(name=None, *, tries=1):
    def decorate(function):
        @functools.wraps(function)
        async def inner(**arguments):
            for attempt in range(tries):
                try:
                    return await function(**arguments)
                except RuntimeError as error:
                    if attempt == tries - 1:
                        return f"{type(error).__name__}: {error}"
                    await effect(f"wait {attempt}")
            return None

        TOOLS[name or function.__name__] = inner
        return inner

    return decorate


@tool()
async def search(query):
    return await effect(f"search {query}", "Paris")


@tool("calc")
async def calculate(left, right):
    return str(await effect("calc", left * right))


@tool(tries=2)
async def broken():
    await effect("broken")
    raise RuntimeError("out of order")


PLAN = [("search", {"query": "capital"}), ("calc", {"left": 6, "right": 7}), ("broken", {})]


async def model(messages):
    used = sum(message["role"] == "tool" for message in messages)
    if used < len(PLAN):
        name, arguments = PLAN[used]
        return await effect(f"model {used}", {"role": "assistant", "calls": [{"name": name, "arguments": arguments}]})
    found = [message["content"] for message in messages if message["role"] == "tool"]
    return await effect("model answers", {"role": "assistant", "content": found})


async def main():
    messages = [{"role": "user", "content": "help"}]
    while True:
        reply = await model(messages)
        messages.append(reply)
        match reply:
            case {"calls": [*calls]}:
                for call in calls:
                    result = await TOOLS[call["name"]](**call["arguments"])
                    messages.append({"role": "tool", "content": result})
            case {"content": [*answer]}:
                return answer, len(messages)



if __name__ == "__main__":
    print(repr(asyncio.run(main())))
