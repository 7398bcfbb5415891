# durable: on
"""Flows for the tests of loading: each holds what cannot be saved, what is hashed before it is complete, and frames to prime."""

import asyncio
import socket

import durable_import
from durable_import.running.instance.run import SEGMENTS_FROM
from tests.running.effects import effect, hold

MANY = SEGMENTS_FROM + 8
connections = []  # all that were opened
broken = set()  # the names of parcels that cannot be unpacked
letters = {}  # what opening a letter does, by its name


@durable_import.reopenable
class Connection:
    """Cannot be saved."""

    def __init__(self, name):
        self.name = name

    def __enter__(self):
        self.socket = socket.socket()
        connections.append(self)
        return self

    def __exit__(self, *_):
        self.socket.close()

    def ask(self):
        return self.name


class Person:
    """Hashed by its name, in a circle with the set that it is in."""

    def __init__(self, name):
        self.name = name
        self.friends = {self}

    def __eq__(self, other):
        return type(other) is Person and self.name == other.name

    def __hash__(self):
        return hash(self.name)


class Parcel:
    """Unpacked by its own ``__setstate__``, which may fail."""

    def __init__(self, name):
        self.name = name

    def __getstate__(self):
        return {"name": self.name}

    def __setstate__(self, state):
        if state["name"] in broken:
            raise LookupError(f"no parcel for {state['name']}")
        self.__dict__.update(state)


class Letter:
    """Opened when it is loaded."""

    def __init__(self, name):
        self.name = name

    def __reduce__(self):
        return open_letter, (self.name,)


def open_letter(name):
    if name in letters:
        letters[name]()
    return Letter(name)


class Ticket:
    """What a coroutine gives to who drives it."""

    def __init__(self, name):
        self.name = name

    def __await__(self):
        return (yield self.name)


def count(name):
    for number in range(1000):
        yield name, number


async def draw(name):
    return name, await Ticket(name)


async def connect(gate, name):
    """Gives the names of all it finds after the gate, and whether what was one object still is."""
    parcel = Parcel(name)
    with Connection(name) as connection:
        held = {"list": [connection, (connection, 1)], "bound": connection.ask}
        await effect("holding")
        await hold(gate)
        is_one = held["list"][0] is held["list"][1][0] is connection
        return {name, parcel.name, connection.name, held["list"][0].name, held["bound"]()}, is_one


async def connect_in_circle(gate, name):
    """The same with an object that is hashed before it is complete, and a call of foreign code that is made again."""
    person, parcel, held_up = Person(name), Parcel(name), asyncio.create_task(hold(gate))
    await effect("begun")
    with Connection(name) as connection:
        held = [connection, {person: connection}]
        await effect("holding")
        await held_up
        is_one = held[0] is held[1][person] is connection and next(iter(person.friends)) is person
        return {name, parcel.name, person.name, connection.name, held[0].name}, is_one


async def keep_all(gate, name):
    """The same with frames that were begun by hand."""
    person, parcel, numbers, drawn = Person(name), Parcel(name), count(name), draw(name)
    next(numbers), drawn.send(None)
    with Connection(name) as connection:
        held = [connection, {person: connection}]
        await effect("holding")
        await hold(gate)
        is_one = held[0] is held[1][person] is connection and next(iter(person.friends)) is person
        try:
            drawn.send("done")
        except StopIteration as stop:
            return {name, parcel.name, person.name, connection.name, next(numbers)[0], stop.value[0]}, is_one


async def open_inside(gate, name):
    """The same with a letter between two references to what cannot be saved."""
    person, parcel = Person(name), Parcel(name)
    with Connection(name) as connection:
        held = [connection, Letter(name), {person: connection}]
        await effect("holding")
        await hold(gate)
        is_one = held[0] is held[2][person] is connection and next(iter(person.friends)) is person
        return {name, parcel.name, person.name, connection.name, held[0].name, held[1].name}, is_one


async def share(gate, name):
    """The same in many tasks, of which few run: with objects that several of them hold, and without what cannot be saved."""
    person, parcel, opened = Person(name), Parcel(name), asyncio.Event()

    async def one():
        mine = [person, parcel]
        await opened.wait()
        return {each.name for each in mine} | {name}, mine[0] is person and mine[1] is parcel

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one()) for _ in range(MANY)]
        for _ in range(20):
            await effect("turn")
        await effect("holding")
        await hold(gate)
        opened.set()
    results = [task.result() for task in tasks]
    return set().union(*(names for names, _ in results)), all(is_one for _, is_one in results)
