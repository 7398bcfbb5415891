"""``except A, B:`` and ``except* A, B:`` with awaits in the types, the handlers and around them."""

# durable: on
# requires: 3.14
import asyncio

from world import effect, fail


async def handled(error):
    try:
        return await fail("raise", error)
    except KeyError, ValueError:
        return "two", await effect("two", 2)
    except await effect("asked", TypeError), OSError:
        return "awaited", await effect("awaited", 3)
    except (AttributeError):
        return "one"


async def grouped(*errors):
    seen = []
    try:
        await fail("group", ExceptionGroup("all", errors))
    except* KeyError, ValueError:
        seen.append(("two", await effect("two of a group", 2)))
    except* OSError, await effect("asked for a group", TypeError):
        seen.append("others")
    return seen


async def left():
    for number in range(4):
        try:
            if number == 1:
                raise KeyError(number)
            await effect("in the loop", number)
        except KeyError, IndexError:
            continue
        finally:
            await effect("finally", number)
        if number == 2:
            break
    return "left"


async def main():
    results = [await handled(error) for error in (KeyError(1), ValueError(2), TypeError(3), OSError(4), AttributeError(5))]
    try:
        await handled(LookupError(6))
    except ArithmeticError, LookupError:
        results.append("outside")
    results.append(await grouped(KeyError(1), TypeError(2), ValueError(3)))
    results.append(await left())
    return results


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
