"""What differs between versions of Python and between systems, and the private names of the standard library that are used.

``versions`` names the differences, ``names`` the private names; ``support`` refuses a Python that instances cannot run on.
``waiting`` and ``earlier`` are for what another version has saved in the middle of asyncio's own code, ``moved`` and ``frozen``
for what another version has elsewhere, or not at all. ``frames`` and ``iterators`` read what only memory tells. Each of the
others is about one thing: ``codes``, ``classes``, ``annotations``, ``protocols``, ``tasks``, ``systems``, ...

Nothing here knows of the rest of the package, ``errors`` excepted. What a Python newer than any known may have changed is
looked at before it is used: what is not as known is refused, in one sentence, and never guessed.
"""
