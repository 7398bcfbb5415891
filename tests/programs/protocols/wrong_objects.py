"""Objects that lack a method, or have a wrong one, where syntax asks for it: what is raised, and what led to it."""

# durable: on
from world import effect


class Ready:
    def __await__(self):
        return iter(())


class Nothing:
    pass


class OnlySync:
    def __enter__(self):
        return "entered"

    def __exit__(self, *details):
        pass


class OnlyAsync:
    async def __aenter__(self):
        return await effect("entering", "entered")

    async def __aexit__(self, *details):
        await effect("leaving")


class NoExit:
    def __enter__(self):
        pass


class NoEnter:
    def __exit__(self, *details):
        pass


class NoAsyncExit:
    async def __aenter__(self):
        pass


class NoAsyncEnter:
    async def __aexit__(self, *details):
        pass


class ExitIsNone(OnlySync, OnlyAsync):
    __exit__ = __aexit__ = None


class EnterIsNone(OnlySync, OnlyAsync):
    __enter__ = __aenter__ = None


class BothAreNone:
    __enter__ = __exit__ = __aenter__ = __aexit__ = None


class EnterRaises(OnlySync, OnlyAsync):
    def __enter__(self):
        raise KeyError("enter")

    async def __aenter__(self):
        await effect("entering")
        raise KeyError("aenter")


class ExitRaises(OnlySync, OnlyAsync):
    def __exit__(self, *details):
        raise KeyError("exit")

    async def __aexit__(self, *details):
        await effect("leaving")
        raise KeyError("aexit")


class GivesNumbers:
    def __aenter__(self):
        return 5

    def __aexit__(self, *details):
        return 6


class ExitGivesNumber(GivesNumbers):
    def __aenter__(self):
        return Ready()


class AwaitIsNone:
    __await__ = None


class EnterGivesAwaitIsNone(OnlyAsync):
    def __aenter__(self):
        return AwaitIsNone()


class ExitGivesAwaitIsNone(OnlyAsync):
    def __aexit__(self, *details):
        return AwaitIsNone()


class Raising:
    def __init__(self, error):
        self.error = error

    def __get__(self, instance, owner):
        raise self.error


class EnterCannotBeRead(OnlySync, OnlyAsync):
    __enter__ = __aenter__ = Raising(AttributeError("hidden"))


class ExitCannotBeRead(OnlySync, OnlyAsync):
    __exit__ = __aexit__ = Raising(LookupError("lost"))


class NeitherCanBeRead:
    __enter__ = __aenter__ = Raising(AttributeError("hidden"))
    __exit__ = __aexit__ = Raising(LookupError("lost"))


class Noting:
    def __init__(self, name):
        self.name = name

    def __get__(self, instance, owner):
        instance.log.append(self.name)
        return lambda *details: Ready() if "a" in self.name else None


class Order:
    def __init__(self):
        self.log = []

    __enter__, __exit__, __aenter__, __aexit__ = map(Noting, ("enter", "exit", "aenter", "aexit"))


class OnTheInstance:
    def __init__(self):
        self.__enter__ = self.__exit__ = self.__aenter__ = self.__aexit__ = lambda *details: Ready()


class IterIsNone:
    __aiter__ = None


class Iterator:
    def __aiter__(self):
        return self


class NextIsNone(Iterator):
    __anext__ = None


class NextIsNumber(Iterator):
    def __anext__(self):
        return 5


class NextAwaitIsNone(Iterator):
    def __anext__(self):
        return AwaitIsNone()


class AwaitGivesNumber:
    def __await__(self):
        return 5


class AwaitIsCoroutine:
    async def __await__(self):
        return 5


class AwaitRaises:
    def __await__(self):
        raise KeyError("await")


class AwaitRaisesLater:
    def __await__(self):
        yield from effect("later").__await__()
        raise KeyError("await")


class NextGivesNumber(Iterator):
    def __anext__(self):
        return AwaitGivesNumber()


class NextGivesCoroutine(Iterator):
    def __anext__(self):
        return AwaitIsCoroutine()


class NextAwaitRaises(Iterator):
    def __anext__(self):
        return AwaitRaises()


class NextAwaitRaisesLater(Iterator):
    def __anext__(self):
        return AwaitRaisesLater()


class NextRaises(Iterator):
    def __anext__(self):
        raise KeyError("next")


class NextIsGenerator(Iterator):
    def __anext__(self):
        return (x for x in "a")


class NextCannotBeRead(Iterator):
    __anext__ = Raising(LookupError("lost"))


class IterIsCoroutine:
    async def __aiter__(self):
        return self


class IterIsNumber:
    def __aiter__(self):
        return 3


class IterRaises:
    def __aiter__(self):
        raise KeyError("iter")


class IterCannotBeRead:
    __aiter__ = Raising(LookupError("lost"))


MANAGERS = (
    Nothing, OnlySync, OnlyAsync, NoExit, NoEnter, NoAsyncExit, NoAsyncEnter, ExitIsNone, EnterIsNone, BothAreNone, EnterRaises,
    ExitRaises, GivesNumbers, ExitGivesNumber, EnterGivesAwaitIsNone, ExitGivesAwaitIsNone, EnterCannotBeRead, ExitCannotBeRead,
    NeitherCanBeRead, Order, OnTheInstance,
)  # fmt: skip
ITERABLES = (
    Nothing, IterIsNone, NextIsNone, NextIsNumber, NextAwaitIsNone, NextGivesNumber, NextGivesCoroutine, NextAwaitRaises,
    NextAwaitRaisesLater, NextRaises, NextIsGenerator, NextCannotBeRead, IterIsCoroutine, IterIsNumber, IterRaises,
    IterCannotBeRead, list,
)  # fmt: skip
AWAITABLES = (Nothing, AwaitIsNone, AwaitGivesNumber, AwaitIsCoroutine, AwaitRaises, AwaitRaisesLater, int)


async def within(manager):
    with manager as entered:
        return await effect("inside", entered)


async def within_async(manager):
    async with manager as entered:
        return await effect("inside", entered)


async def second(manager):
    async with OnlyAsync() as first, manager as entered:
        return await effect("inside", (first, entered))


async def failing(manager):
    with manager:
        await effect("inside")
        raise ValueError("in the block")


async def failing_async(manager):
    async with manager:
        await effect("inside")
        raise ValueError("in the block")


async def loop(iterable):
    async for item in iterable:
        return await effect("inside", item)


async def comprehension(iterable):
    return [item async for item in iterable]


async def expression(iterable):
    return type(item async for item in iterable).__name__


async def awaiting(awaitable):
    return await awaitable


FORMS = {
    within: MANAGERS, within_async: MANAGERS, second: MANAGERS, failing: MANAGERS, failing_async: MANAGERS,
    loop: ITERABLES, comprehension: ITERABLES, expression: ITERABLES, awaiting: AWAITABLES,
}  # fmt: skip


def told(error):
    """What an exception says, and those that led to it."""
    if error is None:
        return None
    text = f"{type(error).__name__}: {error}".replace(__name__, "this")
    return text, told(error.__cause__), told(error.__context__), error.__suppress_context__, lines(error)


def lines(error):
    """Where it comes from: the functions and lines of this module."""
    found, entry = [], error.__traceback__
    while entry is not None:
        code = entry.tb_frame.f_code
        if code.co_filename != attempt.__code__.co_filename:
            found.append("elsewhere")
        elif code.co_name != "<listcomp>":  # since Python 3.12 it has no frame natively
            found.append((code.co_name, entry.tb_lineno))
        entry = entry.tb_next
    return found


async def attempt(form, subject):
    try:
        result = await form(subject)
    except Exception as error:
        result = told(error)
    return result, getattr(subject, "log", None)


async def main():
    return {f"{form.__name__} {kind.__name__}": await attempt(form, kind()) for form, kinds in FORMS.items() for kind in kinds}
