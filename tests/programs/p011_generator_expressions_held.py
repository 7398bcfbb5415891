# durable: on
"""Plain generator expressions with several clauses live across awaits, half consumed."""
import asyncio

from world import effect


async def main():
    out = []
    limit = 3
    gen = ((a, b, limit) for a in range(3) if a != 1 for b in (c + a for c in range(2)))
    out.append(next(gen))
    await effect("one")
    limit = 4
    out.append(next(gen))
    await effect("two")
    out.append(next(gen))
    rest = [*gen]
    out.append(rest)
    lazy = (str(n) for n in await effect("source", [1, 2, 3, 4]))
    chained = (s + "!" for s in lazy if s != "2")
    out.append(next(chained))
    await effect("three")
    out.append(next(lazy))
    await effect("four")
    out.append(list(chained))
    both = zip((i for i in range(5)), (j * j for j in range(3)))
    out.append(next(both))
    await effect("five")
    out.append(sum(i * j for i, j in both))
    any_of = (print("checked", v) or v for v in [0, 0, 7, 8])
    out.append(any(any_of))
    await effect("six")
    out.append((next(any_of), next(any_of, "done")))
    try:
        failing = (1 // n for n in [1, 0, 2])
        out.append(next(failing))
        await effect("seven")
        next(failing)
    except ZeroDivisionError:
        out.append(list(failing))
    return out


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
