# durable: on
"""Module-level instances of own classes with bases of libraries stay the objects that were registered elsewhere."""
import asyncio
import collections
import collections.abc
import logging

from world import effect


class Recent(logging.Handler):
    def __init__(self, size):
        super().__init__()
        self.lines = collections.deque(maxlen=size)
        self.count = 0

    def emit(self, record):
        self.count += 1
        self.lines.append(self.format(record))


class Settings(collections.abc.MutableMapping):
    def __init__(self):
        self.values_ = {}

    def __getitem__(self, key):
        return self.values_[key]

    def __setitem__(self, key, value):
        self.values_[key] = value

    def __delitem__(self, key):
        del self.values_[key]

    def __iter__(self):
        return iter(self.values_)

    def __len__(self):
        return len(self.values_)


recent, settings = Recent(3), Settings()
log = logging.getLogger("p219")
log.handlers[:] = [recent]
log.propagate = False
log.setLevel(logging.INFO)
observed = (settings, recent)


async def main():
    for turn in range(4):
        log.warning("turn %s", turn)
        settings[f"key {turn}"] = await effect(f"turn {turn}", turn)
    log.info("end")
    same = observed[0] is settings and observed[1] is recent and log.handlers[0] is recent
    return list(recent.lines), recent.count, dict(settings), same


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
