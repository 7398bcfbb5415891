# durable: on
"""Every block statement nested in every other, awaits on the innermost lines and on the way out."""
import asyncio

from world import effect, fail


class Layer:
    def __init__(self, name, log):
        self.name, self.log = name, log

    async def __aenter__(self):
        self.log.append(f"+{self.name}")
        return self

    async def __aexit__(self, kind, error, traceback):
        await asyncio.sleep(0)
        self.log.append(f"-{self.name}:{kind.__name__ if kind else None}")
        return False


async def letters(log):
    for c in "abc":
        yield c
    log.append("letters done")


async def main():
    log = []
    n = 0
    while n < 3:
        n += 1
        async with Layer(f"w{n}", log) as layer:
            for k in range(3):
                try:
                    async for c in letters(log):
                        with_name = c
                        if c == "b" and n == 1:
                            continue
                        match (n, k, c):
                            case (1, 0, "c"):
                                try:
                                    raise ValueError(c)
                                except ValueError as error:
                                    try:
                                        log.append((repr(error), await effect(f"deep{n}{k}", [q for q in range(k + 1)])))
                                        break
                                    finally:
                                        log.append(await effect("inner finally", error.args))
                            case (1, 1, "a"):
                                while True:
                                    try:
                                        await fail("f11", KeyError(c))
                                    except KeyError:
                                        log.append("key")
                                        break
                                    finally:
                                        await effect("always")
                            case (2, 0, "a"):
                                raise LookupError("to the except")
                            case (2, 1, "b") if await effect("guard", True):
                                async with Layer("inner", log):
                                    return log, (layer.name, n, k, c, with_name)
                    else:
                        log.append("else")
                        break
                except LookupError as error:
                    log.append((str(error), await effect("handler")))
                finally:
                    log.append(("finally", n, k, await effect(f"fin{n}{k}")))
    else:
        log.append("never")


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
