# durable: on
# requires: 3.13
"""Type parameters and aliases in a function: bounds, defaults and values that nobody has asked for yet."""
import asyncio
import typing

from world import effect

LOG = []


def noted(kind):
    LOG.append(kind.__name__)
    return kind


async def main():
    T = int

    def f[A: noted(T), B: (T, str), C = noted(T), *Ts = *tuple[T, T], **P = [T]](x: A, y: B) -> C:
        return x

    class Box[V: T = T]:
        held: V

        def put(self, value: V) -> None:
            self.held = value

    type Table[K: noted(T) = T] = dict[K, noted(T)]
    type Unknown = list[Missing]
    type Plain = tuple[T, ...]
    plain = Plain.__value__
    first = f.__type_params__[0]
    await effect("made", len(LOG))
    box = Box()
    box.put(await effect("value", 1))
    try:
        Unknown.__value__
    except NameError as error:
        problem = str(error)
        await effect("problem")
    V = Box.__type_params__[0]
    A, B, C, Ts, P = f.__type_params__
    calls = list(LOG)
    await effect("parameters", len(calls))
    found = [V.__bound__, V.__default__, A.__bound__, B.__constraints__, C.__default__, Ts.__default__, P.__default__]
    await effect("found", len(LOG))
    Missing = str
    return [
        problem,
        calls,
        found,
        A is first,
        Table.__value__.__args__[1],
        Table.__type_params__[0].__bound__,
        Table[int].__args__,
        Unknown.__value__,
        Plain.__value__ is plain,
        (Plain.__name__, Table.__module__ == __name__),
        box.held,
        Box.__orig_bases__[0].__args__[0] is V,
        Box.put.__annotations__["value"] is V,
        typing.get_type_hints(Box)["held"] is V,
        typing.get_type_hints(f)["return"] is C,
        LOG,
    ]


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
