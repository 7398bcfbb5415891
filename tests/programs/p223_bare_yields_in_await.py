# durable: on
"""Generators that await give way with a bare ``yield``, also in ``try``, ``finally`` and loops, between effects."""
import asyncio

from world import effect, fail


class Pause:
    def __await__(self):
        yield
        return "paused"


class Job:
    def __init__(self, name):
        self.name = name
        self.log = []

    def __await__(self):
        try:
            for number in range(2):
                yield
                self.log.append((yield from effect(f"{self.name} {number}", number).__await__()))
            try:
                yield from fail(f"{self.name} fails", KeyError(self.name)).__await__()
            except KeyError as error:
                yield
                self.log.append((yield from Pause().__await__()))
                raise ValueError("again") from error
            finally:
                yield
                self.log.append((yield from effect(f"{self.name} finally", "finally").__await__()))
                yield
        except ValueError as error:
            yield
            self.log.append((error.args, type(error.__cause__).__name__, error.__context__ is error.__cause__))
            for _ in range(3):
                yield
                try:
                    continue
                finally:
                    yield
        return len(self.log), (yield)


class Fails:
    def __await__(self):
        yield
        yield from effect("before the failure").__await__()
        yield
        raise LookupError("no", (yield))


async def main():
    job = Job("job")
    out = [await job, job.log, await Pause()]
    try:
        await Fails()
    except LookupError as error:
        out.append(error.args)
        out.append(await effect("after the failure", "after"))
    return out


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
