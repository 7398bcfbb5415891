# durable: on
"""return, break and continue in finally override what was pending."""
import asyncio

from world import effect, fail


async def swallow():
    try:
        await fail("swallowed", RuntimeError("lost"))
    finally:
        return await effect("override", "finally wins")


async def twice():
    try:
        return await effect("first", "try")
    finally:
        try:
            return await effect("second", "inner try")
        finally:
            await effect("third")


async def loops():
    out = []
    for k in range(4):
        try:
            if k == 0:
                raise KeyError(k)
            if k == 1:
                return "never"
            if k == 2:
                continue
            out.append("body")
        finally:
            await effect(f"loop{k}")
            out.append(k)
            if k == 3:
                break
            continue
        out.append("never")
    else:
        out.append("never")
    return out


async def pending():
    k = 0
    while True:
        try:
            k += 1
            if k == 2:
                break
            raise OSError
        except OSError:
            try:
                return f"return {k}"
            finally:
                if await effect(f"cond{k}", k == 1):
                    continue
        finally:
            k += 10
    return "out", k


async def main():
    return [await swallow(), await twice(), await loops(), await pending()]


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
