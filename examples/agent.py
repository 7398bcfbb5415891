# durable: on
"""An agent: a model that calls tools, several at a time, for no more money than allowed; what cannot be undone, a human allows.

It speaks to any server with OpenAI's chat interface: one that costs nothing is here (needs the extra `examples`).

    uvicorn --app-dir examples servers.model:app --port 8002
    python -m durable_import run --instance report examples/agent.py --budget 0.05 "How long are Python's modules?"
    python -m durable_import send report approval '"yes"'

Kill it as often as you like (kill -9 PID) and run the same command again: the conversation, and tools that were at work,
go on where they were. A call of the model that is killed is made again, and paid for twice. The program cannot know that,
since for it that is one call; so each attempt is written down in a ledger before it is made, and no attempt is made that
could exceed the budget.
"""

import argparse
import asyncio
import importlib.util
import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx

from durable_import import current_instance, wait_for_event

URL = os.environ.get("OPENAI_BASE_URL", "http://127.0.0.1:8002/v1")
API_KEY = os.environ.get("OPENAI_API_KEY", "none")  # a text of the module is not in the state; a dict of it would be
MODEL = os.environ.get("OPENAI_MODEL", "gpt-4o")
PROMPT_PRICE, ANSWER_PRICE = 2.5e-6, 1e-5  # dollars for a token
LONGEST_ANSWER = 500  # tokens

Message = dict[str, Any]


class BudgetSpentError(Exception):
    """The next call could cost more than what is left."""


class Model:
    """Calls a model within a budget in dollars, of which ``ledger``, a file, knows what was spent."""

    def __init__(self, budget: float, ledger: Path) -> None:
        self.budget = budget
        self.ledger = ledger

    def spent(self) -> float:
        """Dollars; attempts that never ended count as if they had cost as much as they could."""
        return sum(map(float, self.ledger.read_text().split())) if self.ledger.exists() else 0.0

    def book(self, dollars: float) -> None:
        self.ledger.parent.mkdir(parents=True, exist_ok=True)
        with self.ledger.open("a") as file:
            file.write(f"{dollars:+.6f}\n")

    def ask(self, messages: list[Message]) -> Message:
        """The next message. Called in a thread, it is one step: it runs again as a whole if it is killed."""
        request = {"model": MODEL, "messages": messages, "tools": TOOLS, "max_completion_tokens": LONGEST_ANSWER}
        most = len(json.dumps(request).encode()) * PROMPT_PRICE + LONGEST_ANSWER * ANSWER_PRICE  # a token has a byte or more
        if self.spent() + most > self.budget:
            raise BudgetSpentError(f"${self.spent():.4f} of ${self.budget} are spent, the next call may cost ${most:.4f}")
        self.book(most)
        headers = {"Authorization": f"Bearer {API_KEY}"}
        reply = httpx.post(f"{URL}/chat/completions", json=request, headers=headers, timeout=60).raise_for_status().json()
        usage = reply["usage"]
        self.book(usage["prompt_tokens"] * PROMPT_PRICE + usage["completion_tokens"] * ANSWER_PRICE - most)
        message: Message = reply["choices"][0]["message"]
        return message


async def count_lines(module: str) -> str:
    """Count the lines of a module of Python's standard library."""
    await asyncio.sleep(0.2)  # it could take long
    spec = importlib.util.find_spec(module)
    source = await asyncio.to_thread(Path(spec.origin).read_text) if spec and spec.origin else ""
    return f"{module} has {len(source.splitlines())}"


async def publish(text: str) -> str:
    """Publish a text, for all to see, if a human allows it."""
    me = current_instance()
    print(f'May this be published: "{text}"? Answer by: python -m durable_import send {me and me.id} approval \'"yes"\'')
    answer = await wait_for_event("approval")
    if answer != "yes":
        return f"it may not be published: {answer}"
    print(f"Published: {text}")
    return "it is published"


FUNCTIONS: dict[str, Callable[..., Awaitable[str]]] = {"count_lines": count_lines, "publish": publish}
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": name,
            "description": function.__doc__,
            "parameters": {"type": "object", "properties": {argument: {"type": "string"}}, "required": [argument]},
        },
    }
    for (name, function), argument in zip(FUNCTIONS.items(), ["module", "text"], strict=True)
]


async def use_tool(call: dict[str, Any]) -> Message:
    """Do what the model asks for; an error is an answer as well."""
    name, arguments = call["function"]["name"], call["function"]["arguments"]
    try:
        answer = await FUNCTIONS[name](**json.loads(arguments))
    except Exception as error:
        answer = f"{type(error).__name__}: {error}"
    return {"role": "tool", "tool_call_id": call["id"], "content": answer}


async def main(question: str, budget: float, ledger: Path) -> None:
    model = Model(budget, ledger)
    messages: list[Message] = [{"role": "user", "content": question}]
    while True:
        try:
            message = await asyncio.to_thread(model.ask, messages)
        except BudgetSpentError as error:
            print(f"That is all for this money: {error}")
            break
        messages.append(message)
        if not message.get("tool_calls"):
            print(message["content"])
            break
        messages += await asyncio.gather(*map(use_tool, message["tool_calls"]))
        print(f"{len(messages)} messages, ${model.spent():.4f}: {messages[-1]['content']}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Answer a question.")
    parser.add_argument("question")
    parser.add_argument("--budget", type=float, default=0.05, metavar="DOLLARS", help="all that may be spent (default: 0.05)")
    parser.add_argument("--ledger", type=Path, default=Path(".durable/ledger"), metavar="FILE", help="what was spent")
    options = parser.parse_args()
    asyncio.run(main(options.question, options.budget, options.ledger))
