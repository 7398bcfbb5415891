"""An order service whose orders survive: an ordinary FastAPI app that starts, asks and cancels durable instances.

Install the extra `examples`, then run a bank to charge and the service:

    uvicorn --app-dir examples servers.bank:app --port 8001
    BANK_URL=http://127.0.0.1:8001 uvicorn --app-dir examples order_service.app:app --port 8000

Order, kill the service as often as you like (kill -9 PID) and start it again, approve, and ask for the result:

    curl -X POST localhost:8000/orders -H 'Content-Type: application/json' -d '{"id": "A1", "item": "teapot", "price": 25}'
    curl -X POST localhost:8000/orders/A1/approval -H 'Content-Type: application/json' -d '{"approved": true}'
    curl 'localhost:8000/orders/A1?wait=30'

This module is not marked: requests come and go, orders stay. The bank charges once for each order, whatever is killed.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from durable_import import (
    DurableRuntime,
    InstanceCancelledError,
    InstanceFinishedError,
    InstanceMismatchError,
    UnknownInstanceError,
    current_runtime,
)

from .workflows import Order, PaymentRefusedError, fulfil

STORE = os.environ.get("ORDER_STORE", "sqlite:///.durable/orders.db")


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """All that it takes: a runtime for the whole process, which goes on with the orders that a dead one has left."""
    async with DurableRuntime(STORE) as runtime:
        runtime.activate()
        await runtime.recover()
        yield


app = FastAPI(title="Orders", lifespan=lifespan)
Runtime = Annotated[DurableRuntime, Depends(current_runtime)]


class Approval(BaseModel):
    approved: bool


@app.post("/orders", status_code=202)
async def create_order(order: Order, runtime: Runtime) -> dict[str, Any]:
    """Begin an order; the same one again is no other order."""
    handle = await runtime.start(fulfil, order, instance_id=order.id)
    return {"id": order.id, "status": await handle.status()}


@app.get("/orders/{order_id}")
async def show_order(order_id: str, runtime: Runtime, wait: float = 0) -> dict[str, Any]:
    """How an order stands; waits up to ``wait`` seconds for its end."""
    handle = runtime.handle(order_id)
    result: Any = None
    try:
        result = await handle.result(timeout=wait)
    except PaymentRefusedError as error:
        result = str(error)
    except (TimeoutError, InstanceCancelledError):
        pass  # the status says it
    return {"id": order_id, "status": await handle.status(), "result": result}


@app.post("/orders/{order_id}/approval", status_code=202)
async def approve_order(order_id: str, approval: Approval, runtime: Runtime) -> dict[str, Any]:
    """Let an order that was paid be shipped, or refunded."""
    handle = runtime.handle(order_id)
    await handle.status()  # for an order that does not exist the event would be kept until it does
    await handle.send("approval", approval.approved)
    return {"id": order_id, "approved": approval.approved}


@app.delete("/orders/{order_id}", status_code=202)
async def cancel_order(order_id: str, runtime: Runtime) -> dict[str, Any]:
    """Undo an order that has not ended."""
    return {"id": order_id, "cancelling": await runtime.handle(order_id).cancel()}


@app.exception_handler(UnknownInstanceError)
async def not_found(_: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, status_code=404)


@app.exception_handler(InstanceFinishedError)
@app.exception_handler(InstanceMismatchError)
async def conflict(_: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, status_code=409)
