# durable: on
"""What as_completed gives is held before it is asked for anything, and between its futures."""
import asyncio

from world import effect


async def later(delay, value):
    await asyncio.sleep(delay)
    return value


async def main():
    held = asyncio.as_completed([later(0.2, "second"), later(0.05, "first")])
    out = [await effect("held", "held")]
    for number, future in enumerate(held):
        out.append(await future)
        out.append(await effect(f"after {number}", number))
    return out


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
