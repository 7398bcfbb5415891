"""Programs with a scheduler that calls their functions in the background, killed and resumed: apscheduler."""

from __future__ import annotations

import pytest

from tests.harness.killing import killed_at
from tests.harness.processes import Desk

OF_AN_OBJECT = """
    # durable: on
    import asyncio

    from apscheduler.schedulers.asyncio import AsyncIOScheduler
    from apscheduler.schedulers.background import BackgroundScheduler

    from world import effect

    class App:
        def __init__(self):
            self.seen = []
            self.scheduler = AsyncIOScheduler()
            self.scheduler.add_job(self.note, "interval", seconds=0.05, args=["method"], id="method")
            self.job = self.scheduler.add_job(self.later, "interval", seconds=0.05, max_instances=3)
            self.once = self.scheduler.add_job(self.note, args=["once"], misfire_grace_time=None)

            def nested():
                self.seen.append("nested")

            self.scheduler.add_job(nested, "interval", seconds=0.05)

        def note(self, what):
            self.seen.append(what)

        async def later(self):
            self.seen.append("coroutine")

        async def have_seen(self, *kinds):
            self.seen = [each for each in self.seen if each == "once"]
            while not set(kinds) <= set(self.seen):
                await asyncio.sleep(0.01)

        async def run(self):
            self.scheduler.start()
            threads = BackgroundScheduler(daemon=True)
            threads.start()
            job = threads.add_job(self.note, "interval", seconds=0.05, args=["thread"])
            await self.have_seen("once", "method", "coroutine", "nested", "thread")
            await effect("started")
            await self.have_seen("method", "nested", "thread")
            await effect("goes on")
            self.scheduler.pause()
            await effect("paused")
            is_paused = self.scheduler.state
            self.scheduler.resume()
            await self.have_seen("method", "nested", "thread")
            self.job.remove()
            job.remove()
            await effect("jobs removed")
            left = [each.id for each in self.scheduler.get_jobs()]
            print(is_paused, self.seen.count("once"), len(left), "method" in left, threads.get_jobs(), self.scheduler.running)
            self.scheduler.shutdown()
            threads.shutdown()
            await effect("shut down")
            print(self.scheduler.running, is_paused, len(left))

    async def main():
        await App().run()

    asyncio.run(main())
"""

OF_A_MODULE = """
    # durable: on
    import asyncio

    import schedules
    from apscheduler.schedulers.asyncio import AsyncIOScheduler

    from world import effect

    scheduler = AsyncIOScheduler()
    seen = []

    @scheduler.scheduled_job("interval", seconds=0.05, id="decorated")
    def decorated():
        seen.append("decorated")

    async def have_seen(*kinds):
        seen.clear()
        schedules.seen.clear()
        while not set(kinds) <= {*seen, *schedules.seen}:
            await asyncio.sleep(0.01)

    async def main():
        scheduler.add_job(lambda: seen.append("added"), "interval", seconds=0.05)
        scheduler.start()
        schedules.scheduler.start()
        await have_seen("decorated", "added", "of another module")
        await effect("started")
        await have_seen("decorated", "added", "of another module")
        scheduler.remove_job("decorated")
        await effect("one is removed")
        await have_seen("added", "of another module")
        scheduler.shutdown()
        await effect("shut down")
        print([job.id for job in scheduler.get_jobs()], scheduler.running, schedules.scheduler.running)

    asyncio.run(main())
"""

SCHEDULES = """
    from apscheduler.schedulers.asyncio import AsyncIOScheduler

    scheduler = AsyncIOScheduler()
    seen = []

    @scheduler.scheduled_job("interval", seconds=0.05)
    def decorated():
        seen.append("of another module")
"""


@pytest.mark.slow
def test_scheduler_of_an_object(desk: Desk) -> None:
    """It is there again with its jobs, in the state in which it was; a job that has run once does not run again."""
    killed_at(desk, {"program.py": OF_AN_OBJECT}, (2, 4))


@pytest.mark.slow
@pytest.mark.parametrize("place", [1, 3, 5])
def test_scheduler_of_an_object_everywhere(desk: Desk, place: int) -> None:
    """The same at the other places."""
    killed_at(desk, {"program.py": OF_AN_OBJECT}, place)


def test_schedulers_of_modules(desk: Desk) -> None:
    """Those that modules have made are started again, with the jobs of then, if the program had started them."""
    killed_at(desk, {"program.py": OF_A_MODULE, "schedules.py": SCHEDULES}, (2, 3))


def test_scheduler_that_others_have_made(desk: Desk) -> None:
    """One that the script makes for the coroutine that it runs holds, and the message says where to make it."""
    text = OF_AN_OBJECT.replace("async def main():\n        await App().run()\n", "").replace("main()", "App().run()")
    desk.write("program.py", text)
    done = desk.run("program.py")
    assert done.status == 0, done
    assert "`self.scheduler` of instance" in done.said, done
    assert "AsyncIOScheduler that was not made in this instance). Make it within the coroutine" in done.said, done


POLLER = """
    import asyncio

    class Poller:
        def __init__(self, source):
            self.source = source
            self.polls = 0
            self._task = None

        def start(self):
            self._task = asyncio.create_task(self._run())

        async def _run(self):
            while True:
                self.polls += 1
                await asyncio.sleep(0.01)

        def stop(self):
            self._task.cancel()
"""

POLLS = """
    # durable: on
    import asyncio

    import durable_import
    import poller
    from world import effect

    durable_import.reopenable(poller.Poller, setup=poller.Poller.start)

    async def polled(made):
        before = made.polls
        while made.polls == before:
            await asyncio.sleep(0.01)

    async def main():
        made = poller.Poller("here")
        made.start()
        await polled(made)
        await effect("polled")
        await polled(made)
        await effect("polled again")
        await polled(made)
        print(made.source)
        made.stop()

    asyncio.run(main())
"""


def test_helper_with_a_task_of_its_own(desk: Desk) -> None:
    """It is made and started again if the program has said how; else it holds, and the message says that."""
    ends = killed_at(desk, {"program.py": POLLS, "poller.py": POLLER}, (1, 2))
    assert "is held" not in ends[0].said, ends
    desk.write("poller.py", POLLER)
    desk.write("program.py", POLLS.replace("durable_import.reopenable(", "dict(cls="))
    done = desk.run("program.py")
    assert done.status == 0, done
    assert "`made._task` of instance" in done.said, done
    assert "What has it works in the background: durable_import.reopenable(its class, setup=what starts it)" in done.said, done
