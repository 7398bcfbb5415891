# durable: on
"""A hand-written CSV reader, group-by and a rolling summary work through text with awaits in all layers."""
import asyncio
import collections
import io
import statistics

from world import effect


TEXT = """city,day,temp
oslo,1,-3
rome,1,14
"new york, ny",1,5
oslo,2,-1
rome,2,16
oslo,3,"2"
rome,3,bad
"""


def split(line):
    field, quoted = [], False
    for char in line:
        match char, quoted:
            case '"', _:
                quoted = not quoted
            case ",", False:
                yield "".join(field)
                field.clear()
            case _:
                field.append(char)
    yield "".join(field)


async def rows(file):
    header = None
    for number, line in enumerate(file, 1):
        cells = list(split(line.rstrip("\n")))
        if header is None:
            header = cells
            continue
        yield number, dict(zip(header, cells, strict=True))


async def main():
    file = io.StringIO(TEXT)
    groups = collections.defaultdict(list)
    rolling = collections.deque(maxlen=2)
    problems, means = [], []
    async for number, row in rows(file):
        try:
            temp = int(row["temp"])
        except ValueError as error:
            problems.append((number, str(error), await effect("bad row", row["city"])))
            continue
        groups[row["city"]].append(temp)
        rolling.append(temp)
        means.append(await effect(f"row {number}", statistics.fmean(rolling)))
    summary = {
        city: (min(temps), max(temps), round(statistics.fmean(temps), 2), await effect(f"label {city}", city.title()))
        for city, temps in sorted(groups.items(), key=lambda item: -len(item[1]))
    }
    return summary, means, problems, file.tell() == len(TEXT)


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
