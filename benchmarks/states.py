"""What the durable functions that are measured have in their variables."""

import os
from typing import Any

LARGE = {  # 10 MB
    "bytes": "bytes",
    "str": "a str",
    "dicts": "a list of 100,000 small dicts",
}


def state_of(kind: str) -> Any:
    """A new one, to which nothing else refers: of ``LARGE``, ``order`` (1 KB) or ``nothing``."""
    if kind == "bytes":
        return os.urandom(10_000_000)
    if kind == "str":
        return os.urandom(5_000_000).hex()
    if kind == "dicts":
        return [{"id": number, "name": f"number {number}", "price": number / 8} for number in range(100_000)]
    if kind == "order":
        return {
            "customer": {"id": 4711, "name": "Ada Lovelace", "email": "ada@example.org", "vip": True},
            "lines": [{"article": f"A-{number:05}", "quantity": number, "price": number * 1.25} for number in range(22)],
            "note": "leave it with the neighbours " * 5,
        }
    return ()
