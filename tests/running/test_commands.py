"""Commands that look at instances and ask for things: what they print, as lines and as documents, and how they end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from durable_import import DurableRuntime, InstanceCancelledError
from durable_import.cli.main import main
from tests.harness.imports import imported_rewritten
from tests.running.effects import reached_gates
from tests.running.test_life import until, until_status

Command = Callable[..., tuple[int, str, str]]

NUMBER, TEXT, TEXTS = (int, float), str, dict
SUMMARY: dict[str, Any] = {
    "id": TEXT, "status": TEXT, "checkpoint": int, "location": TEXT, "function": TEXT, "wake_at": (*NUMBER, type(None)),
    "updated_at": NUMBER, "owner": (dict, type(None)), "lease_until": (*NUMBER, type(None)), "created_at": NUMBER,
    "attempts": int, "error": (TEXT, type(None)), "hold": (dict, type(None)), "parent": (TEXT, type(None)), "tags": dict,
    "is_detached": bool, "progress": (dict, type(None)), "forked_from": (TEXT, type(None)), "forked_at": (int, type(None)),
}  # fmt: skip
TASK = {"name", "path", "status", "waits_for", "event", "until", "step", "outcome", "frames"}
FRAME = {"function", "name", "module", "file", "line", "source", "variables"}


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A store that keeps history."""
    return f"sqlite:///{tmp_path}/state.db?history=true"


@pytest.fixture
def command(url: str, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command; gives its status, and what it has printed and said."""

    def run(*words: str) -> tuple[int, str, str]:
        status = main([words[0], "--store", url, *words[1:]])
        return status, *capsys.readouterr()

    return run


def begin(url: str, act: Callable[[DurableRuntime], Awaitable[object]]) -> None:
    """Let a runtime do something; it is closed then."""

    async def all_of_it() -> None:
        async with DurableRuntime(url) as runtime:
            await act(runtime)

    asyncio.run(all_of_it())


def fits(document: dict[str, Any]) -> bool:
    """Whether it has the fields of ``info()``."""
    return all(isinstance(document[name], kind) for name, kind in SUMMARY.items())


def test_documents_of_an_instance(url: str, command: Command, tmp_path: Path) -> None:
    """``show --json`` has what ``info()`` and ``stack()`` have; lists are arrays, or have items and a cursor."""
    program = imported_rewritten("tests.running.looked_at")

    async def start(runtime: DurableRuntime) -> None:
        await runtime.options(instance_id="o-7", tags={"customer": "c1"}).start(program.order, 7, str(tmp_path / "written"))
        await until(lambda: "open" in reached_gates)

    begin(url, start)
    command("send", "o-7", "note", '{"n": 1}')
    status, out, said = command("show", "o-7", "--json")
    shown = json.loads(out)
    assert (status, said, fits(shown)) == (0, "", True)
    assert (shown["id"], shown["tags"], shown["children"], shown["stack_error"]) == ("o-7", {"customer": "c1"}, [], None)
    assert all(set(task) == TASK and all(set(frame) == FRAME for frame in task["frames"]) for task in shown["tasks"])
    tasks = {task["name"]: task for task in shown["tasks"]}
    assert (tasks["approval"]["waits_for"], tasks["approval"]["event"]) == ("event 'approval'", "approval")
    assert tasks["shipping"]["step"]["call"] == "hold_with_key('open')"
    assert tasks["shipping"]["step"]["key"].startswith("o-7/")
    [frame] = tasks["approval"]["frames"]
    assert (frame["function"], frame["source"]) == ("approve", 'answer = await wait_for_event("approval")')
    assert (Path(frame["file"]).name, frame["variables"]) == ("looked_at.py", {"number": "7"})
    items, cursor = json.loads(command("list", "--json", "--tag", "customer=c1")[1]).values()
    assert ([each["id"] for each in items], cursor, all(map(fits, items))) == (["o-7"], None, True)
    history = json.loads(command("history", "o-7", "--json")[1])
    assert [each["checkpoint"] for each in history] == list(range(len(history)))
    assert all(set(each) == {"checkpoint", "location", "status"} for each in history)
    [event] = json.loads(command("events", "o-7", "--json")[1])
    assert (event["name"], event["payload"]) == ("note", "{'n': 1}")
    assert not (tmp_path / "written").exists()


def test_forks(url: str, command: Command) -> None:
    """``fork`` takes what ``show`` and ``history`` print; it says what it changes, and what it would."""
    program = imported_rewritten("tests.running.forked_flows")
    begin(url, lambda runtime: runtime.run(program.order, 2, instance_id="one"))
    wanted = ("fork", "one", "--checkpoint", "3", "--new-id", "two", "--set", "order.kept['count']=40", "--set", "total=0")
    told = json.loads(command(*wanted, "--dry-run", "--json")[1])
    assert (told["id"], told["forked_from"], told["forked_at"], told["dry_run"]) == ("two", "one", 3, True)
    assert told["changes"][1] == {"path": "0/order.total", "before": "10", "after": 0}
    assert command("show", "two")[0] == 2
    status, out, said = command(*wanted)
    assert (status, out) == (0, "two\n    0/order.kept['count']: 1 -> 40\n    0/order.total: 10 -> 0\n")
    assert "two goes on from checkpoint 3 of one at " in said
    out = command("show", "two")[1]
    assert "fork of:    one, checkpoint 3\n" in out
    assert ", in order  (0/order)\n" in out
    shown = json.loads(command("show", "two", "--json")[1])
    assert (fits(shown), shown["forked_from"], shown["forked_at"]) == (True, "one", 3)
    assert (shown["tasks"][0]["frames"][0]["name"], shown["tasks"][0]["frames"][0]["variables"]["total"]) == ("0/order", "0")
    for words in (
        wanted,
        ("fork", "one"),
        ("fork", "one", "--checkpoint", "99"),
        ("fork", "one", "--checkpoint", "3", "--set", "i"),
    ):
        assert (command(*words)[0], command(*words)[1]) == (2, "")
    begin(url, lambda runtime: go_on(runtime, "two"))
    assert "(44, 41," in command("show", "two")[1]


async def go_on(runtime: DurableRuntime, instance_id: str) -> None:
    """Let an instance come to its end."""
    await runtime.recover()
    await runtime.handle(instance_id).result()


def test_rewinds(url: str, command: Command) -> None:
    """``rewind`` lists what runs again, and does it where nobody has the instance; ``--undo`` puts back what was."""
    program = imported_rewritten("tests.running.forked_flows")
    begin(url, lambda runtime: runtime.run(program.order, 1, instance_id="one"))
    told = json.loads(command("rewind", "one", "5", "--dry-run", "--json")[1])
    assert ([each["checkpoint"] for each in told["lost"]], told["dry_run"], told["done"]) == ([6, 7, 8], True, False)
    assert json.loads(command("show", "one", "--json")[1])["status"] == "completed"
    status, out, said = command("rewind", "one", "5")
    assert (status, [line.split()[0] for line in out.splitlines()]) == (0, ["6", "7", "8"])
    assert "one goes back to checkpoint 5 at " in said
    shown = json.loads(command("show", "one", "--json")[1])
    assert (shown["status"], shown["checkpoint"], shown["owner"]) == ("running", 5, None)
    assert len(json.loads(command("history", "one", "--json")[1])) == 6
    assert command("rewind", "one", "--undo")[0] == 0
    assert json.loads(command("show", "one", "--json")[1])["status"] == "completed"
    for words in (("one", "--undo"), ("one", "99"), ("nobody", "1")):
        assert command("rewind", *words)[:2] == (2, "")
    for refused in (("one",), ("one", "1", "--undo")):
        with pytest.raises(SystemExit, match="2"):
            command("rewind", *refused)


def test_pages(url: str, command: Command, flows: ModuleType) -> None:
    """The cursor of a page asks for the next one, which is told where there is one."""

    async def run(runtime: DurableRuntime) -> None:
        for number in range(3):
            await runtime.run(flows.add, number, instance_id=f"n{number}")

    begin(url, run)
    first = json.loads(command("list", "--json", "--limit", "2")[1])
    rest = json.loads(command("list", "--json", "--cursor", first["cursor"])[1])
    assert ([each["id"] for each in first["items"] + rest["items"]], rest["cursor"]) == (["n2", "n1", "n0"], None)
    assert f"--cursor '{first['cursor']}'" in command("list", "--limit", "2")[2]
    assert command("list", "--cursor", "nonsense")[0] == 2


def test_what_is_asked_for_is_done(url: str, command: Command, flows: ModuleType) -> None:
    """Cancelling is a request that the next owner takes up; what has ended is neither cancelled nor retried."""

    async def start(runtime: DurableRuntime) -> None:
        await runtime.start(flows.nap, 3600, instance_id="nap")
        await until_status(runtime.handle("nap"), "sleeping")

    async def go_on(runtime: DurableRuntime) -> None:
        await runtime.recover()
        with pytest.raises(InstanceCancelledError):
            await runtime.handle("nap").result(timeout=60)

    begin(url, start)
    asked = json.loads(command("cancel", "nap", "--json")[1])
    assert asked == {"id": "nap", "command": "cancel", "done": True, "status": "sleeping"}
    assert "@cancel" in command("events", "nap")[1]
    begin(url, go_on)
    for what in ("cancel", "retry"):
        status, out, said = command(what, "nap")
        assert (status, out, said.count("\n")) == (2, "", 1)
        assert "instance nap is cancelled: " in said
    assert command("delete", "nap")[::2] == (0, "durable_import: instance nap is forgotten\n")
    assert command("show", "nap")[0] == 2


def test_progress(url: str, command: Command, tmp_path: Path) -> None:
    """It is shown in words, and in documents by its parts; a copy has it, and tells that it is detached."""
    telling = imported_rewritten("tests.running.telling_flows")
    begin(url, lambda runtime: runtime.options(instance_id="count", detached=True).run(telling.count_to, 3))
    assert "progress:   3 of 3 3 done" in command("show", "count")[1].splitlines()
    assert "(3 of 3 3 done)" in command("list")[1]
    assert main(["copy", "--from", url, "--to", f"sqlite:///{tmp_path}/2.db"]) == 0
    for store in (url, f"sqlite:///{tmp_path}/2.db"):
        shown = json.loads(command("show", "count", "--json", "--store", store)[1])
        assert shown["progress"] == {"value": 3, "total": 3, "text": "3 done"}
        assert (shown["tags"], shown["is_detached"]) == ({"last": "2", "customer": "c1"}, True)


def test_export_import_and_copy(url: str, command: Command, tmp_path: Path, flows: ModuleType) -> None:
    """A file is written once, for its owner's eyes; what is brought to another store is there, once."""
    file, second, third = str(tmp_path / "sum.json"), f"sqlite:///{tmp_path}/2.db", f"sqlite:///{tmp_path}/3.db"
    begin(url, lambda runtime: runtime.run(flows.add, 1, instance_id="sum"))
    assert command("export", "sum", file)[0] == 0
    assert (tmp_path / "sum.json").stat().st_mode & 0o777 == 0o600
    status, out, said = command("export", "sum", file)
    assert (status, out, said) == (2, "", f"durable_import: cannot write {file}: File exists\n")
    assert command("export", "nobody", file)[0] == 2
    assert command("import", "--store", second, file)[0] == 70
    (tmp_path / "2.db.key").write_bytes((tmp_path / "state.db.key").read_bytes())
    (tmp_path / "2.db.key").chmod(0o600)
    assert json.loads(command("import", "--store", second, file, "--json")[1]) == {"id": "sum"}
    assert command("import", "--store", second, str(tmp_path / "2.db"))[0] == 2
    assert main(["copy", "--from", url, "--to", third, "--json"]) == 0
    assert main(["show", "sum", "--store", third, "--json"]) == 0


async def test_ask(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The answer is printed as JSON; an exception, none in time and none at all have exit statuses of their own."""
    asked = imported_rewritten("tests.running.asked_flows")

    async def ask(*words: str) -> tuple[int, str, str]:
        status = await asyncio.to_thread(main, ["ask", "--store", url, *words])
        return status, *capsys.readouterr()

    async with DurableRuntime(url, poll_interval=0.02) as runtime:
        await runtime.start(asked.sell, {"pen": [2, "two"]}, instance_id="shop")
        await runtime.start(asked.answer_wrongly, instance_id="wrong")
        assert await ask("shop", "price", '"pen"') == (0, '[2, "two"]\n', "")
        document = json.loads((await ask("shop", "price", '"cup"', "--json"))[1])
        assert document == {"id": "shop", "question": "price", "answer": None}
        status, out, said = await ask("wrong", "what", '"fail"')
        assert (status, out, "answers 'what' by LookupError: no such thing" in said) == (1, "", True), said
        assert (await ask("shop", "weight", "--timeout", "0.1"))[0] == 75
        assert (await ask("shop", "price", "pen"))[0] == 2
        assert (await ask("shpo", "price"))[2].endswith("is it shop?\n")
        assert (await ask("shop", "price", '"end"'))[1] == '["pen", "cup"]\n'
        await runtime.handle("shop").result(timeout=60)
        status, _, said = await ask("shop", "price")
        assert (status, "has ended (completed)" in said) == (2, True)


def test_children_are_shown_as_a_tree(url: str, command: Command, flows: ModuleType) -> None:
    """Below the facts of the one that has started them."""
    begin(url, lambda runtime: runtime.run(flows.start_children, instance_id="up"))
    lines = command("show", "up")[1].splitlines()
    place = lines.index("children:")
    assert [line.split()[1:] for line in lines[place + 1 : place + 3]] == [["completed", "add"]] * 2
    assert len(json.loads(command("show", "up", "--json")[1])["children"]) == 2
    assert "parent:     up" in command("show", "first")[1].splitlines()


@pytest.mark.parametrize("words", [("show",), ("history",), ("events",), ("cancel",), ("retry",), ("delete",)])
def test_an_unknown_id(url: str, command: Command, flows: ModuleType, words: tuple[str, ...]) -> None:
    """The nearest ids are named, in one sentence."""
    begin(url, lambda runtime: runtime.run(flows.add, 1, instance_id="order-17"))
    status, out, said = command(*words, "ordre-17")
    assert (status, out, said.count("\n")) == (2, "", 1)
    assert "there is no instance 'ordre-17' in sqlite:///" in said
    assert said.endswith(": is it order-17?\n")


@pytest.mark.parametrize(
    "command", [("list",), ("show", "x"), ("history", "x"), ("events", "x"), ("cancel", "x"), ("delete", "x")]
)
@pytest.mark.parametrize(
    "store", ["sqlite:///{}/a/state.db", "disk://{}/a", "nonsense:", "postgresql://me:secret@[", "sqlite:///{}"]
)
def test_a_store_that_cannot_be_opened(
    command: tuple[str, ...], store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One sentence, without the password, and nothing is made."""
    assert main([*command, "--store", store.format(tmp_path)]) == 70
    out, said = capsys.readouterr()
    assert (out, said.count("\n"), "secret" in said) == ("", 1, False)
    assert said.startswith("durable_import: error: ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("lits", "there is no command 'lits': is it list?"),
        ("list --status stukc", "there is no --status 'stukc': is it stuck?"),
        ("check --on-change x", "there is no --on-change 'x', but pin, move, refuse;"),
        ("list --limit 0", "argument --limit: '0' is not a number from 1 on;"),
        ("list --tag customer", "argument --tag: 'customer' is not NAME=VALUE;"),
        ("list --colour", "unrecognized arguments: --colour;"),
        ("show", "the following arguments are required: ID;"),
    ],
)
def test_wrong_words(words: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One sentence with the nearest that there is, and status 2."""
    with pytest.raises(SystemExit) as left:
        main(words.split())
    said = capsys.readouterr().err
    assert (left.value.code, said.count("\n"), said.startswith(f"durable_import: {told} `")) == (2, 1, True), said


def test_documents_of_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is told of a file without a store is told as a document, too."""
    path = tmp_path / "shop.py"
    path.write_text("# durable: on\nimport asyncio\nasync def order():\n    await asyncio.sleep(1)\n")
    assert main(["explain", str(path), "--json"]) == 0
    [explained] = json.loads(capsys.readouterr().out)
    assert (explained["function"], [point["lineno"] for point in explained["points"]]) == ("order", [4])
    assert main(["show-rewritten", str(path), "--json"]) == 0
    assert "order" in json.loads(capsys.readouterr().out)["text"]
