# durable: on
"""A data loader gathers the keys asked for in one turn of the loop and loads them in one batch."""
import asyncio

from world import effect, fail

USERS = {1: "ann", 2: "bob", 3: "cid", 4: "dot"}
FRIENDS = {1: [2, 3], 2: [1], 3: [4, 1, 2], 4: []}


class DataLoader:
    def __init__(self, batch_load, limit=10):
        self.batch_load = batch_load
        self.limit = limit
        self.cache = {}
        self.queue = []
        self.tasks = set()
        self.batches = []

    def load(self, key):
        if key not in self.cache:
            loop = asyncio.get_running_loop()
            self.cache[key] = loop.create_future()
            if not self.queue:
                loop.call_soon(self.dispatch)
            self.queue.append(key)
        return self.cache[key]

    def dispatch(self):
        while self.queue:
            batch, self.queue = self.queue[: self.limit], self.queue[self.limit :]
            self.batches.append(batch)
            task = asyncio.create_task(self.run(batch))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    async def run(self, keys):
        try:
            values = await self.batch_load(keys)
        except LookupError as error:
            for key in keys:
                self.cache.pop(key).set_exception(error)
        else:
            for key, value in zip(keys, values, strict=True):
                self.cache[key].set_result(value)


async def load_users(keys):
    missing = [k for k in keys if k not in USERS]
    if missing:
        await fail(f"load users {keys}", LookupError(*missing))
    return await effect(f"load users {keys}", [USERS[k] for k in keys])


async def load_friends(keys):
    return await effect(f"load friends {keys}", [FRIENDS[k] for k in keys])


async def friend_names(users, friends, key):
    ids = await friends.load(key)
    return await asyncio.gather(*map(users.load, ids))


async def main():
    users, friends = DataLoader(load_users), DataLoader(load_friends, limit=2)
    first = await asyncio.gather(users.load(1), users.load(2), users.load(1))
    names = [await friend_names(users, friends, 3)]
    both = await asyncio.gather(friends.load(1), friends.load(2), friends.load(4), friends.load(3))
    names += await asyncio.gather(*(friend_names(users, friends, key) for key in (1, 2, 4)))
    same = both[3] is FRIENDS[3], users.load(1) is users.load(1)
    outcome = await asyncio.gather(users.load(8), users.load(9), return_exceptions=True)
    errors = [repr(e) for e in outcome], outcome[0] is outcome[1], sorted(users.cache)
    return first, names, both, same, errors, users.batches, friends.batches, len(users.tasks)


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
