# durable: on
"""The sequence of random.Random(seed) objects goes on after awaits, shared between two holders."""
import asyncio
import random

from world import effect


class Dice:
    def __init__(self, rng):
        self.rng = rng

    def roll(self):
        return self.rng.randint(1, 6)


async def main():
    rng = random.Random(2024)
    other = random.Random("seed")
    dice = Dice(rng)
    out = []
    for n in range(4):
        out.append((dice.roll(), rng.random(), other.choice("abcdef")))
        await effect(f"turn {n}")
    out.append(round(rng.gauss(0, 1), 9))
    await effect("between two gauss")
    out.append(round(rng.gauss(0, 1), 9))
    state = other.getstate()
    a = [other.randrange(100) for _ in range(3)]
    await effect("state")
    other.setstate(state)
    deck = list(range(8))
    rng.shuffle(deck)
    return out, a == [other.randrange(100) for _ in range(3)], deck, rng.sample(range(50), 3), dice.rng is rng


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
