# durable: on
"""A report is built with f-strings that contain awaits, nested formats, joins and conditional parts."""
import asyncio
import datetime
import textwrap

from world import effect


class Column:
    def __init__(self, title, width, align="<"):
        self.title = title
        self.width = width
        self.align = align

    def __format__(self, spec):
        return format(self.title.upper() if spec == "upper" else self.title, f"{self.align}{self.width}")


async def price(name):
    return await effect(f"price {name}", {"tea": 2.5, "cake": 13.75, "jam": 4}[name])


async def main():
    columns = [Column("item", 6), Column("n", 3, ">"), Column("sum", 8, ">")]
    orders = {"tea": 3, "cake": 1, "jam": 12}
    lines = [f"{'|'.join(f'{c:upper}' for c in columns)}"]
    total = 0
    for name, n in orders.items():
        cells = f"{name:{columns[0].width}}|{n:>{columns[1].width}}|{(cost := n * await price(name)):>{columns[2].width}.{await effect('digits', 2)}f}"
        total += cost
        lines.append(cells)
    when = datetime.date(2024, 2, 29)
    lines.append(f"{total=:.1f} {when:%d %b %Y} {'many' if total > await effect('limit', 60) else 'few'!r:>8}")
    footer = f"""{
        textwrap.shorten(await effect("footer", "a long footer that does not fit"), 20, placeholder="...")
    } {lines[1]!s:.3}{{}}"""
    lines.append(footer)
    body = "\n".join([f"{n:02}: {line}" for n, line in enumerate(lines, await effect("first", 1))])
    return body.splitlines(), f"{total:,.3f}", "%-6s|%03d" % ("x", await effect("n", 7)), "{0!r:>5}".format(await effect("s", "s"))


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
