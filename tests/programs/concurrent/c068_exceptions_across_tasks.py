# durable: on
"""Exceptions are kept, passed between tasks and raised again, with notes, causes, groups and traceback names."""
import asyncio
import traceback

from world import effect, fail


class ParseError(Exception):
    def __init__(self, line, reason):
        super().__init__(f"line {line}: {reason}")
        self.line = line
        self.seen_by = []


def function_names(error):
    return [frame.name for frame in traceback.extract_tb(error.__traceback__)]


def check(line):
    if line < 0:
        raise ValueError(line)


async def parse(line):
    await asyncio.sleep(0)
    try:
        check(line)
    except ValueError as error:
        wrapped = ParseError(line, "negative")
        wrapped.add_note(f"noted in {asyncio.current_task().get_name()}")
        raise wrapped from error
    return await effect(f"parse {line}", line)


async def look(error, who):
    error.seen_by.append(who)
    error.add_note(f"seen by {who}")
    await effect(f"{who} looks")
    raise error


async def main():
    tasks = [asyncio.create_task(parse(n), name=f"parse {n}") for n in (1, -2, 3, -4)]
    done = await asyncio.gather(*tasks, return_exceptions=True)
    errors = [e for e in done if isinstance(e, ParseError)]
    await effect("keep the errors")
    same = errors[0] is tasks[1].exception(), errors[1] is done[3]
    names = function_names(errors[0]), function_names(errors[0].__cause__)

    looked = await asyncio.gather(look(errors[0], "ann"), look(errors[1], "bob"), return_exceptions=True)
    same += looked[0] is errors[0], looked[1] is errors[1]
    try:
        await look(errors[0], "cid")
    except ParseError as error:
        same += (error is errors[0],)

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(fail("outside", KeyError("outside")))
            group.create_task(asyncio.Event().wait())
    except* KeyError as caught:
        kept = caught
    await effect("keep the group")
    bundle = ExceptionGroup("all", [*errors, kept])
    parse_errors, rest = bundle.split(ParseError)
    context = None
    try:
        try:
            raise errors[1]
        finally:
            await effect("while it passes")
            {}["second"]
    except KeyError as error:
        context = error.__context__ is errors[1]
    return (
        same,
        names,
        [(str(e), e.seen_by, e.__notes__, repr(e.__cause__)) for e in errors],
        [e.line for e in parse_errors.exceptions],
        [repr(e) for e in rest.exceptions[0].exceptions],
        rest.exceptions[0].message,
        context,
    )


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
