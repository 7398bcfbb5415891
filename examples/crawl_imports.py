# durable: on
"""Crawl the standard library over HTTP: follow the imports of one module to all that it needs, several pages at a time.

Run it, kill it as often as you like (from another terminal: kill -9 PID), and run the same command again:

    python -m durable_import run examples/crawl_imports.py
    python -m durable_import run examples/crawl_imports.py --start asyncio --workers 3 --pause 0

All workers go on where they were: what is in the queue, what was found, who waits for what. Only the requests that were
under way are made again. The web server is a process of its own; a run that goes on starts another one, as the `with`
block says, and all who hold the old one get the new one.
"""

import argparse
import ast
import asyncio
import subprocess
import sys
import sysconfig
import time
import urllib.error
import urllib.request
from collections import Counter
from dataclasses import dataclass
from types import TracebackType

SERVER = """
import functools, http.server, sys, threading

class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *details): pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=sys.argv[1]))
print(server.server_port, flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()  # until the one who has begun it is gone
"""


class WebServer:
    """Serves a folder as long as the `with` block and this process last."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def __enter__(self) -> "WebServer":
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVER, self.folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.address = f"http://127.0.0.1:{int(self.process.stdout.readline())}"
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.process.communicate("")

    def get(self, path: str) -> bytes | None:
        """The page under a path, if there is one."""
        try:
            with urllib.request.urlopen(f"{self.address}/{path}", timeout=10) as page:
                content: bytes = page.read()
                return content
        except urllib.error.HTTPError:
            return None


@dataclass
class Module:
    """What is known of a module: ``imports`` are the names of others, whether they exist or not."""

    name: str
    lines: int
    imports: set[str]


def read(server: WebServer, name: str) -> Module | None:
    """Fetch the source of a module and find its imports; None for one that has none, such as `sys`."""
    path = name.replace(".", "/")
    package, source = name, server.get(f"{path}/__init__.py")
    if source is None:
        package, source = name.rpartition(".")[0], server.get(f"{path}.py")
    if source is None:
        return None
    imports = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            imports |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*parents, *([node.module] if node.module else [])])
            imports |= {base} if node.module else {f"{base}.{alias.name}" for alias in node.names}
    return Module(name, source.count(b"\n"), imports)


class Crawl:
    """What all workers share."""

    def __init__(self, start: str) -> None:
        self.begun = time.time()
        self.queue: asyncio.Queue[str] = asyncio.Queue()
        self.seen: set[str] = set()
        self.modules: dict[str, Module] = {}
        self.put(start)

    def put(self, name: str) -> None:
        """Let some worker look at a module, unless one has."""
        if name not in self.seen:
            self.seen.add(name)
            self.queue.put_nowait(name)

    def keep(self, module: Module) -> None:
        """A module was read."""
        self.modules[module.name] = module
        for name in sorted(module.imports):
            self.put(name)
        if len(self.modules) % 25 == 0:
            waiting, seconds = self.queue.qsize(), time.time() - self.begun
            print(f"{len(self.modules):4} modules, {waiting:3} names to look up, {seconds:5.1f} s: {module.name}")


async def work(crawl: Crawl, server: WebServer, pause: float) -> None:
    """Look at one module after another, for ever."""
    while True:
        name = await crawl.queue.get()
        async with asyncio.timeout(30):
            module = await asyncio.to_thread(read, server, name)
        if module is not None:
            crawl.keep(module)
            await asyncio.sleep(pause)  # as a polite crawler does
        crawl.queue.task_done()


async def main(start: str, workers: int, pause: float) -> None:
    crawl = Crawl(start)
    with WebServer(sysconfig.get_path("stdlib")) as server:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(work(crawl, server, pause)) for _ in range(workers)]
            await crawl.queue.join()
            for task in tasks:
                task.cancel()

    modules = crawl.modules
    wanted = Counter(name for module in modules.values() for name in module.imports if name in modules)
    print(f"\n{start} needs {len(modules)} modules with {sum(module.lines for module in modules.values())} lines")
    for name, count in sorted(wanted.items(), key=lambda pair: (-pair[1], pair[0]))[:10]:
        print(f"  {count:4} of them import {name}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Follow the imports of a module of Python's standard library.")
    parser.add_argument("--start", default="pydoc", metavar="MODULE", help="where to begin (default: pydoc)")
    parser.add_argument("--workers", type=int, default=5, metavar="N", help="how many at a time (default: 5)")
    parser.add_argument("--pause", type=float, default=0.4, metavar="SECONDS", help="rest of a worker after each module")
    options = parser.parse_args()
    asyncio.run(main(options.start, options.workers, options.pause))
