"""A bank that moves money once for each idempotency key. Run by `uvicorn --app-dir examples servers.bank:app --port 8001`.

`GET /calls` tells what it was asked, `GET /moves` what it did. $BANK_DELAY: seconds that each call takes, half of them
before the money moves, half before the answer.
"""

import asyncio
import os
from typing import Annotated, Any

from fastapi import FastAPI, Header, HTTPException

app = FastAPI(title="Bank")
delay = float(os.environ.get("BANK_DELAY", "0"))
calls: list[str] = []  # the keys of all calls
moves: dict[str, dict[str, Any]] = {}  # by key

Key = Annotated[str, Header(alias="Idempotency-Key")]


@app.post("/charges")
async def charge(what: dict[str, Any], key: Key) -> dict[str, Any]:
    return await move(what, key, what["amount"])


@app.post("/refunds")
async def refund(what: dict[str, Any], key: Key) -> dict[str, Any]:
    charged = next(each for each in moves.values() if each["receipt"] == what["receipt"])
    return await move(what, key, -charged["amount"])


async def move(what: dict[str, Any], key: str, amount: int) -> dict[str, Any]:
    calls.append(key)
    await asyncio.sleep(delay / 2)
    if amount > 1000:
        raise HTTPException(402, "that is too much")
    if key not in moves:
        moves[key] = {"order": what["order"], "amount": amount, "receipt": f"receipt-{len(moves) + 1}"}
    await asyncio.sleep(delay / 2)
    return moves[key]


@app.get("/calls")
def show_calls() -> list[str]:
    return calls


@app.get("/moves")
def show_moves() -> list[dict[str, Any]]:
    return list(moves.values())
