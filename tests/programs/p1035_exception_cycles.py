# durable: on
"""Exceptions that hold themselves, each other, and frames' objects in attributes, args and context."""
import asyncio

from world import effect, fail


class Linked(Exception):
    pass


async def main():
    first, second = Linked("first"), Linked("second")
    first.args = ("first", first)
    first.other, second.other = second, first
    bag = {"errors": [first, second]}
    second.bag = bag
    await effect("made")
    try:
        try:
            raise first
        except Linked as caught:
            await effect("caught")
            caught.caught = caught
            raise second from caught
    except Linked as error:
        kept = error
        await effect("kept")
        try:
            await fail("third", KeyError(kept))
        except KeyError as third:
            bag["third"] = third
            await effect("third held")
    await effect("end")
    return [
        kept is second and kept.__cause__ is first and kept.__context__ is first,
        first.args[1] is first and first.caught is first,
        first.other is second and second.other is first and second.bag is bag,
        bag["third"].args[0] is second and bag["third"].__context__ is second,
        bag["errors"][0] is first,
    ]


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
