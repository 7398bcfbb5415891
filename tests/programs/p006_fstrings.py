# durable: on
"""f-strings with awaits in values, conversions, nested format specs and the = form."""
import asyncio

from world import effect


class Odd:
    def __init__(self, log):
        self.log = log

    def __format__(self, spec):
        self.log.append(spec)
        return f"Odd[{spec}]"

    def __repr__(self):
        return "Ödd"


async def main():
    log = []
    odd = Odd(log)
    width, name = 8, "né"
    out = [f"{await effect('a', name)!a:>{await effect('w', width)}}|{name!s:*^{width}}|"]
    out.append(f"{odd:{await effect('spec', 'x')}{width}y}{odd!r:>6}{{literal}} {odd!s}")
    out.append(f"{width=} {width + 1 = :>{width}} {await effect('eq', 2) * 2 = }")
    out.append(f"{await effect('float', 3.14159):.{await effect('digits', 3)}f} {1000000:,} {0x2a:#010b}")
    out.append("pre" f"{width}" "mid" rf"\d{await effect('raw', 1)}" 'post')
    out.append(f"{(lambda v: v + 1)(await effect('lam', 1))} {[k for k in range(2) if await effect(f'c{k}', k)]} {({'k': 5})['k']}")
    out.append(f"""{
        await effect('multi',
                     'line')
    } and {'' if await effect('empty', 0) else 'else'}""")

    async def rebind():
        nonlocal name
        name = "changed"
        return await effect("rebind", "-")

    out.append(f"{name}{await rebind()}{name}")
    try:
        f"{await effect('bad', 'text'):d}"
    except ValueError as error:
        out.append(type(error).__name__)
    return out, log


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
