"""What a script has at module level, in other modules and in its surroundings, before and after a kill."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness.processes import KILLED, Desk


def killed_everywhere(desk: Desk, *arguments: str, effects: int) -> str:
    """Everything that a program prints when it is killed in each of its effects; each happens twice."""
    printed = ""
    for number in range(effects):
        killed = desk.run(*arguments, kill_at=2 * number + 1)
        assert killed.status == KILLED, killed
        printed += killed.out
    done = desk.run(*arguments)
    assert (done.status, done.err) == (0, ""), done
    assert len(desk.effects) == 2 * effects
    assert desk.effects[::2] == desk.effects[1::2]
    return printed + done.out


MODULE_DATA = """
    # durable: on
    import asyncio, collections
    from world import effect

    count = 0
    names = ["zero"]
    table = {"zero": 0}
    seen = set()
    recent = collections.deque(maxlen=2)
    by_length = collections.defaultdict(list)
    constant = ("never", "changed")

    class Account:
        opened = 0
        registry = {}

        def __init__(self, owner):
            self.owner = owner
            self.balance = 0
            Account.opened += 1
            Account.registry[owner] = self

    account = Account("first")
    same_names = names
    holders = [account, names]

    async def step(name):
        global count, late
        count += 1
        late = f"after {name}"
        names.append(name)
        table[name] = count
        seen.add(name)
        recent.append(name)
        by_length[len(name)].append(name)
        account.balance += count
        Account(name)
        await effect(name)

    def report():
        print(count, names, table, sorted(seen), list(recent), dict(by_length), late, constant)
        print(account.balance, Account.opened, list(Account.registry), Account.registry["first"] is account)
        print(same_names is names, holders[0] is account, holders[1] is names, type(recent), recent.maxlen)

    async def main():
        for name in ("one", "two", "three"):
            await step(name)
        report()

    asyncio.run(main())
    report()
"""


def test_module_level_data(desk: Desk) -> None:
    """Counters, containers, instances and class attributes of the script are as they were, and still the same objects."""
    path = desk.write("data.py", MODULE_DATA)
    assert killed_everywhere(desk, "data.py", effects=3) == desk.native(str(path)).out


SEVERAL = """
    # durable: on
    import asyncio
    from world import effect

    total = 0

    async def part(name):
        global total
        for i in (1, 2):
            total += i
            await effect(f"{name} {i}")
        return name.upper()

    print("top")
    first = asyncio.run(part("first"))
    print(first, total)
    second = asyncio.run(part("second"))
    print(first, second, total)
    with asyncio.Runner() as runner:
        print([runner.run(part(first)), runner.run(part(second))], total)
"""


@pytest.mark.slow
def test_several_runs_in_one_script(desk: Desk) -> None:
    """A crash in the third asyncio.run repeats neither the first nor the second; their results come from the store."""
    path = desk.write("several.py", SEVERAL)
    native = desk.native(str(path))
    log = desk.folder / "effects"
    names = log.read_text().splitlines()
    log.unlink()
    for number in range(len(names)):
        assert desk.run("several.py", kill_at=2 * number + 1).status == KILLED
    done = desk.run("several.py")
    assert (done.status, done.out, done.err) == (0, native.out, "")
    assert desk.effects == [name for name in names for _ in range(2)]
    assert desk.rows() == []


FAILING = """
    # durable: on
    import asyncio, pathlib
    from world import effect, fail

    async def risky(n):
        value = await effect(f"before {n}", n)
        if n == 2 and not pathlib.Path("repaired").exists():
            raise RuntimeError(f"not yet {value}")
        return value

    async def main():
        found = []
        for n in range(4):
            found.append(await risky(n))
        return found

    print(asyncio.run(main()))
"""


@pytest.mark.slow
def test_failed_program_is_retried(desk: Desk) -> None:
    """A program that ended by an exception goes on from its last checkpoint when it is run again, as often as needed."""
    path = desk.write("failing.py", FAILING)
    for attempt in range(3):
        failed = desk.run("--instance", "f", "failing.py")
        assert failed.status == 1
        assert failed.err.endswith("RuntimeError: not yet 2\n")
        assert f"durable_import: {'retrying' if attempt else 'starting'} instance f" in failed.said
        assert f"run the same command again to try again from {path}:6 (checkpoint 3)" in failed.said
        assert "--fresh" in failed.said
    (desk.folder / "repaired").touch()
    done = desk.run("--instance", "f", "failing.py")
    assert (done.status, done.out, done.err) == (0, "[0, 1, 2, 3]\n", "")
    assert desk.effects == ["before 0", "before 1", "before 2", "before 3"]


def test_failed_await_is_retried(desk: Desk) -> None:
    """An await that failed, uncaught, is done again by the next run."""
    desk.write(
        "failing.py",
        """
        # durable: on
        import asyncio, os
        from world import effect, fail

        async def main():
            await effect("before")
            if "GO" in os.environ:
                return await effect("call", "went")
            await fail("call", OSError("unreachable"))

        print(asyncio.run(main()))
    """,
    )
    for _ in range(2):
        failed = desk.run("failing.py")
        assert failed.status == 1
        assert failed.err.endswith("OSError: unreachable\n")
    assert desk.effects == ["before", "call", "call"]


@pytest.mark.slow
def test_modules_of_the_script(desk: Desk) -> None:
    """Frames of marked modules are durable too; an unmarked module runs as it is, as part of one await."""
    path = desk.write(
        "shop.py",
        """
        # durable: on
        import asyncio
        import parts.marked, parts.plain
        from parts.marked import order

        async def main():
            basket = []
            print(await order("tea", basket, parts.plain.together), basket)
            print([x async for x in parts.marked.countdown(2)])

        asyncio.run(main())
    """,
    )
    desk.write("parts/__init__.py", "")
    desk.write(
        "parts/marked.py",
        '''
        """A library."""
        # durable: on
        from world import effect

        class Order:
            def __init__(self, what):
                self.what = what

        async def order(what, basket, together):
            made = Order(what)
            basket.append(made.what)
            await effect(f"pay {what}")
            basket.append(await together(effect, what))
            await effect(f"ship {what}")
            return made.what, type(made) is Order

        async def countdown(n):
            while n:
                n -= 1
                yield await effect(f"count {n}", n)
    ''',
    )
    desk.write(
        "parts/plain.py",
        """
        async def together(effect, what):
            return await effect(f"both {what}", 2)
    """,
    )
    native = desk.native(str(path))
    (desk.folder / "effects").unlink()
    assert killed_everywhere(desk, "shop.py", effects=5) == native.out


@pytest.mark.slow
def test_context_variables_and_surroundings(desk: Desk) -> None:
    """Context variables that the program set are set again; arguments and the environment are those of the new process."""
    path = desk.write(
        "surroundings.py",
        """
        # durable: on
        import asyncio, contextvars, decimal, os, random
        from world import effect

        user = contextvars.ContextVar("user", default="nobody")

        async def inner():
            token = user.set("inner")
            await effect("inner")
            print(user.get())
            user.reset(token)

        async def main():
            user.set("ann")
            generator = random.Random(3)
            numbers = [generator.random()]
            with decimal.localcontext() as context:
                context.prec = 4
                await effect("one")
                print(decimal.Decimal(1) / 3)
            await inner()
            numbers.append(generator.random())
            await effect("two")
            numbers.append(generator.random())
            print(user.get(), numbers, decimal.getcontext().prec)

        asyncio.run(main())
        print(user.get())
    """,
    )
    native = desk.native(str(path))
    (desk.folder / "effects").unlink()
    assert killed_everywhere(desk, "surroundings.py", effects=3) == native.out


@pytest.mark.slow
def test_process_objects_at_module_level(desk: Desk) -> None:
    """Connections, locks and loggers made at module level just work: each process makes its own."""
    path = desk.write(
        "client.py",
        """
        # durable: on
        import asyncio, logging, sqlite3, threading
        from world import effect

        client, lock, log = sqlite3.connect(":memory:"), threading.Lock(), logging.getLogger("shop")

        async def use(*held):
            with lock:
                await effect("use")
            return held == (client, lock, log)

        async def main():
            held = client, lock, log
            await effect("begin")
            print(await use(*held))

        asyncio.run(main())
    """,
    )
    native = desk.native(str(path))
    (desk.folder / "effects").unlink()
    assert killed_everywhere(desk, "client.py", effects=2) == native.out


@pytest.mark.slow
def test_nothing_printed_is_lost_or_doubled(desk: Desk) -> None:
    """What is printed between two awaits reaches a file or pipe once, over any number of kills."""
    path = desk.write(
        "prints.py",
        """
        # durable: on
        import asyncio, sys
        from world import effect

        async def main():
            for i in range(4):
                print("line", i, "x" * 3000)
                sys.stdout.write("no newline ")
                await effect(f"{i}")
                print("after", i)
            print("end")

        print("top")
        asyncio.run(main())
    """,
    )
    native = desk.native(str(path)).out
    (desk.folder / "effects").unlink()
    printed = killed_everywhere(desk, "prints.py", effects=4)
    assert printed.replace("top\n", "") == native.replace("top\n", "")


TRACEBACK = """
    # durable: on
    import asyncio
    from helper_module import call
    from world import effect, fail

    class Resource:
        async def __aenter__(self):
            return self
        async def __aexit__(self, *details):
            await effect("exit")

    async def inner(n):
        async with Resource():
            try:
                await effect("inner")
                {failure}
            except KeyError as error:
                await effect("handler")
                raise RuntimeError(
                    "wrapped") from error

    async def main():
        values = [await effect("first", 0)]
        await effect("second")
        return await inner(
            values[0])

    if __name__ == "__main__":
        asyncio.run(main())
"""

FAILURES = {
    "raise": "raise ValueError(n)",
    "expression": "return [1, 2][n + 2] + (await effect('never'))",
    "step": "await fail('step', ValueError('from a step'))",
    "chained": "return {}['missing']",
    "foreign": "call(lambda: 1 / n)",
    "after await": "return (await effect('none', None)).nothing",
}


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("killed", [0, 4])
def test_traceback_of_an_uncaught_exception(desk: Desk, failure: str, killed: int) -> None:
    """The traceback on stderr is the native one to the letter, in the first process and after a resume."""
    path = desk.write("broken.py", TRACEBACK.format(failure=FAILURES[failure]))
    desk.write("helper_module.py", "def call(function):\n    return function()\n")
    native = desk.native(str(path))
    (desk.folder / "effects").unlink()
    if killed:
        assert desk.run("broken.py", kill_at=killed).status == KILLED
    durable = desk.run("broken.py")
    assert durable.status == native.status == 1
    assert durable.err == native.err


def test_source_lines_in_tracebacks_of_packages(desk: Desk) -> None:
    """A package run with -m shows its own files in tracebacks, not ours."""
    desk.write("pack/__init__.py", "")
    desk.write(
        "pack/__main__.py",
        """
        # durable: on
        import asyncio
        from .work import work

        asyncio.run(work())
    """,
    )
    desk.write(
        "pack/work.py",
        """
        # durable: on
        from world import effect

        async def work():
            await effect("one")
            raise LookupError("at the end")
    """,
    )
    native = desk.native("-m", "pack").err.splitlines()
    (desk.folder / "effects").unlink()
    assert desk.run("-m", "pack", kill_at=1).status == KILLED
    durable = desk.run("-m", "pack").err.splitlines()
    start = next(i for i, line in enumerate(native) if str(Path("pack", "__main__.py")) in line)
    assert durable == [native[0], *native[start:]]
