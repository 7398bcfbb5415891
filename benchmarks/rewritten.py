"""What rewritten code costs while no runtime exists: each workload rewritten and as it is, in one process, in turns.

A pair is the fastest of several short runs of each, so that what else the machine does disturbs little. A handler of FastAPI is
asked over HTTP on loopback; its server, with both variants of it, is a process of its own.
"""

from __future__ import annotations

import contextlib
import math
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from benchmarks.loading import both
from benchmarks.measuring import Pair, apart
from benchmarks.table import ROOT, Row, at_most

EACH, ALL = 1.15, 1.05  # at most: each ratio, the geometric mean of all
WORKLOADS = {  # function, how it is shown, how often it does its work in a run
    "trivial_await": ("`await f()`", 10_000),
    "add_awaited": ("`t += await f()`", 10_000),
    "handler_mix": ("request handler", 300),
    "sync_loop": ("sync function of a durable module", 4000),
    "asynchronous_comprehension": ("asynchronous comprehensions", 300),
    "asynchronous_generator": ("asynchronous generator", 5000),
    "closures": ("functions with captured variables", 5000),
}
REPEATS = 12  # short runs of each variant in a pair
REQUESTS = 60  # in a short run


def rows(runs: int) -> Iterator[Row]:
    """Of the table of targets."""
    ratios = []
    for name, (what, count) in WORKLOADS.items():
        pair = Pair(*map(tuple, apart(measure, name, count, runs)))
        ratios.append(pair.ratio)
        yield at_most(EACH, f"without a runtime: {what}, rewritten / native", f"{pair} for {count:,}", pair.ratio)
    pair = measure_requests(runs)
    ratios.append(pair.ratio)
    yield at_most(EACH, "without a runtime: FastAPI over HTTP, rewritten / native", f"{pair} for {REQUESTS}", pair.ratio)
    mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
    yield at_most(ALL, "without a runtime: geometric mean of these", "", mean)


def measure(name: str, count: int, runs: int) -> tuple[list[float], list[float]]:
    """Seconds of a workload, rewritten and native."""
    native, rewritten = both("benchmarks.loaded.workloads")

    def runner(module: ModuleType) -> Callable[[], None]:
        function = getattr(module, name)

        def run() -> None:
            with contextlib.suppress(StopIteration):
                function(count).send(None)

        return run

    return pairs(runs, runner(rewritten), runner(native))


def pairs(runs: int, ours: Callable[[], Any], other: Callable[[], Any]) -> tuple[list[float], list[float]]:
    """The fastest of the short runs of both, that often."""
    found: tuple[list[float], list[float]] = ([], [])
    for _ in range(runs):
        fastest = [math.inf, math.inf]
        for repeat in range(REPEATS):
            for which in (0, 1) if repeat % 2 else (1, 0):
                begun = time.perf_counter()
                (ours, other)[which]()
                fastest[which] = min(fastest[which], time.perf_counter() - begun)
        for which in (0, 1):
            found[which].append(fastest[which])
    return found


def serve(port: int) -> None:
    """The service, twice: below ``/native`` and ``/rewritten``; until stdin is closed."""
    import uvicorn
    from fastapi import FastAPI

    app = FastAPI()
    for prefix, module in zip(("/native", "/rewritten"), both("benchmarks.loaded.service"), strict=True):
        app.include_router(module.router, prefix=prefix)
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning"))

    def stop() -> None:
        sys.stdin.read()
        server.should_exit = True

    threading.Thread(target=stop, daemon=True).start()
    server.run()


def measure_requests(runs: int) -> Pair:
    """Seconds of some requests, to the rewritten handler and to the native one."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-c", f"from benchmarks.rewritten import serve; serve({port})"]
    server = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE)
    try:
        return Pair(*map(tuple, apart(ask, port, runs)))
    finally:
        server.communicate()


def ask(port: int, runs: int) -> tuple[list[float], list[float]]:
    """The client."""
    import httpx

    order = {"customer": "Ann", "lines": [{"name": "apple", "amount": 2}, {"name": "pear", "amount": 1}]}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", transport=httpx.HTTPTransport(retries=10)) as client:

        def asking(prefix: str) -> Callable[[], None]:
            def run() -> None:
                for _ in range(REQUESTS):
                    answer = client.post(f"/{prefix}/orders", json=order)
                    assert answer.json()["total"] == 42, answer.text

            return run

        ours, other = asking("rewritten"), asking("native")
        ours()
        other()
        return pairs(runs, ours, other)
