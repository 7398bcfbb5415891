# durable: on
"""Names that are unbound, deleted or bound in one branch only behave natively after awaits."""
import asyncio

from world import effect


async def main():
    out = []
    flag = await effect("flag", False)
    if flag:
        maybe = 1
    try:
        maybe  # noqa: B018
    except UnboundLocalError as error:
        out.append(str(error))
    await effect("two")
    gone = "here"
    del gone
    await effect("three")
    try:
        out.append(gone)
    except NameError as error:
        out.append(type(error).__name__)

    def read_late():
        return late

    try:
        read_late()
    except NameError as error:
        out.append(str(error))
    await effect("four")
    late = await effect("five", "bound")
    out.append(read_late())
    del late
    await effect("six")
    try:
        read_late()
    except NameError as error:
        out.append(type(error).__name__)
    for _i in range(0):
        pass
    await effect("seven")
    out.append("_i" in locals())
    out.append(sorted(name for name in locals() if name in ("maybe", "gone", "flag", "out", "late")))
    return out


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
