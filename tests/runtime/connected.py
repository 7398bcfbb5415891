# durable: on
"""Flows for the tests of loading: each holds what cannot be saved, what is hashed before it is complete, and frames to prime."""

import asyncio
import socket

from tests.runtime.effects import effect, hold

connections = []  # all that were opened
broken = set()  # the names of parcels that cannot be unpacked


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
    """The same with an object that is hashed before it is complete."""
    person, parcel = Person(name), Parcel(name)
    with Connection(name) as connection:
        held = [connection, {person: connection}]
        await effect("holding")
        await hold(gate)
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


async def connect_many(gate, name):
    """The same in many tasks, with objects that several of them hold."""
    person, parcel = Person(name), Parcel(name)

    async def one():
        with Connection(name) as connection:
            mine = [connection, person, parcel]
            await effect("holding")
            await hold(gate)
            is_one = mine[0] is connection and mine[1] is person and mine[2] is parcel
            return {mine[0].name, mine[1].name, mine[2].name}, is_one

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one()) for _ in range(40)]
    results = [task.result() for task in tasks]
    return set().union(*(names for names, _ in results)), all(is_one for _, is_one in results)
