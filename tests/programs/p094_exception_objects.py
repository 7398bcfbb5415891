# durable: on
"""Exceptions kept in variables, lists and attributes over awaits, raised again later, with notes and causes."""
import asyncio

from world import effect, fail


class Failure(Exception):
    def __init__(self, code, payload=None, *, retry=False):
        super().__init__(code, payload)
        self.code, self.payload, self.retry = code, payload, retry


async def collect(log):
    errors = []
    for k, make in enumerate((lambda: Failure(1, log, retry=True), lambda: OSError(2, "no file", "name"), lambda: UnicodeDecodeError("utf8", b"x\xff", 1, 2, "bad"), lambda: StopIteration("s"))):
        try:
            raise make()
        except Exception as error:
            error.add_note(f"note {k}")
            error.extra = [k]
            errors.append(error)
            await effect(f"kept{k}")
    return errors


async def main():
    log = []
    errors = await collect(log)
    out = [[repr(e) for e in errors], errors[0].payload is log, [e.extra + e.__notes__ for e in errors]]
    out.append((errors[1].filename, errors[1].strerror, errors[1].errno, errors[2].start, errors[3].value))
    errors[0].__cause__ = errors[1]
    errors[1].__context__ = errors[2]
    await effect("linked")
    for wanted in errors[:2]:
        try:
            raise wanted
        except (Failure, OSError) as again:
            await effect("again")
            out.append((again is wanted, again is errors[errors.index(again)], repr(again.__cause__), repr(again.__context__)))
    try:
        try:
            raise errors[0]
        finally:
            await effect("between")
            errors.append(ValueError("later"))
    except Failure as error:
        out.append((error.retry, error.__cause__ is errors[1], error.__suppress_context__))
        try:
            raise errors[-1]
        except ValueError as later:
            out.append(later.__context__ is error)
    try:
        await fail("from stored", errors[0].with_traceback(None))
    except Failure as error:
        out.append(error is errors[0] or (error.code, error.extra))
    return out


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
