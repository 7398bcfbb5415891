"""Template strings: values and format specifications that await, nested ones, templates and their parts held over awaits."""

# durable: on
# requires: 3.14
import asyncio
from string.templatelib import Interpolation, Template

from world import effect, fail


def shown(template):
    """What a template holds, templates inside too."""
    fields = [(field.value, field.expression, field.conversion, field.format_spec) for field in template.interpolations]
    inner = [shown(value) for value, *_ in fields if isinstance(value, Template)]
    return [template.strings, [field for field in fields if not isinstance(field[0], Template)], inner]


def note(log, value):
    log.append(value)
    return value


class Failing:
    def __format__(self, spec):
        raise ValueError(f"cannot be formatted as {spec!r}")


async def main():
    results, log, width = [], [], 5
    results.append(shown(t"{await effect('a', 1)!r:>{width}} text"))
    mixed = t"{note(log, 'b')} {await effect('c', 'C')} {note(log, 'd'):{note(log, 's')}>{await effect('e', 9)}}|{note(log, 'f') = }"
    results.append(shown(mixed))
    changing = [1]
    held = t"{changing}{len(changing):{len(changing)}}{changing.append(await effect('g', 2))}"
    results.append(shown(held))
    parts = iter(held)
    first = next(parts)
    results.append(shown(t"outer {t'inner {await effect("h", 3)}':x} {f'{await effect("i", 4):>3}'}" t" joined"))
    results.append((first.value is changing, [part.value if isinstance(part, Interpolation) else part for part in parts]))
    for template in (mixed + held, t"{Failing()!s:z}"):
        for part in template:
            await effect("j", None)
            match part:
                case Interpolation(value=value, expression=expression, conversion=conversion, format_spec=spec):
                    results.append((type(value).__name__, expression, conversion, spec))
                case str() as text:
                    results.append(text)
    try:
        t"{note(log, 1)}{Failing():{Failing():{await effect('k', 'q')}}}{note(log, 'not reached')}"
    except ValueError as error:
        results.append(str(error))
    try:
        t"{note(log, 2)}{await fail('l', KeyError('l'))}{note(log, 'not reached')}"
    except KeyError as error:
        results.append(repr(error))
    return results, log


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
