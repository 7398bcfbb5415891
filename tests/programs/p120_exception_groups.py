# durable: on
"""Exception groups, nested and split, survive with members shared with plain variables."""
import asyncio

from world import effect


class Named(Exception):
    pass


async def main():
    shared = Named("shared")
    group = ExceptionGroup("outer", [ValueError(1), ExceptionGroup("inner", [shared, KeyError("k")])])
    group.add_note("hello")
    await effect("made")
    match, rest = group.split(Named)
    await effect("split")
    out = [match.exceptions[0].exceptions[0] is shared, rest.message, rest.__notes__]
    handled = []
    try:
        await effect("before raise")
        raise group
    except* ValueError as error:
        handled.append(("value", error.exceptions[0].args, await effect("in value", "v")))
    except* (Named, KeyError) as error:
        await effect("in named")
        handled.append(("named", len(error.exceptions), type(error.exceptions[0]).__name__))
    await effect("end")
    flat = [type(e).__name__ for e in group.exceptions]
    return out, handled, flat, group.exceptions[1].exceptions[0] is shared, repr(match)


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
