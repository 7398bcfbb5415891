# durable: on
"""Tasks know themselves by current_task and see each other by all_tasks."""
import asyncio

from world import effect


def others():
    me = asyncio.current_task()
    return sorted(t.get_name() for t in asyncio.all_tasks() if t is not me)


class Registry:
    def __init__(self):
        self.by_name = {}

    async def member(self, gate):
        me = asyncio.current_task()
        self.by_name[me.get_name()] = me
        await gate.wait()
        return me

    async def nested(self):
        outer = asyncio.current_task()
        inner = await self.plain()
        return inner is outer

    async def plain(self):
        await asyncio.sleep(0)
        return asyncio.current_task()


async def main():
    me = asyncio.current_task()
    me.set_name("conductor")
    registry, gate = Registry(), asyncio.Event()
    await effect("tune")
    alone = others()
    members = [asyncio.create_task(registry.member(gate), name=n) for n in ("violin", "cello", "flute")]
    not_started = others(), sorted(registry.by_name)
    await asyncio.sleep(0)
    waiting = others(), sorted(registry.by_name)
    await effect("raise the baton")
    identity = [registry.by_name[t.get_name()] is t for t in members]

    members[1].cancel()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    without_cello = others()
    gate.set()
    found = await asyncio.gather(members[0], members[2])
    identity += [found[0] is members[0], found[1] is members[2]]

    async def looks_around():
        return asyncio.current_task().get_name(), others()

    views = await asyncio.gather(*(asyncio.create_task(looks_around(), name=n) for n in ("left", "right")))
    identity += [await registry.nested(), asyncio.current_task() is me, me in asyncio.all_tasks()]

    names = []
    asyncio.get_running_loop().call_soon(lambda: names.append(asyncio.current_task()))
    await asyncio.sleep(0)
    finished = sorted(t.get_name() for t in registry.by_name.values() if t.done())
    await effect("bow")
    return alone, not_started, waiting, without_cello, identity, views, names, finished, me.get_name()


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
