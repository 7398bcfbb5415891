# durable: on
"""assert with awaits in the test and in the message, and what it does to context."""
import asyncio

from world import effect, fail


async def main():
    out = []
    assert await effect("ok", True), await effect("message not built")
    try:
        assert await effect("no", 0), f"{await effect('why', 'because')}!"
    except AssertionError as error:
        out.append(error.args)
    try:
        assert (await effect("a", 1)) == 1 and not await effect("b", 2)
    except AssertionError as error:
        out.append(error.args)
    try:
        try:
            raise KeyError("first")
        except KeyError:
            assert False, await effect("tuple", (1, 2))
    except AssertionError as error:
        out.append((error.args, repr(error.__context__), error.__cause__))
    try:
        assert not [v for v in range(3) if await effect(f"v{v}", v == 1)], [await fail("boom", OSError("in message"))]
    except OSError as error:
        out.append((str(error), error.__context__))
    try:
        assert (lambda: 0)(), (yes := await effect("walrus", "w"))
    except AssertionError as error:
        out.append((str(error), yes))
    return out


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
