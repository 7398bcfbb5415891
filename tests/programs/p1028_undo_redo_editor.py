# durable: on
"""A text editor with command objects, undo, redo, macros and a cursor kept by reference."""
import abc
import asyncio
import contextlib

from world import effect


class Command(abc.ABC):
    def __init__(self, editor, *args):
        self.editor = editor
        self.args = args

    @abc.abstractmethod
    async def do(self): ...

    def undo(self):
        self.editor.lines[:], self.editor.cursor[:] = self.before

    async def run(self):
        self.before = (list(self.editor.lines), list(self.editor.cursor))
        await self.do()
        return self


class Insert(Command):
    async def do(self):
        (text,) = self.args
        row, column = self.editor.cursor
        line = self.editor.lines[row]
        self.editor.lines[row] = line[:column] + await effect(f"insert {text}", text) + line[column:]
        self.editor.cursor[1] += len(text)


class Split(Command):
    async def do(self):
        row, column = self.editor.cursor
        line = self.editor.lines[row]
        self.editor.lines[row : row + 1] = [line[:column], line[column:]]
        self.editor.cursor[:] = [row + 1, await effect("split", 0)]


class Macro(Command):
    async def do(self):
        for command in self.args:
            await command.run()


class Editor:
    def __init__(self):
        self.lines = [""]
        self.cursor = [0, 0]
        self.done = []
        self.undone = []
        self.recording = None

    async def execute(self, kind, *args):
        command = await kind(self, *args).run()
        self.done.append(command)
        self.undone.clear()
        if self.recording is not None:
            self.recording.append(kind(self, *args))

    @contextlib.contextmanager
    def record(self):
        self.recording = []
        try:
            yield self.recording
        finally:
            self.recording = None

    def undo(self):
        self.undone.append(self.done.pop())
        self.undone[-1].undo()

    async def redo(self):
        self.done.append(await self.undone.pop().run())


async def main():
    editor = Editor()
    cursor, states = editor.cursor, []
    await editor.execute(Insert, "hello")
    with editor.record() as macro:
        await editor.execute(Split)
        await editor.execute(Insert, "wo")
    await editor.execute(Macro, *macro)
    states.append((list(editor.lines), tuple(cursor)))
    editor.undo()
    editor.undo()
    states.append((list(editor.lines), tuple(cursor)))
    await effect("undone")
    await editor.redo()
    await editor.redo()
    states.append((list(editor.lines), tuple(cursor), cursor is editor.cursor))
    return states, [type(c).__name__ for c in editor.done], len(editor.undone), editor.recording


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
