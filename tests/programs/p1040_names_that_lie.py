# durable: on
"""Functions that are not what their name looks up: redefined, decorated, deleted, conditional, made in loops and by lambdas on one line."""
import asyncio
import functools

from world import effect


def plain(x):
    return f"first {x}"


first_plain = plain


def plain(x):  # noqa: F811
    return f"second {x}"


async def gone(x):
    return await effect(f"gone {x}", x)


kept = gone
del gone

if len(plain("x")) > 3:

    async def chosen(x):
        return await effect(f"then {x}", "then")

else:

    async def chosen(x):
        return await effect(f"else {x}", "else")


def shout(fn):
    @functools.wraps(fn)
    async def inner(*args):
        return (await fn(*args)).upper()

    return inner


@shout
@shout
async def spoken(x):
    await effect("spoken one")
    return await effect("spoken two", x)


pair = (lambda x: x + 1), (lambda x: x * 10)
made = [lambda x, n=n: x + n for n in range(3)]


class Tools:
    async def run(self):
        return await effect("first run", 1)

    first_run = run

    async def run(self):  # noqa: F811
        return await self.first_run() + await effect("second run", 10)

    table = {"run": run}


async def main():
    held = [first_plain, plain, *pair, *made]
    a, b, tool = kept, spoken.__wrapped__, Tools()
    pending = [kept("p"), chosen("p"), tool.table["run"](tool)]
    await effect("held")
    out = [f(2) for f in held]
    out += [await a("q"), await b("w"), await spoken("s"), await chosen("c"), await tool.run()]
    out += [await p for p in pending]
    return out, held[0] is first_plain, held[1] is plain, b is spoken.__wrapped__


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
