# durable: on
"""Five philosophers dine with five forks; taken in order of their numbers there is no deadlock."""
import asyncio

from world import effect

NAMES = ("Kant", "Hume", "Mill", "Marx", "Arendt")


class Table:
    def __init__(self, seats):
        self.forks = [asyncio.Lock() for _ in range(seats)]
        self.eating = set()
        self.meals = dict.fromkeys(range(seats), 0)
        self.most_at_once = 0
        self.order = []

    def forks_of(self, seat):
        left, right = seat, (seat + 1) % len(self.forks)
        return [self.forks[n] for n in sorted((left, right))]

    async def eat(self, seat, dish):
        first, second = self.forks_of(seat)
        async with first, second:
            neighbours = {(seat - 1) % len(self.forks), (seat + 1) % len(self.forks)}
            assert not neighbours & self.eating, "a neighbour is eating"
            self.eating.add(seat)
            self.most_at_once = max(self.most_at_once, len(self.eating))
            await dish(seat)
            self.meals[seat] += 1
            self.order.append(seat)
            self.eating.remove(seat)

    async def philosopher(self, seat, dishes):
        for dish in dishes:
            for _ in range(seat):
                await asyncio.sleep(0)
            await self.eat(seat, dish)
        return NAMES[seat]


async def soup(seat):
    await effect(f"soup for {NAMES[seat]}")


async def bread(seat):
    await asyncio.sleep(0)
    await asyncio.sleep(0)


async def main():
    quiet = Table(5)
    await asyncio.gather(*(quiet.philosopher(seat, [bread, bread, bread]) for seat in range(5)))
    table = Table(5)
    names = await asyncio.gather(*(table.philosopher(seat, [soup, bread]) for seat in range(5)))
    await effect("clear the table")
    free = not any(fork.locked() for fork in table.forks)
    return names, quiet.order, quiet.most_at_once, table.meals, table.most_at_once <= 2, table.eating, free


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
