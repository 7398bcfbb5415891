"""Lists of instances: by their tags, by who has started them, and from a shell."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from durable_import import DurableRuntime, InstanceQuery
from durable_import.cli.main import main
from tests.running.effects import world
from tests.running.test_life import until, until_status

URLS = ("memory:", "disk://{}/store", "sqlite:///{}/state.db")


async def found(runtime: DurableRuntime, **asked: Any) -> list[str]:
    """The ids in a list, the oldest first."""
    return [each.instance_id for each in (await runtime.list(InstanceQuery(order="oldest", **asked))).instances]


@pytest.mark.parametrize("url", URLS)
async def test_tags_are_given_at_the_start(url: str, tmp_path: Path, flows: ModuleType) -> None:
    """They find the instance from then on; one that exists keeps those that it began with."""
    async with DurableRuntime(url.format(tmp_path)) as runtime:
        await runtime.options(instance_id="one", tags={"customer": "c1", "kind": "nap"}).start(flows.nap, 3600)
        of_first = runtime.options(tags={"customer": "c1"})
        assert await of_first.run(flows.add, 1, b=2) == 3
        await runtime.options(instance_id="two", tags={"customer": "c2"}).start(flows.nap, 3600)
        await runtime.options(instance_id="two", tags={"customer": "c1"}).start(flows.nap, 3600)
        await runtime.start(flows.nap, 3600, instance_id="three")
        assert len(await found(runtime, tag=("customer", "c1"))) == 2
        assert await found(runtime, tag=("customer", "c2")) == ["two"]
        assert await found(runtime, tag=("kind", "nap")) == ["one"]
        assert (await runtime.summary_of("one")).tags == {"customer": "c1", "kind": "nap"}
        page = await runtime.list(InstanceQuery(limit=3))
        assert page.cursor is not None
        rest = await runtime.list(InstanceQuery(limit=3, cursor=page.cursor))
        assert (len(page.instances), len(rest.instances), rest.cursor) == (3, 1, None)


@pytest.mark.parametrize("url", URLS)
async def test_a_child_has_its_parent(url: str, tmp_path: Path, flows: ModuleType) -> None:
    """What an instance starts is found by its id, with the tags that it is given; the options may be kept in a variable."""
    async with DurableRuntime(url.format(tmp_path)) as runtime:
        assert await runtime.run(flows.start_children, instance_id="up") == [1, 2]
        children = await found(runtime, parent="up")
        assert children == ["first", *await found(runtime, tag=("which", "second"))]
        assert len(children) == 2
        assert [(await runtime.summary_of(child)).parent for child in children] == ["up", "up"]
        assert (await runtime.summary_of("up")).parent is None


@pytest.mark.parametrize("url", URLS[1:])
async def test_unnamed_children_are_the_same_after_a_crash(url: str, tmp_path: Path, flows: ModuleType) -> None:
    """A call of ``options(...).start`` that is made again begins no second one."""
    async with DurableRuntime(url.format(tmp_path)) as runtime:
        await runtime.start(flows.start_and_wait, instance_id="up")
        await until(lambda: "child" in world)
    async with DurableRuntime(url.format(tmp_path)) as runtime:
        await runtime.recover()
        await runtime.publish_event("up", "go")
        assert await runtime.run(flows.start_and_wait, instance_id="up") == "gone"
        assert len(await found(runtime)) == 2


@pytest.mark.parametrize("tags", [{"customer": 5}, {5: "c1"}, [("customer", "c1")]])
async def test_tags_are_texts(tags: Any, flows: ModuleType) -> None:
    """Others are refused at once, with their name."""
    async with DurableRuntime("memory:") as runtime:
        with pytest.raises(TypeError, match="tag"):
            await runtime.options(tags=tags).run(flows.add, 1)


def test_the_command_lists_instances(tmp_path: Path, flows: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    """A line for each, by all that can be asked for; nothing of them is needed but the store."""
    url = f"sqlite:///{tmp_path}/state.db"

    async def begin() -> None:
        async with DurableRuntime(url) as runtime:
            for name, customer in (("order-1", "c1"), ("order-2", "c2"), ("odd\nname", "c1")):
                await runtime.options(instance_id=name, tags={"customer": customer}).run(flows.add, 1)

    asyncio.run(begin())
    assert main(["list", "--store", url, "--tag", "customer=c1", "--status", "completed"]) == 0
    heading, *lines = capsys.readouterr().out.splitlines()
    assert heading.split() == ["id", "status", "function", "changed", "where"]
    assert [line.split()[:3] for line in lines] == [["'odd\\nname'", "completed", "add"], ["order-1", "completed", "add"]]
    assert main(["list", "--store", url, "--limit", "2"]) == 0
    told = capsys.readouterr()
    assert len(told.out.splitlines()) == 3
    assert "there are more than these 2" in told.err
    for asked in (["--parent", "order-1"], ["--prefix", "x"], ["--function", "nap"], ["--status", "stuck"]):
        assert main(["list", "--store", url, *asked]) == 0
        told = capsys.readouterr()
        assert (told.out, "there is no such instance" in told.err) == ("", True)
    assert main(["list", "--store", "nonsense:"]) == 70
    with pytest.raises(SystemExit):
        main(["list", "--store", url, "--tag", "customer"])


def test_the_command_shows_the_stack(tmp_path: Path, flows: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    """Like a traceback, below what is small; without the key that says so, and the rest is shown."""
    url = f"sqlite:///{tmp_path}/state.db"

    async def begin() -> None:
        async with DurableRuntime(url) as runtime:
            await runtime.start(flows.approve, {"n": 7}, instance_id="order-1")
            await until_status(runtime.handle("order-1"), "waiting")

    asyncio.run(begin())
    assert main(["show", "order-1", "--store", url]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["status:", "waiting"]
    assert "begun as approve({'n': 7})" in lines
    assert "Task 'instance order-1' waits for event 'approval':" in lines
    assert lines[-2:] == ['    answer = await wait_for_event("approval")', "      order = {'n': 7}"]
    (tmp_path / "state.db.key").unlink()
    assert main(["show", "order-1", "--store", url]) == 0
    told = capsys.readouterr()
    assert "waiting" in told.out
    assert "state.db.key" in told.err
    assert main(["show", "order-2", "--store", url]) == 2
    assert "no instance 'order-2'" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["list"], ["show", "order-1"], ["retry", "order-1"]], ids=lambda command: command[0])
def test_commands_make_no_store(command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where there is none, that is said."""
    assert main([*command, "--store", f"sqlite:///{tmp_path}/nowhere/state.db"]) == 70
    assert "none was made" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
