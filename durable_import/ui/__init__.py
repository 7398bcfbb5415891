"""A page over the instances of a store, and the same by HTTP for programs: ``app(store)`` is mounted in an application,
``durable ui`` serves it alone.

It is a client (``api.client``): it runs no instances and has none of their code. ``guard`` refuses who must not ask, ``pages``
and ``interface`` answer people and programs, ``acts`` is what both can ask for.
"""

from .application import app as app

__all__ = ["app"]
