"""Methods: ``super()``, ``__class__``, private names, classes defined in functions."""


class Base:
    async def method(self, f):
        return await f(self)


class Derived(Base):
    kind = "derived"

    async def method(self, f):
        first = await super().method(f)
        return first, __class__, self.__secret

    @classmethod
    async def make(cls, f):
        return cls(await f(cls))

    @staticmethod
    async def help(f):
        await f()


async def local_class(f, a):
    class Local(await f(Base), metaclass=await f(type)):
        value = a

        async def method(self):
            return await f(a, self.value)

    return await Local().method()
