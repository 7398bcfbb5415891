# durable: on
"""match with __match_args__, mapping protocols, properties with side effects and raising guards."""
import asyncio
import collections
import collections.abc

from world import effect, fail


class Pair:
    __match_args__ = ("left", "right")

    def __init__(self, left, right, log):
        self._left, self._right, self.log = left, right, log

    @property
    def left(self):
        self.log.append("left")
        return self._left

    @property
    def right(self):
        self.log.append("right")
        return self._right


class Row(collections.abc.Sequence):
    def __init__(self, *items):
        self.items = items

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        return self.items[index]


async def main():
    log = []
    out = []
    match Pair(1, Pair(2, 3, log), log):
        case Pair(0, _):
            out.append("never")
        case Pair(a, Pair(b, right=c)) if await effect("guard", a + b == 3):
            out.append((a, b, c, await effect("body", "b")))
    match Row(1, 2, 3):
        case [a, *rest] if await effect("row", rest == [2, 3]):
            out.append((a, rest))
    match collections.OrderedDict(a=1, b=2):
        case {"a": 1, **rest} if rest.pop("b") and await effect("od", True):
            out.append(rest)
    default = collections.defaultdict(list, x=1)
    match default:
        case {"missing": _}:
            out.append("never")
        case {"x": x}:
            out.append((x, len(default), await effect("default")))
    try:
        match 5:
            case n if await fail("guard fails", ValueError(n)):
                pass
    except ValueError as error:
        out.append((n, error.args))
    try:
        match Pair(1, 2, log):
            case Pair(1, 2, 3):
                pass
    except TypeError as error:
        out.append("accepts 2 positional" in str(error))
    match = await effect("soft keyword", {"case": 1})
    case, _ = match["case"], 7
    return out, log, case, _


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
