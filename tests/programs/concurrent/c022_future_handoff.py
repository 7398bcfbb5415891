# durable: on
"""Bare futures carry results, errors and cancellations from one task to others."""
import asyncio

from world import effect, fail


class NoSuchRoom(Exception):
    pass


class Reception:
    def __init__(self, loop):
        self.loop = loop
        self.keys = {}
        self.log = []

    def key(self, room):
        if room not in self.keys:
            self.keys[room] = self.loop.create_future()
        return self.keys[room]

    async def guest(self, name, room):
        try:
            key = await self.key(room)
        except NoSuchRoom as error:
            self.log.append((name, "refused", error.args[0]))
            return error
        except asyncio.CancelledError:
            self.log.append((name, "key withdrawn", self.key(room).cancelled()))
            return None
        self.log.append((name, key))
        return key

    async def clerk(self):
        self.key(101).set_result(await effect("cut key 101", ["key 101"]))
        await asyncio.sleep(0)
        try:
            await fail("look for 999", NoSuchRoom(999))
        except NoSuchRoom as error:
            self.key(999).set_exception(error)
        await asyncio.sleep(0)
        self.key(7).cancel("flooded")
        try:
            self.key(101).set_result("again")
        except asyncio.InvalidStateError:
            self.log.append("101 is given out")


async def main():
    reception = Reception(asyncio.get_running_loop())
    guests = [("ann", 101), ("bob", 999), ("cid", 101), ("dot", 7), ("eve", 101)]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(reception.guest(*g)) for g in guests]
        group.create_task(reception.clerk())
    keys = [t.result() for t in tasks]
    shared = keys[0] is keys[2] is keys[4] is reception.key(101).result()
    errors = keys[1] is reception.key(999).exception()

    ready = reception.loop.create_future()
    ready.set_result("ready before anybody asks")
    early = await reception.guest("fay", 101), await ready
    await effect("close")
    return reception.log, [repr(k) for k in keys], shared, errors, early


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
