# durable: on
"""Generator expressions are kept while functions that they call catch exceptions, before and while they are saved."""
import asyncio

from world import effect


def parsed(text):
    try:
        return int(text)
    except ValueError:
        return -1


def nested(text):
    try:
        return [1 // parsed(text)]
    except ZeroDivisionError as error:
        return [type(error).__name__]


async def main():
    numbers = (parsed(text) for text in ["1", "b", "3", "d", "0"])
    pairs = ((parsed(a), b) for a in "x2y" for b in nested(a) if parsed(b) or True)
    out = []
    for number in numbers:
        out.append(await effect(f"number {number}", number))
        for pair in pairs:
            out.append(await effect(f"pair {pair}", pair))
            break
    return out


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
