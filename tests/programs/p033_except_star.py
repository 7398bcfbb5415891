# durable: on
"""except* splits groups, runs handlers with awaits, chains and re-raises the rest."""
import asyncio

from world import effect, fail


def show(error):
    if isinstance(error, BaseExceptionGroup):
        return type(error).__name__, error.message, [show(e) for e in error.exceptions]
    return repr(error)


def group():
    inner = ExceptionGroup("inner", [ValueError(2), KeyError("k")])
    return ExceptionGroup("outer", [ValueError(1), TypeError("t"), inner, OSError("o")])


async def main():
    out = []
    try:
        try:
            await fail("group", group())
        except* ValueError as caught:
            await effect("values")
            out.append(show(caught))
        except* (TypeError, OSError) as caught:
            out.append(show(caught))
            await effect("types")
            raise RuntimeError("from handler")
        else:
            out.append("never")
        finally:
            out.append(await effect("finally", "finally"))
    except ExceptionGroup as error:
        out.append(show(error))
        out.append([show(e.__context__) for e in error.exceptions if e.__context__ and e.__context__ is not error])
    try:
        await fail("naked", ValueError("naked"))
    except* ValueError as caught:
        await effect("wrapped")
        out.append(show(caught))
    try:
        try:
            raise group()
        except* KeyError:
            await effect("reraise")
            raise
    except* Exception as rest:
        await effect("all")
        out.append(show(rest))
    try:
        await effect("nothing")
    except* Exception:
        out.append("never")
    else:
        out.append(await effect("else", "else"))
    return out, "caught" in locals()


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
