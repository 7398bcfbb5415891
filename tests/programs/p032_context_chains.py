# durable: on
"""__context__, __cause__ and __suppress_context__ along chains of handlers with awaits."""
import asyncio

from world import effect, fail


def tell(error, depth=0):
    if error is None or depth > 6:
        return None
    return (repr(error), error.__suppress_context__, tell(error.__cause__, depth + 1), tell(error.__context__, depth + 1))


async def chained(kind):
    try:
        try:
            raise ValueError("root")
        except ValueError as root:
            await effect(f"in {kind}")
            if kind == "implicit":
                raise KeyError("second")
            if kind == "from":
                raise KeyError("second") from await effect("cause", OSError("the cause"))
            if kind == "none":
                raise KeyError("second") from None
            if kind == "self":
                raise KeyError("second") from root
            if kind == "leaf":
                await fail("leaf", KeyError("second"))
            if kind == "class":
                raise KeyError from IndexError
    except KeyError as second:
        try:
            await effect("middle")
            raise RuntimeError("third")
        except RuntimeError as third:
            return tell(third)


async def main():
    out = []
    for kind in ("implicit", "from", "none"):
        out.append(await chained(kind))
    for kind in ("self", "leaf", "class"):
        out.append(await chained(kind))
    try:
        raise ValueError from "text"
    except TypeError as error:
        out.append(str(error))
    return out


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
