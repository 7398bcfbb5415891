# durable: on
"""Objects with __await__ that delegate to a coroutine, to another awaitable or to a plain iterator."""
import asyncio

from world import effect, fail


class Step:
    def __init__(self, name, value):
        self.name, self.value = name, value

    def __await__(self):
        result = yield from effect(self.name, self.value).__await__()
        return result * 2


class Delegating:
    def __init__(self, other):
        self.other = other

    def __await__(self):
        return self.other.__await__()


class Instant:
    def __await__(self):
        return iter(())


class Eager:
    def __await__(self):
        return self.run().__await__()

    async def run(self):
        return await effect("eager", "ran")


class Failing:
    def __await__(self):
        try:
            yield from fail("failing", ValueError("in __await__")).__await__()
        except ValueError as error:
            return repr(error)


async def main():
    out = [await Step("one", 1), await Delegating(Step("two", 2)), await Instant(), await Eager(), await Failing()]
    out.append([await a for a in (Step("c1", 3), Instant(), Delegating(Eager()))])
    reused = Step("again", 5)
    out.append(await reused + await reused)
    try:
        await Delegating(3)
    except AttributeError as error:
        out.append(str(error))
    out.append({await Step("key", "k"): await Instant()})
    return out


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
