# durable: on
# requires: 3.14
"""Annotations are evaluated when somebody asks: never by saving, with what their names hold then, in each format."""
import annotationlib
import asyncio
import functools
import typing

from annotationlib import Format
from world import effect

LOG = []


def kind(name):
    LOG.append(name)
    return name


def shown(value, format):
    try:
        return annotationlib.get_annotations(value, format=format)
    except NameError as error:
        return str(error)


def described(reference):
    try:
        return type(reference).__name__, reference.evaluate()
    except NameError as error:
        return type(reference).__name__, str(error)


def noted(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)

    return wrapper


class Module:
    def method(self, x: kind("module")) -> "Module":
        return x


async def main():
    def silent(x: kind("x"), y: kind("y") = 1):
        return x

    def early(x: Late, y: list[Late] = ()) -> Never:
        return x

    @noted
    def wrapped(x: Late) -> list[Module]:
        return x

    class Body:
        Own = int
        a: Own
        if LOG == []:
            b: Late
        else:
            c: Never
        for Own in (str,):
            d: list[Own]
        __private: Own = 1

        def method(self, x: Own, y: Late, __z: Later = 2) -> Body:
            return x

    class Child(Body):
        e: Late

    def own(x):
        return x

    own.__annotate__ = lambda format: {"x": (format, Late)}

    class Own:
        pass

    def annotate(format, /):
        if format > 2:
            raise NotImplementedError
        return {"own": Late}

    Own.__annotate__ = annotate
    bare = early.__annotate__
    references = annotationlib.get_annotations(early, format=Format.FORWARDREF)
    method_references = annotationlib.get_annotations(Body.method, format=Format.FORWARDREF)
    before = [shown(early, format) for format in (Format.VALUE, Format.STRING)], len(LOG)
    await effect("before")
    early_names = [shown(Body, Format.VALUE), [shown(Body.method, format) for format in (Format.VALUE, Format.STRING)]]
    await effect("names")
    Late = int
    Body.Own = bytes
    await effect("bound", len(LOG))
    kept = early.__annotate__ is bare, bare.__name__
    found = [shown(value, format) for value in (early, wrapped, Body, Body.method, Child, own, Own) for format in (Format.VALUE, Format.STRING)]
    hints = [typing.get_type_hints(value, include_extras=True) for value in (Child,)]
    await effect("found", len(found))
    Never = Later = str
    complete = early.__annotations__
    complete["more"] = 1
    await effect("complete")
    calls = len(LOG)
    first = silent.__annotations__
    await effect("evaluated")
    Late = None
    return [
        before,
        early_names,
        kept,
        found[:2],
        [sorted(each) if isinstance(each, dict) else each for each in found[2:]],
        found[2]["return"].__args__[0] is Module,
        hints,
        calls,
        LOG,
        first is silent.__annotations__,
        complete is early.__annotations__,
        early.__annotations__,
        early.__annotate__(Format.VALUE),
        sorted(references),
        [described(reference) for reference in references.values() if not isinstance(reference, type(list[int]))],
        [described(reference) for reference in method_references.values() if not isinstance(reference, type)],
        noted(Module.method).__annotate__ is Module.method.__annotate__,
        Module.method.__annotations__,
        Body.__annotations__ if hasattr(Body, "__annotations__") else None,
        annotate is Own.__annotate__,
        LOG,
    ]


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
