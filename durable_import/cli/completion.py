"""``completion``: what a shell is told to complete commands, options and their values by."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from .parser import commands_of

_BASH = """\
_durable() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} words=
    COMPREPLY=()
    if [[ $COMP_CWORD -eq 1 ]]; then
        COMPREPLY=($(compgen -W "{commands} --help --version" -- "$current"))
        return
    fi
    case "${{COMP_WORDS[1]}} $before" in
{values}
    esac
    case "${{COMP_WORDS[1]}}" in
{options}
    esac
    if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "$words --help" -- "$current"))
    fi
}}
complete -o default -F _durable durable
"""
_ZSH = "autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n"


def print_completion(shell: str) -> int:
    """Print the script for a shell, of the commands that there are; gives the exit status."""
    commands = commands_of()
    if shell == "fish":
        print("\n".join(_fish(commands)))
    else:
        print((_ZSH if shell == "zsh" else "") + _bash(commands), end="")
    return 0


def _options(command: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    return (action for action in command._actions if action.option_strings and action.dest != "help")


def _bash(commands: dict[str, argparse.ArgumentParser]) -> str:
    values, options = [], []
    for name, command in commands.items():
        options.append(
            f'        {name}) words="{" ".join(each for action in _options(command) for each in action.option_strings)}" ;;'
        )
        for action in command._actions:
            if action.choices and action.option_strings:
                words = " ".join(map(str, action.choices))
                pattern = f'"{name} {action.option_strings[-1]}"'
                values.append(f'        {pattern}) COMPREPLY=($(compgen -W "{words}" -- "$current")); return ;;')
    return _BASH.format(commands=" ".join(commands), values="\n".join(values), options="\n".join(options))


def _fish(commands: dict[str, argparse.ArgumentParser]) -> Iterator[str]:
    for name, command in commands.items():
        yield f"complete -c durable -n __fish_use_subcommand -f -a {name} -d {_quoted(command.description or '')}"
        for action in _options(command):
            word = action.option_strings[-1]
            parts = [f"complete -c durable -n '__fish_seen_subcommand_from {name}'"]
            parts.append(f"-l {word[2:]}" if word.startswith("--") else f"-s {word[1:]}")
            if action.choices:
                parts.append(f"-x -a {_quoted(' '.join(map(str, action.choices)))}")
            elif action.nargs != 0:
                parts.append("-r")
            parts.append(f"-d {_quoted(action.help or '')}")
            yield " ".join(parts)


def _quoted(text: str) -> str:
    plain = text.replace("\\", "").replace("'", "")
    return f"'{plain}'"
