# durable: on
"""Awaits in finally while a return, an exception, a break or a continue is under way."""
import asyncio

from world import effect


async def leave(how, log):
    value = ["value"]
    for k in range(3):
        try:
            try:
                if how == "return":
                    return value, k
                if how == "raise":
                    raise ValueError(how)
                if how == "break":
                    break
                if how == "continue" and k < 2:
                    continue
                log.append("fell through")
            finally:
                value.append(await effect(f"{how}-inner{k}", k))
                value = "rebound" if how != "continue" else value
        finally:
            log.append((how, k, value))
            await asyncio.sleep(0)
            k = "changed"
    log.append(("after", k))
    return value


async def main():
    out = []
    for how in ("return", "raise", "break", "continue"):
        log = []
        try:
            log.append(("result", await leave(how, log)))
        except ValueError as error:
            log.append(("raised", repr(error), error.__context__))
        out.append(log)
        await effect(f"done-{how}")
    return out


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
