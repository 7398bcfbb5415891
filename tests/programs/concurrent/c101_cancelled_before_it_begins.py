# durable: on
"""Tasks that are cancelled before their first step never begin, also when they are saved in between."""
import asyncio

from world import effect

log = []


async def child(name):
    log.append(f"{name} began")
    try:
        await asyncio.sleep(30)
    finally:
        log.append(f"{name} cleans up")


async def children():
    yield 1
    log.append("never asked for")
    yield 2


async def main():
    made = []

    async def cancel_at_once(name, message):
        await effect(f"before {name}")
        made.append(asyncio.create_task(child(name), name=name))
        made[-1].cancel(message)

    # the step of each child is due in the same round in which other effects end: a checkpoint lies in between
    await asyncio.gather(*(cancel_at_once(name, f"not you, {name}") for name in ("ann", "bob", "cid")))
    seen = await asyncio.gather(*made, effect("in the meantime"), return_exceptions=True)
    generator = children()
    step = asyncio.ensure_future(anext(generator))
    step.cancel("nor you")
    more = await asyncio.gather(step, effect("and again"), return_exceptions=True)
    await generator.aclose()
    ends = sorted(type(e).__name__ + repr(e.args) for e in [*seen, *more] if isinstance(e, BaseException))
    return log, ends, sorted(t.get_name() for t in made if t.cancelled()), step.cancelled()


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
