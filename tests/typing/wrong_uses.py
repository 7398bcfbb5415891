"""Mistakes that a type checker has to find. Each says which error it is by what it ignores; one that is not found is told."""

from __future__ import annotations

import durable_import
from durable_import import (
    DurableBackend,
    DurableRuntime,
    InstanceHandle,
    StateStore,
    explain,
    install,
    make_durable,
    wait_for_event,
)


async def price(order: str, discount: float = 0.0) -> int:
    """A durable function."""
    return round(len(order) * discount)


def plain() -> int:
    """No async function."""
    return 1


@make_durable
async def greet(name: str) -> str:
    """One that was made durable."""
    return name


async def arguments(runtime: DurableRuntime) -> None:
    """Those of an instance are those of its function."""
    await runtime.run(price)  # type: ignore[call-overload]
    await runtime.run(price, 3)  # type: ignore[call-overload]
    await runtime.run(price, "a", discount="b")  # type: ignore[arg-type]
    await runtime.start(price, "a", 0.5, "b")  # type: ignore[call-overload]
    await runtime.start(price, "a", rebate=0.5)  # type: ignore[call-arg]
    await runtime.start(greet, 3)  # type: ignore[call-overload]


async def functions(runtime: DurableRuntime) -> None:
    """It is given the function, an async one, not a call of it."""
    await runtime.run(price("a"))  # type: ignore[call-overload]
    await runtime.run(plain)  # type: ignore[call-overload]
    await runtime.start(plain, instance_id="x")  # type: ignore[arg-type]
    make_durable(plain)  # type: ignore[arg-type]
    explain("price")  # type: ignore[arg-type]


async def ids(runtime: DurableRuntime) -> None:
    """Names are text."""
    await runtime.run(price, "a", instance_id=3)  # type: ignore[call-arg]
    runtime.handle(3)  # type: ignore[arg-type]
    await wait_for_event(3)  # type: ignore[arg-type]


async def results(runtime: DurableRuntime, handle: InstanceHandle[int]) -> None:
    """What an instance gives is what its function returns."""
    text: str = await runtime.run(price, "a")  # type: ignore[call-overload]
    text = await handle.result()  # type: ignore[assignment]
    other: InstanceHandle[str] = await runtime.start(price, "a", instance_id="x")  # type: ignore[arg-type]
    assert await handle.status() != "complete"  # type: ignore[comparison-overlap]
    print(text, other)


async def programs(backend: DurableBackend) -> None:
    """A program takes what its function takes."""
    await greet(3)  # type: ignore[call-overload]
    await greet()  # type: ignore[call-overload]
    await greet("Ada", orchestration_backend="memory:")  # type: ignore[call-overload]
    greet.create_call(3)  # type: ignore[arg-type]
    number: int = await greet("Ada", orchestration_backend=backend)  # type: ignore[assignment]
    print(number)


def options() -> None:
    """Options have types, and are known."""
    DurableRuntime(3)  # type: ignore[arg-type]
    DurableRuntime("memory:", key="secret")  # type: ignore[arg-type]
    DurableRuntime("memory:", lease=5)  # type: ignore[call-arg]
    install(3)  # type: ignore[arg-type]
    StateStore()  # type: ignore[abstract]
    durable_import.nonsense  # type: ignore[attr-defined]  # noqa: B018
    durable_import.stores.nonsense  # type: ignore[attr-defined]  # noqa: B018
