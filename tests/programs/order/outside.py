"""What the errands do outside: effects that are noted in the journal. This module is not rewritten: each call is a leaf."""
import asyncio
import random

from durable_import import current_runtime
from tests.harness.journal import noted


async def wait(name, effect, known):
    with noted(name, effect, known):
        await asyncio.sleep(random.uniform(0, 0.01))
    return "waited"


async def do(name, effect, known):
    with noted(name, effect, known):
        return "done"


def work(name, effect, known):
    """For a thread."""
    with noted(name, effect, known, "beside"):
        return "worked"


async def fail(name, effect, known):
    with noted(name, effect, known):
        await asyncio.sleep(0)
        raise LookupError(effect)


async def fail_at_once(name, effect, known):
    with noted(name, effect, known):
        raise LookupError(effect)


async def hang(name, effect, known):
    with noted(name, effect, known):
        await asyncio.Event().wait()


async def ask(name, effect, known):
    """Somebody answers."""
    with noted(name, effect, known):
        await asyncio.sleep(0.01)
        await current_runtime().publish_event(name, "answer", "yes")
    return "asked"
