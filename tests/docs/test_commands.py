"""What the pages say of commands is what ``--help`` says."""

from __future__ import annotations

import argparse
import re

import pytest

from durable_import.cli import speech
from durable_import.cli.parser import parser
from tests.docs.pages import FOLDER, ROOT

PAGE = (FOLDER / "reference" / "commands.md").read_text()
README = (ROOT / "README.md").read_text()
[_COMMANDS] = [action for action in parser()._actions if isinstance(action, argparse._SubParsersAction)]
COMMANDS: dict[str, argparse.ArgumentParser] = dict(_COMMANDS.choices)


def options_of(command: str) -> set[str]:
    """The options of a command, without that for help."""
    return {name for action in COMMANDS[command]._actions for name in action.option_strings} - {"-h", "--help"}


def told_in_page() -> dict[str, set[str]]:
    """The options of each command, as its row in the page says."""
    rows = re.findall(r"^\| `([\w-]+)` \|(.*?)\|(?=.*\|$)", PAGE, re.MULTILINE)
    return {command: set(re.findall(r"`(--?[\w-]+)`", options)) for command, options in rows if command in COMMANDS}


def test_each_command_has_a_row() -> None:
    """The page has all commands and no others."""
    assert told_in_page().keys() == COMMANDS.keys()


@pytest.mark.parametrize("command", COMMANDS)
def test_options(command: str) -> None:
    """The row of a command has its options, neither more nor fewer."""
    assert told_in_page()[command] == options_of(command)


def test_readme() -> None:
    """README has each command, and no option that there is not."""
    known = "|".join(COMMANDS)
    lines = re.findall(r"^durable (.*)$", README, re.MULTILINE)
    told = {}
    for each in (each for line in lines for each in re.split(rf" \| (?=(?:{known})\b)", line)):
        command, _, told[command] = each.partition(" ")
    assert told.keys() == COMMANDS.keys()
    for command, rest in told.items():
        assert set(re.findall(r"(?<=[\[( ])--?[\w-]+", rest)) <= options_of(command)


@pytest.mark.parametrize("option", sorted(options_of("run") - {"--store"}))
def test_options_of_run(option: str) -> None:
    """Each option of ``run`` but that of all commands has a row that explains it."""
    assert re.search(rf"^\| `{option}[ `]", PAGE, re.MULTILINE)


@pytest.mark.parametrize("status", [speech.USAGE, speech.OURS, speech.SUSPENDED])
def test_exit_statuses(status: int) -> None:
    """The exit statuses that are ours are those of the page, of README and of ``run --help``."""
    assert re.search(rf"^\| {status} \| ", PAGE, re.MULTILINE)
    assert re.search(rf"\b{status}: ", README)
    assert str(status) in COMMANDS["run"].format_help()
