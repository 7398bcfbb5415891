# durable: on
"""A token goes round a ring of tasks; ping-pong over two queues and over futures keeps its exact turns."""
import asyncio

from world import effect


class Station:
    def __init__(self, name, log):
        self.name = name
        self.log = log
        self.inbox = asyncio.Queue()
        self.next = None
        self.to_send = []

    async def run(self):
        while True:
            token = await self.inbox.get()
            if token["hops"] == 0:
                self.log.append(f"{self.name} keeps the token")
                return token
            token["hops"] -= 1
            if self.to_send:
                message = self.to_send.pop(0)
                token["carried"].append(await message if asyncio.iscoroutine(message) else message)
            self.log.append(self.name)
            self.next.inbox.put_nowait(token)


async def ring():
    log = []
    stations = [Station(name, log) for name in ("north", "east", "south", "west")]
    for station, following in zip(stations, stations[1:] + stations[:1]):
        station.next = following
    stations[1].to_send = ["from east", effect("east looks up", "east again")]
    stations[3].to_send = [effect("west looks up", "from west")]
    tasks = [asyncio.create_task(s.run(), name=s.name) for s in stations]
    token = {"hops": 10, "carried": []}
    stations[0].inbox.put_nowait(token)
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    await asyncio.wait(pending)
    keeper = done.pop()
    return log, keeper.get_name(), keeper.result() is token, token


async def player(mine, theirs, name, table, rounds):
    for _ in range(rounds):
        ball = await mine.get()
        table.append(f"{name}{ball}")
        theirs.put_nowait(ball + 1)
    return name


async def main():
    left, right, table = asyncio.Queue(), asyncio.Queue(), []

    async def spectator(turns):
        for _ in range(turns):
            table.append("clap")
            await asyncio.sleep(0)

    left.put_nowait(0)
    names = await asyncio.gather(
        player(left, right, "ping", table, 4), player(right, left, "pong", table, 4), spectator(3)
    )
    await effect("change ends")
    rings = await asyncio.gather(ring())
    return names, table, left.get_nowait(), rings[0]


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
