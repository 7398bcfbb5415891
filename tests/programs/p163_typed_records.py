# durable: on
"""NamedTuple, namedtuple, TypedDict, SimpleNamespace and local record classes survive."""
import asyncio
import collections
import types
from typing import NamedTuple, TypedDict

from world import effect


class Version(NamedTuple):
    major: int
    minor: int = 0

    def bump(self):
        return self._replace(minor=self.minor + 1)


Pair = collections.namedtuple("Pair", "left right", defaults=[None])


class Movie(TypedDict, total=False):
    title: str
    year: int


async def main():
    class Here(NamedTuple):
        x: int
        y: list

    shared = [1]
    version, pair, movie, here = Version(3), Pair(shared), Movie(title="M"), Here(1, shared)
    space = types.SimpleNamespace(version=version, shared=shared)
    space.me = space
    await effect("made")
    version = version.bump()
    movie["year"] = await effect("year", 1999)
    shared.append(await effect("more", 2))
    space.extra = here
    await effect("end")
    return [
        version,
        pair,
        movie,
        here,
        space.me is space and pair.left is here.y,
        space.version,
        isinstance(here, Here) and type(here).__name__,
        Here(*here) == space.extra,
    ]


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
