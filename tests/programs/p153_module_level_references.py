# durable: on
"""Loggers, sentinels, enums, instances, locks and dispatch tables of the module are restored by reference."""
import asyncio
import enum
import logging
import threading

from world import effect


logger = logging.getLogger("p153")
MISSING = object()
DEFAULTS = {"colour": "red"}
LOCK = threading.Lock()


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Client:
    def __init__(self, url):
        self.url = url
        self.lock = threading.Lock()


CLIENT = Client("http://example")


def double(x):
    return x * 2


async def triple(x):
    return await effect(f"triple {x}", x * 3)


DISPATCH = {"double": double, "triple": triple, Colour.RED: str.upper}


def lookup(key, default=MISSING):
    return "missing" if default is MISSING else default


async def main():
    log, client, missing, lock, table, colour = logger, CLIENT, MISSING, LOCK, DISPATCH, Colour.RED
    handler = table["double"]
    method = client.url.upper
    await effect("one")
    holder = {"client": client, "missing": missing, "log": log, "defaults": DEFAULTS}
    await effect("two")
    with lock:
        inside = LOCK.locked()
    checks = [log is logger, client is CLIENT, missing is MISSING, table is DISPATCH, colour is Colour.RED, handler is double]
    checks += [holder["client"] is CLIENT, holder["defaults"] is DEFAULTS, client.lock is CLIENT.lock, inside]
    out = [lookup("k"), lookup("k", holder["missing"]), lookup("k", 1), await table["triple"](3), table[colour]("x")]
    return checks, out, method(), Colour("blue").name


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
