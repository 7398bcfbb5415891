# durable: on
"""while loops with awaits in the test, break, continue, else and nested loops."""
import asyncio

from world import effect


async def main():
    out = []
    n = 0
    while await effect(f"test{n}", n < 3):
        n += 1
        if n == 2:
            continue
        out.append(n)
    else:
        out.append(await effect("else", "else"))
    outer = 0
    while True:
        outer += 1
        inner = 0
        while inner < 3:
            inner += 1
            if inner == 2 and outer == 1:
                break
            if (inner + outer) % 2:
                continue
            out.append((outer, await effect(f"in{outer}{inner}", inner)))
        else:
            if outer == 3:
                break
            out.append(f"inner else {outer}")
            continue
        out.append(f"after break {outer}")
    else:
        out.append("never")
    while outer:
        outer -= 1
        try:
            if outer == 1:
                continue
            if outer == 0:
                break
        finally:
            out.append(("finally", outer, await effect(f"fin{outer}")))
        out.append("end of body")
    while not (done := await effect("done", 1)):
        pass
    else:
        while False:
            await effect("never")
        else:
            out.append(done)
    return out


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
