"""The programs of ``benchmarks.held`` by plain asyncio: in a process in which nothing has installed the hook."""

import asyncio
from typing import Any


def natively(name: str, *arguments: Any) -> float:
    """What one of them gives, in seconds."""
    from benchmarks import held  # not before the hook of a process that measures ours

    return float(asyncio.run(getattr(held, name)(*arguments)))
