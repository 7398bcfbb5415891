# durable: on
"""Metaclasses, __init_subclass__, __set_name__, descriptors and class decorators of the module and of main survive."""
import asyncio

from world import effect


class Meta(type):
    def __new__(mcls, name, bases, namespace, **options):
        cls = super().__new__(mcls, name, bases, namespace)
        cls.options = options
        return cls

    def __call__(cls, *args):
        made = super().__call__(*args)
        made.via = type(cls).__name__
        return made


class Typed:
    def __init__(self, kind):
        self.kind = kind

    def __set_name__(self, owner, name):
        self.name = "_" + name

    def __get__(self, instance, owner=None):
        return self if instance is None else getattr(instance, self.name)

    def __set__(self, instance, value):
        if not isinstance(value, self.kind):
            raise TypeError(f"{self.name}: {type(value).__name__}")
        setattr(instance, self.name, value)


class Person(metaclass=Meta, table="people"):
    age = Typed(int)

    def __init__(self, age):
        self.age = age


async def main():
    class Plugin:
        found = []

        def __init_subclass__(cls, /, order=0, **kw):
            super().__init_subclass__(**kw)
            cls.order = order
            Plugin.found.append(cls.__name__)

    class LocalPerson(Person, table="local"):
        pass

    p, q = Person(3), LocalPerson(4)
    descriptor = Person.age
    await effect("made")

    class One(Plugin, order=1):
        pass

    await effect("one")
    p.age = await effect("age", 30)
    try:
        q.age = await effect("bad", "x")
    except TypeError as error:
        refused = str(error)
    await effect("held")
    return [
        (p.age, p.via, q.age, q.options, type(q) is LocalPerson),
        refused,
        descriptor is Person.age,
        Plugin.found,
        One.order,
    ]


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
