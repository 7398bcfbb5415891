"""Is a source marked with ``# durable: on``?

The marker is a comment in the head of a module: what stands before its first statement, not counting the docstring.
Comments beside and after the docstring belong to the head as well. The first marker decides; ``# durable: off`` is
the same as none. Unmarked modules are the rule, so the answer "no" must be cheap: one small read, one search for the
bytes ``durable:``, and a scan by two regular expressions only where the head might go on behind what was read.
Tokenizing would not be cheaper or better here: a head that was cut off in its docstring is no error to us.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable

__all__ = ["file_is_marked", "source_is_marked", "with_marker"]

CHUNK = 8192  # bytes; the heads of nearly all modules fit, and reading more costs more than it saves

_BLANK = re.compile(rb"[ \t\f\r\n]*")
_COMMENT = re.compile(rb"#[^\r\n]*")
_MARKER = re.compile(rb"#+[ \t]*durable:[ \t]*(on|off)(?![\w-])")
_LINE = re.compile(rb"[^\r\n]*(?:\r\n?|\n)?")
_CODING = re.compile(rb"[ \t\f]*#[^\r\n]*?coding[:=][ \t]*([-\w.]+)")  # PEP 263
_COMMENT_OR_BLANK_LINE = re.compile(rb"[ \t\f]*(?:#[^\r\n]*)?(?:\r\n?|\n)")
_STRING = re.compile(
    rb'[rRuU]?(?:"""[^"\\]*(?:(?:\\.|"(?!""))[^"\\]*)*"""|'
    rb"'''[^'\\]*(?:(?:\\.|'(?!''))[^'\\]*)*'''|"
    rb'"(?!"")[^"\\\r\n]*(?:\\.[^"\\\r\n]*)*"|'
    rb"'(?!'')[^'\\\r\n]*(?:\\.[^'\\\r\n]*)*')",
    re.DOTALL,
)
_OPENING = re.compile(rb"[rRuU]?['\"]|[rRuU]?\Z")


def source_is_marked(source: bytes) -> bool:
    """Whether ``source``, a complete module, is marked; a source that cannot be decoded is not."""
    return _read_marker(source, complete=True) is True


def file_is_marked(path: str, suspect: Callable[[bytes], object] | None = None) -> bool:
    """Whether the source file at ``path`` is marked; reads no further than the head needs.

    ``suspect`` is called with what was read, if it is not marked and has the word. Raises OSError if the file cannot be read.
    """
    with open(path, "rb", buffering=0) as file:
        head = file.read(CHUNK)
        marked = _read_marker(head, complete=len(head) < CHUNK)
        while marked is None:
            more = file.read(len(head))  # as much again, so that scanning again stays linear
            head += more
            marked = _read_marker(head, complete=not more)
    if not marked and suspect is not None and (b"urable" in head or b"URABLE" in head):
        suspect(head)
    return marked


def with_marker(source: bytes) -> bytes:
    """``source`` with the marker in its first line, or behind those that have to be the first: ``#!``, and the coding."""
    start = len(codecs.BOM_UTF8) if source.startswith(codecs.BOM_UTF8) else 0
    first = _LINE.match(source, start)
    second = _LINE.match(source, first.end()) if first else None
    at = start
    if first and second and _CODING.match(second[0]) and _COMMENT_OR_BLANK_LINE.fullmatch(first[0]):
        at = second.end()
    elif first and (first[0].startswith(b"#!") or _CODING.match(first[0])):
        at = first.end()
    newline = next((each for each in (b"\r\n", b"\n", b"\r") if each in source), b"\n")
    before = source[:at] if at == start or source[:at].endswith((b"\n", b"\r")) else source[:at] + newline
    return before + b"# durable: on" + newline + source[at:]


def _read_marker(head: bytes, *, complete: bool) -> bool | None:
    """Whether ``head`` holds the marker; None if it ends before the head of the module does and is not ``complete``."""
    if b"durable:" in head:
        return _scan(_as_utf8(head), complete=complete)
    return False if complete else _scan(head, complete=False)


def _scan(head: bytes, *, complete: bool) -> bool | None:
    undecided = False if complete else None
    at = len(codecs.BOM_UTF8) if head.startswith(codecs.BOM_UTF8) else 0
    docstring_seen = same_line = False
    while True:
        start, at = at, _end(_BLANK, head, at)
        same_line = same_line and not (b"\n" in head[start:at] or b"\r" in head[start:at])
        if at == len(head):
            return undecided
        if comment := _COMMENT.match(head, at):
            if comment.end() == len(head) and not complete:
                return None
            if marker := _MARKER.match(head, at):
                return marker[1] == b"on"
            at = comment.end()
        elif docstring_seen and not same_line:
            return False
        elif string := _STRING.match(head, at):
            # A string right after the docstring, on its line, is a part of it (implicit concatenation).
            docstring_seen = same_line = True
            at = string.end()
        elif _OPENING.match(head, at):
            return undecided  # a string that ends behind what was read
        else:
            return False


def _end(pattern: re.Pattern[bytes], head: bytes, at: int) -> int:
    found = pattern.match(head, at)
    return found.end() if found else at


def _as_utf8(head: bytes) -> bytes:
    """``head`` in UTF-8, where a quote or a backslash is never a part of another character, as it may be in GBK."""
    first = _COMMENT_OR_BLANK_LINE.match(head)
    coding = _CODING.match(head) or (_CODING.match(head, first.end()) if first else None)
    if coding is None:
        return head
    name = coding[1].decode("ascii", "replace")
    try:
        return head.decode(name, "ignore").encode()
    except LookupError:
        return head  # an unknown coding: the compiler says so, in its own words
