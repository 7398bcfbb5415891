# durable: on
"""Bursts of edits are debounced by call_later: each burst is saved once, with its last text."""
import asyncio

from world import effect


class Debouncer:
    def __init__(self, delay, function):
        self.delay = delay
        self.function = function
        self.handle = None
        self.calls = 0
        self.cancelled = 0
        self.tasks = set()

    def __call__(self, *args):
        self.calls += 1
        if self.handle is not None:
            self.handle.cancel()
            self.cancelled += 1
        self.handle = asyncio.get_running_loop().call_later(self.delay, self.fire, args)

    def fire(self, args):
        self.handle = None
        task = asyncio.ensure_future(self.function(*args))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)


class Editor:
    def __init__(self):
        self.text = ""
        self.saved = asyncio.Queue()
        self.save = Debouncer(0.05, self.store)

    async def store(self, text):
        version = await effect(f"save {text!r}", len(text))
        await self.saved.put((text, version))

    def type(self, characters):
        for character in characters:
            self.text += character
            self.save(self.text)


async def main():
    editor = Editor()
    saved = []
    for burst in ("he", "llo", " world"):
        editor.type(burst)
        saved.append(await editor.saved.get())

    leading = []
    quiet = asyncio.Event()

    async def once(value):
        leading.append(value)
        quiet.set()

    notify = Debouncer(0.02, once)
    for n in range(100):
        notify(n)
    await quiet.wait()
    await asyncio.sleep(0)
    return saved, editor.save.calls, editor.save.cancelled, editor.text, leading, notify.cancelled, notify.tasks


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
