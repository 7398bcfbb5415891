# requires: 3.14
"""Annotations that are evaluated when somebody asks for them: the names in them are captured."""


async def annotated(f, a, b):
    def inner(x: a, *more: f(a), y: a = await f(1)) -> b:
        return x, y

    value: b = await f(2)
    return inner, value


async def of_class(f, a):
    class Inner(await f(1)):
        value: a = f

        def method(self, x: a) -> Inner:
            return self, x

    return await f(Inner)
