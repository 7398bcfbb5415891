# durable: on
"""try with except, else and finally in every combination, with awaits in all of them."""
import asyncio

from world import effect, fail


async def run(kind, log):
    try:
        log.append("try")
        if kind != "ok":
            await fail(f"fail-{kind}", {"value": ValueError, "key": KeyError, "os": OSError}[kind](kind))
    except ValueError as error:
        log.append(("except", str(error), await effect("handler", 1)))
    except (KeyError, IndexError):
        log.append("key")
        return await effect("return in handler", "returned")
    else:
        log.append(await effect("else", "else"))
    finally:
        log.append(await effect(f"finally-{kind}", "finally"))
    log.append("after")


async def main():
    out = []
    for kind in ("ok", "value", "key", "os"):
        log = []
        try:
            log.append(await run(kind, log))
        except OSError as error:
            log.append(repr(error))
        out.append(log)
    try:
        try:
            pass
        finally:
            out.append("plain finally")
    except NameError:
        out.append("never")
    else:
        try:
            await fail("in else", IndexError(3))
        except LookupError as e:
            out.append(type(e).__mro__[1].__name__)
    try:
        raise TypeError
    except:
        out.append(await effect("bare"))
    return out


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
