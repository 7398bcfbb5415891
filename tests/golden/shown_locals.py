"""``locals()``, ``vars()`` and ``dir()`` show the user's names."""


async def asked(f, a):
    b = await f(a)
    return locals(), vars(), dir(), vars(b)
