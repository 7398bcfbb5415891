"""The cache of rewritten bytecode."""

from __future__ import annotations

import errno
import importlib
import os
import sys
from pathlib import Path

import pytest

import durable_import
from durable_import.hook import cache
from durable_import.hook.install import install, uninstall
from tests.harness.imports import COMPILER, RICH, Rewriter, caches, fresh, python, write


def test_second_import_uses_the_cache(hook: Path, rewriter: Rewriter) -> None:
    """A module that did not change is rewritten once; the cached code and table equal the new ones."""
    write(hook, {"m_rich.py": RICH})
    fresh("m_rich")
    fresh("m_rich")
    assert rewriter.compiled() == ["m_rich"]
    (_, _, _, first), (_, _, _, second) = rewriter.registered
    assert first.code == second.code
    assert first.table == second.table
    tag = sys.implementation.cache_tag
    assert caches(hook) == [f"m_rich.{tag}.durable-{cache.rewriter_hash()}.pyc"]
    assert not (hook / "__pycache__" / f"m_rich.{tag}.pyc").exists()


def test_change_within_one_clock_tick_is_seen(hook: Path) -> None:
    """A change that keeps size and time of the source is seen, as the source's hash decides."""
    path = hook / "m_tick.py"
    write(hook, {"m_tick.py": "# durable: on\nx = 1"})
    os.utime(path, (1, 1))
    assert fresh("m_tick").x == 1
    write(hook, {"m_tick.py": "# durable: on\nx = 2"})
    os.utime(path, (1, 1))
    assert fresh("m_tick").x == 2


def test_touched_source_is_not_rewritten_again(hook: Path, rewriter: Rewriter) -> None:
    """A new time without a new content, as after a checkout, keeps the cache valid."""
    write(hook, {"m_tick.py": "# durable: on\nx = 1"})
    fresh("m_tick")
    os.utime(hook / "m_tick.py", (1, 1))
    fresh("m_tick")
    assert rewriter.compiled() == ["m_tick"]


def test_other_rewriter_other_cache(hook: Path, rewriter: Rewriter, monkeypatch: pytest.MonkeyPatch) -> None:
    """A changed rewriter rewrites again and removes what an old one, or a killed writer, left long ago; nothing else."""
    write(hook, {"m_new.py": "# durable: on\nx = 1", "m_new_too.py": "# durable: on\nx = 1"})
    fresh("m_new_too")
    uninstall()
    fresh("m_new")
    del sys.modules["m_new"]
    install()
    fresh("m_new")
    [old] = [name for name in caches(hook) if name.startswith("m_new.")]
    (hook / "__pycache__" / f"{old}.123-456").write_bytes(b"torn")
    for name in os.listdir(hook / "__pycache__"):
        os.utime(hook / "__pycache__" / name, (1, 1))
    ordinary = sorted(set(os.listdir(hook / "__pycache__")) - set(caches(hook)))
    monkeypatch.setattr(cache, "_rewriter_hash", "00000000")
    fresh("m_new")
    assert rewriter.compiled() == ["m_new_too", "m_new", "m_new"]
    names = [name for name in caches(hook) if name.startswith("m_new.")]
    assert names == [f"m_new.{sys.implementation.cache_tag}.durable-00000000.pyc"]
    assert len([name for name in caches(hook) if name.startswith("m_new_too.")]) == 1
    assert ordinary == sorted(set(os.listdir(hook / "__pycache__")) - set(caches(hook)))
    assert len(ordinary) == 1


def test_two_rewriters_in_turn(hook: Path, rewriter: Rewriter, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two versions of durable_import that share a module, such as the standard library's, do not remove each other's cache."""
    write(hook, {"m_shared.py": "# durable: on\nx = 1"})
    own = cache.rewriter_hash()
    for version in (own, "00000000", own, "00000000"):
        monkeypatch.setattr(cache, "_rewriter_hash", version)
        fresh("m_shared")
    assert rewriter.compiled() == ["m_shared", "m_shared"]


def test_rewriter_hash_covers_the_rewriter() -> None:
    """The files that key the cache are those of the rewriter, however deep they lie, and of what it asks about versions."""
    package = Path(durable_import.__file__).parent
    names = [str(path) for room in ("rewrite", "pythons") for path in (package / room).rglob("*.py")]
    assert list(cache.rewriter_files()) == sorted(names)
    assert str(Path(importlib.import_module(COMPILER).__file__ or "")) in names


def test_rewriter_hash_follows_the_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hash changes with any source of the rewriter, and there is none if they cannot be read."""
    path = tmp_path / "pass.py"
    monkeypatch.setattr(cache, "rewriter_files", lambda: (str(path),))

    def hash_now() -> str | None:
        monkeypatch.setattr(cache, "_rewriter_hash", None)
        return cache.rewriter_hash()

    assert hash_now() is None
    assert cache.bytecode_path("m.py") is None
    path.write_text("a")
    first = hash_now()
    path.write_text("b")
    assert first is not None
    assert len(first) == 8
    assert first != hash_now()


def test_optimization_levels_have_their_own_files(tmp_path: Path) -> None:
    """Code for -O is kept apart from code for debugging, and each is what it should be."""
    write(tmp_path, {"m_opt.py": '# durable: on\ndef f():\n    "doc"\n    assert False\n    return 1\n'})
    program = (
        "import fake_rewriter; fake_rewriter.put_in_place()\n"
        "from durable_import.hook.install import install; install()\n"
        "import m_opt\ntry:\n    print(m_opt.f(), m_opt.f.__doc__)\nexcept AssertionError:\n    print('assertion')\n"
    )
    outputs = [python(*flags, "-c", program, cwd=tmp_path).stdout for flags in ([], ["-O"], ["-OO"], ["-O"], [])]
    assert outputs == ["assertion\n", "1 doc\n", "1 None\n", "1 doc\n", "assertion\n"]
    tag = sys.implementation.cache_tag
    assert [name.rpartition("durable-")[0] for name in caches(tmp_path)] == [
        f"m_opt.{tag}.",
        f"m_opt.{tag}.opt-1.",
        f"m_opt.{tag}.opt-2.",
    ]


def test_pycache_prefix(hook: Path, rewriter: Rewriter, monkeypatch: pytest.MonkeyPatch) -> None:
    """With sys.pycache_prefix the cache is there, and not beside the source."""
    write(hook, {"m_prefix.py": "# durable: on\nx = 1"})
    monkeypatch.setattr(sys, "pycache_prefix", str(hook / "elsewhere"))
    fresh("m_prefix")
    fresh("m_prefix")
    assert rewriter.compiled() == ["m_prefix"]
    assert not (hook / "__pycache__").exists()
    assert len(list((hook / "elsewhere").rglob("m_prefix*durable*.pyc"))) == 1


def test_dont_write_bytecode(hook: Path, rewriter: Rewriter, monkeypatch: pytest.MonkeyPatch) -> None:
    """With PYTHONDONTWRITEBYTECODE nothing is written, but what is there is used."""
    write(hook, {"m_dont.py": "# durable: on\nx = 1"})
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    fresh("m_dont")
    assert not (hook / "__pycache__").exists()
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    fresh("m_dont")
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    fresh("m_dont")
    assert rewriter.compiled() == ["m_dont", "m_dont"]


def test_folder_that_cannot_be_written(hook: Path, rewriter: Rewriter) -> None:
    """Where no cache can be made the module works without one."""
    write(hook, {"m_solid.py": "# durable: on\nx = 1", "__pycache__": "in the way", "cache": "in the way too"})
    assert [fresh("m_solid").x, fresh("m_solid").x] == [1, 1]
    assert rewriter.compiled() == ["m_solid", "m_solid"]


def kept_by_user(hook: Path) -> Path:
    """The rewritten module of a folder that cannot be written, in the user's cache folder."""
    write(hook, {"m_theirs.py": "# durable: on\nx = 1", "__pycache__": "in the way"})
    assert [fresh("m_theirs").x, fresh("m_theirs").x] == [1, 1]
    [kept] = (hook / "cache" / "durable_import").rglob("*.pyc")
    return kept


def test_cache_of_the_user(hook: Path, rewriter: Rewriter) -> None:
    """What cannot be cached beside the source is cached where only the user may write, and read again from there."""
    kept = kept_by_user(hook)
    assert rewriter.compiled() == ["m_theirs"]
    assert kept.stat().st_mode & 0o777 == 0o600


def test_cache_that_others_may_write_is_not_read(hook: Path, rewriter: Rewriter) -> None:
    """Bytecode in a cache folder that anybody else might have put there is not executed."""
    kept_by_user(hook).chmod(0o660)
    fresh("m_theirs")
    assert rewriter.compiled() == ["m_theirs", "m_theirs"]


def test_cache_of_another_user_is_not_read(hook: Path, rewriter: Rewriter, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under another user's ``HOME``, as with ``sudo``, that user's cache is not executed."""
    kept_by_user(hook)
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    fresh("m_theirs")
    assert rewriter.compiled() == ["m_theirs", "m_theirs"]


def test_no_folder_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user without a home has no cache folder either."""
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    assert cache.own_bytecode_path("m.pyc") is None


WRITE_FAILURES = [("makedirs", errno.EACCES), ("open", errno.EROFS), ("replace", errno.ENOSPC)]


@pytest.mark.parametrize(("step", "number"), WRITE_FAILURES)
def test_failed_write_leaves_nothing(hook: Path, monkeypatch: pytest.MonkeyPatch, step: str, number: int) -> None:
    """A read-only folder or a full disk costs the cache, not the import, and no half a file stays."""

    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, step, fail)
    write(hook, {"m_full.py": "# durable: on\nx = 1"})
    assert fresh("m_full").x == 1
    assert caches(hook) == []


def test_cache_is_written_atomically(hook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file gets its name when it is complete."""
    seen: list[tuple[bool, bytes, bytes]] = []
    replace = os.replace

    def observed(source: str, target: str) -> None:
        before = os.path.exists(target)
        data = Path(source).read_bytes()
        replace(source, target)
        seen.append((before, data, Path(target).read_bytes()))

    monkeypatch.setattr(os, "replace", observed)
    write(hook, {"m_atom.py": "# durable: on\nx = 1"})
    fresh("m_atom")
    [(before, written, final)] = seen
    assert not before
    assert written == final


@pytest.mark.parametrize("damage", ["empty", "cut", "flip", "garbage", "foreign python"])
def test_damaged_cache_is_replaced(hook: Path, rewriter: Rewriter, damage: str) -> None:
    """A file that is not what was written is ignored and written again."""
    write(hook, {"m_hurt.py": RICH})
    fresh("m_hurt")
    path = hook / "__pycache__" / caches(hook)[0]
    good = path.read_bytes()
    bad = {
        "empty": b"",
        "cut": good[: len(good) // 2],
        "flip": good[:-9] + bytes([good[-9] ^ 1]) + good[-8:],
        "garbage": b"\xff" * 1000,
        "foreign python": b"\0" + good[1:],
    }[damage]
    path.write_bytes(bad)
    fresh("m_hurt")
    assert rewriter.compiled() == ["m_hurt", "m_hurt"]
    fresh("m_hurt")
    assert rewriter.compiled() == ["m_hurt", "m_hurt"]
    assert len(path.read_bytes()) == len(good)


def test_one_file_under_two_names(hook: Path, rewriter: Rewriter, monkeypatch: pytest.MonkeyPatch) -> None:
    """A source imported under two names never gets code or a table that was made for the other name."""
    write(hook, {"m_two/__init__.py": "", "m_two/part.py": "# durable: on\nx = __name__"})
    monkeypatch.syspath_prepend(str(hook / "m_two"))
    assert [fresh(name).x for name in ("m_two.part", "part")] == ["m_two.part", "part"]
    assert rewriter.compiled() == ["m_two.part", "part"]


def test_moved_source_is_rewritten_for_its_new_place(hook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Code that was cached at another path is not used, as its file names would be wrong."""
    write(hook, {"before/m_moved.py": RICH})
    monkeypatch.syspath_prepend(str(hook / "before"))
    fresh("m_moved")
    (hook / "before").rename(hook / "after")
    monkeypatch.syspath_prepend(str(hook / "after"))
    assert fresh("m_moved").main.__code__.co_filename == str(hook / "after" / "m_moved.py")


def test_cache_is_as_readable_as_the_source(hook: Path) -> None:
    """Whoever may not read the source may not read its bytecode."""
    write(hook, {"m_secret.py": "# durable: on\nx = 1"})
    (hook / "m_secret.py").chmod(0o600)
    fresh("m_secret")
    assert (hook / "__pycache__" / caches(hook)[0]).stat().st_mode & 0o777 == 0o600
