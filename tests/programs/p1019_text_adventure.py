# durable: on
"""A scripted text adventure with rooms, inventory, a parser of commands and undo by deep copies."""
import asyncio
import copy
from dataclasses import dataclass, field

from world import effect, fail


@dataclass
class Room:
    name: str
    exits: dict = field(default_factory=dict, repr=False)
    items: list = field(default_factory=list)
    locked: bool = False


class Quit(Exception):
    pass


class Game:
    def __init__(self):
        hall, cellar, tower = Room("hall", items=["lamp"]), Room("cellar", items=["key"]), Room("tower", locked=True)
        hall.exits.update(down=cellar, up=tower)
        cellar.exits["up"] = hall
        tower.exits["down"] = hall
        self.here = hall
        self.inventory = []
        self.lit = False
        self.output = []

    def say(self, text):
        self.output.append(text)

    async def do_go(self, direction):
        room = self.here.exits.get(direction)
        if room is None:
            return self.say("no way")
        if room.locked:
            if "key" not in self.inventory:
                return self.say("locked")
            room.locked = await effect(f"unlock {room.name}", False)
        self.here = room
        self.say(f"in {room.name}" if self.lit or room.name != "cellar" else "dark")

    async def do_take(self, item):
        if item == "key" and not self.lit:
            return self.say("too dark")
        self.here.items.remove(item)
        self.inventory.append(await effect(f"take {item}", item))

    async def do_light(self):
        self.lit = await effect("light", "lamp" in self.inventory)

    async def do_quit(self):
        await fail("quit", Quit(len(self.output)))


async def main():
    game = Game()
    saves = []
    script = iter(["go down", "go up", "go up", "take lamp", "light", "go down", "take key", "undo", "take key", "go up", "fly", "go up", "quit", "light"])
    try:
        for line in script:
            verb, *arguments = (await effect(f"> {line}", line)).split() if "undo" not in line else [line]
            if verb == "undo":
                game = saves.pop()
                continue
            saves.append(copy.deepcopy(game))
            command = getattr(game, f"do_{verb}", None)
            if command is None:
                game.say(f"cannot {verb}")
                continue
            await command(*arguments)
    except Quit as error:
        game.say(f"bye {error}")
    return game.output, game.inventory, game.here, len(saves), next(script), game.here.exits["down"].exits["up"].name


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
