"""A language model that costs money for each call. Run by `uvicorn --app-dir examples servers.model:app --port 8002`.

It has one idea: to count the lines of some modules, two at a time, to publish a report, and to say so. `GET /calls` tells
what each call has cost, in dollars. $MODEL_DELAY: seconds that a call takes; it is paid for in the middle of them.
"""

import asyncio
import json
import os
from typing import Any

from fastapi import FastAPI

app = FastAPI(title="Model")
delay = float(os.environ.get("MODEL_DELAY", "0.5"))
calls: list[float] = []

MODULES = [("asyncio.tasks", "json.decoder"), ("ast", "dis"), ("csv", "string"), ("argparse", "typing")]


@app.post("/v1/chat/completions")
async def complete(request: dict[str, Any]) -> dict[str, Any]:
    """What to answer depends on the conversation so far, and on nothing else."""
    messages = request["messages"]
    answers = [message["content"] for message in messages if message["role"] == "tool"]
    turn = sum(message["role"] == "assistant" for message in messages)
    if turn < len(MODULES):
        reply = say(None, *(("count_lines", {"module": name}) for name in MODULES[turn]))
    elif turn == len(MODULES):
        reply = say(None, ("publish", {"text": "Lines of code: " + "; ".join(answers)}))
    else:
        reply = say(f"The report: {answers[-1]}.")
    usage = {"prompt_tokens": len(json.dumps(messages)) // 4, "completion_tokens": len(json.dumps(reply)) // 4}
    await asyncio.sleep(delay / 2)
    calls.append(usage["prompt_tokens"] * 2.5e-6 + usage["completion_tokens"] * 1e-5)
    await asyncio.sleep(delay / 2)
    return {"choices": [{"message": reply}], "usage": usage}


def say(text: str | None, *calls: tuple[str, dict[str, str]]) -> dict[str, Any]:
    """A message of the model, with calls of tools."""
    tools = [
        {"id": f"call-{name}-{number}", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
        for number, (name, arguments) in enumerate(calls)
    ]
    return {"role": "assistant", "content": text, **({"tool_calls": tools} if tools else {})}


@app.get("/calls")
def show_calls() -> list[float]:
    return calls
