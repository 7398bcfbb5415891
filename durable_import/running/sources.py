"""What is kept of the program's code, once each: the texts of saved frames' functions, and of all modules of a version."""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import CodeChangedError, MissingCodeError, StoreError
from ..hook.code_table import MODULES, CodeInfo, source_of
from ..hook.program_version import MADE, ProgramVersion, modules_in
from ..stores.store import Store
from ..upgrades.kept import MissingVersionError

_UTF_8, _LATIN_1 = "utf-8\n", "latin-1\n"  # what the text of a module begins with in a store: how its bytes were read


def place_key(digest: str) -> str:
    """Under which name it is kept where the function of a digest stood when it was first seen: ``file:line``."""
    return f"at {digest}"


class Sources:
    """Saves and compares sources, if the store keeps them.

    What is saved, or read to go on with it, is needed from then on: see ``unneeded``.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._owner: object = None  # under whose lease they were saved
        self._saved: set[str] = set()
        self._versions: set[str] = set()
        self._read: set[str] = set()  # versions
        self._functions: dict[str, dict[str, CodeInfo]] = {}  # by version and digest

    def are_for(self, owner: object) -> None:
        """What is committed from now on is so under this lease. What an earlier one has saved may be gone."""
        if owner is not self._owner:
            self._owner = owner
            for known in (self._saved, self._versions, self._read):
                known.clear()

    async def save(self, functions: Iterable[CodeInfo], version: str) -> None:
        """Keep the source of each function that was not kept yet, and the texts of a version that the program has had."""
        owner, new = self._owner, {info.digest: info for info in functions if info.digest not in self._saved}
        if new:
            kept = await self._store.need_sources([*new, *map(place_key, new)])
            for digest, info in new.items():
                if place_key(digest) not in kept:
                    await self._store.save_source(place_key(digest), f"{info.module.path}:{info.code.co_firstlineno}")
                if digest not in kept:
                    await self._store.save_source(digest, source_of(info))
        if version not in self._versions:
            await self._save_version(MADE[version])
        if owner is self._owner:
            self._saved.update(new)
            self._versions.add(version)

    def has(self, functions: Iterable[CodeInfo], version: str) -> bool:
        """Whether all that is kept already."""
        return version in self._versions and all(info.digest in self._saved for info in functions)

    async def _save_version(self, version: ProgramVersion) -> None:
        """Keep a version, its record last: one that has a record is complete."""
        kept = await self._store.need_sources([version.identity, *version.texts])
        for identity, text in version.texts.items():
            if identity not in kept:
                await self._store.save_source(identity, _text_of(text))
        if version.identity not in kept:
            await self._store.save_source(version.identity, version.record)

    async def add_version(self, identity: str) -> None:
        """Make a version known to this process. Raises MissingCodeError if it is not kept, or damaged; StoreError."""
        from ..upgrades.then import provide
        from ..upgrades.versions import add_version, is_known_version

        if not is_known_version(identity):
            record, texts = await self._version(identity)
            provide()
            add_version(identity, record, texts)
        if identity not in self._read:
            self._read.add(identity)
            await self._store.need_sources([identity, *modules_in(await self._store.load_source(identity) or "").values()])

    async def texts_of_version(self, identity: str) -> dict[str, bytes]:
        """The texts of a version, by name of the module. Raises as ``add_version`` does."""
        from ..upgrades.versions import texts_in

        return texts_in(identity, *await self._version(identity))

    async def _version(self, identity: str) -> tuple[str, dict[str, bytes]]:
        """The record of a version, and its texts by hash."""
        record = await self._store.load_source(identity)
        if record is None:
            raise MissingVersionError(identity)
        kept = {each: await self._store.load_source(each) for each in set(modules_in(record).values())}
        return record, {each: _bytes_of(text) for each, text in kept.items() if text is not None}

    async def load(self, digest: str, versions: Iterable[str] = ()) -> str | None:
        """The text of a function as it was when the state was saved; None if it is not kept. Raises StoreError.

        ``versions``: in whose modules it is looked for, if it was not kept by itself, as no frame was in it.
        """
        text = await self._store.load_source(digest)
        for version in versions if text is None else ():
            if version not in self._functions:
                self._functions[version] = await self._functions_of(version)
            if digest in self._functions[version]:
                return source_of(self._functions[version][digest])
        return text

    async def _functions_of(self, version: str) -> dict[str, CodeInfo]:
        from ..upgrades.on_disk import ModuleText  # rarely needed

        try:
            texts = await self.texts_of_version(version)
        except MissingCodeError:
            return {}
        modules = [ModuleText(name, name, text) for name, text in texts.items()]
        return {info.digest: info for each in modules if not each.error for info in each.info.by_place.values()}

    async def load_place(self, digest: str) -> tuple[str, int]:
        """The file, and the line in it, where a function began when its text was kept; an empty one if that is not known."""
        file, _, line = (await self._store.load_source(place_key(digest)) or "").rpartition(":")
        return (file, int(line)) if line.isdecimal() else ("", 0)

    async def difference(self, error: CodeChangedError) -> str:
        """What has changed in the function that an error is about, as a unified diff."""
        try:
            old = await self._store.load_source(error.digest)
        except (StoreError, OSError) as unread:
            return f"The code as it was when the state was saved could not be read: {unread}"
        if not old:
            return "The code as it was when the state was saved is not kept by this store."
        import difflib  # rarely needed

        module = next((m for m in MODULES.values() if m.path == error.filename and error.function in m.by_place), None)
        new = source_of(module.by_place[error.function]) if module is not None else ""
        lines = difflib.unified_diff(
            old.splitlines(), new.splitlines(), f"{error.function} as saved", f"{error.function} today", lineterm="", n=2
        )
        return "\n".join(lines)


def _text_of(source: bytes) -> str:
    try:
        return _UTF_8 + source.decode("utf-8")
    except UnicodeDecodeError:
        return _LATIN_1 + source.decode("latin-1")


def _bytes_of(text: str) -> bytes:
    encoding, _, source = text.partition("\n")
    return source.encode("latin-1" if encoding == "latin-1" else "utf-8", "surrogatepass")
