"""Authenticated envelopes for snapshots, and the keys that make them.

A sealed snapshot is (integers big-endian)::

    offset  bytes
         0      8  magic
         8      2  format version
        10      8  fingerprint of the key          tells "another key" from "changed bytes"
        18     16  keyed tag of the instance id    tells "another instance's" from "changed bytes"
        34      8  length of the payload
        42     32  HMAC-SHA256 (RFC 2104) over all of the above, the instance id and the payload
        74      *  payload

Only the HMAC decides; fingerprint and tag merely word the refusal. Nothing is unpickled here.
A seal does not detect that an older snapshot *of the same instance* was put back: anybody who can write to the
store can do that.
"""

from __future__ import annotations

import base64
import binascii
import errno
import functools
import hmac
import os
import re
import secrets
import stat
import struct
from pathlib import Path
from typing import Final, NoReturn

from durable_import.errors import MissingKeyError, SnapshotAuthenticationError, SnapshotFormatError, StoreUnavailableError
from durable_import.pythons.systems import is_open_to_others, sync_folder

MAGIC: Final = b"\x89DURIMP\n"
FORMAT_VERSION: Final = 1
KEY_BYTES: Final = 32
KEY_VARIABLE: Final = "DURABLE_KEY"
KEY_RECIPE: Final = 'python -c "import secrets; print(secrets.token_hex(32))"'

_PREFIX: Final = struct.Struct(">8sH")
_HEADER: Final = struct.Struct(">8sH8s16sQ")
_MAC_BYTES: Final = 32
OVERHEAD: Final = _HEADER.size + _MAC_BYTES
_ID_LENGTH: Final = struct.Struct(">Q")
# For more bytes at once the interpreter's lock is let go of; a thread that takes it may keep it for milliseconds.
_QUIET_BYTES: Final = 2047
_LARGE: Final = 1 << 16  # for so many that is worth it


class Seal:
    """Seals and opens snapshots with one secret ``key`` of at least 32 bytes."""

    def __init__(self, key: bytes) -> None:
        if len(key) < KEY_BYTES:
            raise MissingKeyError(f"a key of {len(key)} bytes is too short: {KEY_BYTES} are needed. Make one with: {KEY_RECIPE}")
        self._hmac = hmac.new(key, digestmod="sha256")
        self._fingerprint = self._digest(b"fingerprint")[:8]
        self._identify = functools.lru_cache(maxsize=4096)(self._identity_and_tag)

    def seal(self, instance_id: str, payload: bytes) -> bytes:
        """The envelope that only ``open`` with the same key and ``instance_id`` accepts."""
        identity, tag = self._identify(instance_id)
        header = _HEADER.pack(MAGIC, FORMAT_VERSION, self._fingerprint, tag, len(payload))
        return b"".join((header, self._mac(header, identity, payload), payload))

    def _identity_and_tag(self, instance_id: str) -> tuple[bytes, bytes]:
        identity = _identity(instance_id)
        return identity, self._tag(identity)

    def open(self, instance_id: str, blob: bytes, kind: str = "snapshot") -> bytes:
        """The payload of ``blob``, which errors call a ``kind``.

        Raises SnapshotFormatError when the version is unknown here, SnapshotAuthenticationError for everything else
        that ``seal`` did not make with this key for this instance.
        """
        what = f"{kind} of instance {instance_id!r}"
        _check_frame(what, blob)
        header, mac, payload = blob[: _HEADER.size], blob[_HEADER.size : OVERHEAD], blob[OVERHEAD:]
        _, _, fingerprint, tag, length = _HEADER.unpack(header)
        identity = _identity(instance_id)
        if length == len(payload) and hmac.compare_digest(mac, self._mac(header, identity, payload)):
            return payload
        if fingerprint != self._fingerprint:
            raise _refusal(
                what,
                "looks foreign: it was sealed with another key",
                f"Use the key it was made with (the .key file beside the store, or {KEY_VARIABLE})",
            )
        if not hmac.compare_digest(tag, self._tag(identity)):
            raise _refusal(what, "looks swapped: it belongs to another instance", "Put the right snapshot back")
        if length > len(payload):
            raise _refusal(
                what,
                f"looks truncated: {len(payload)} of {length} bytes of payload are there",
                "Put a complete copy back",
            )
        raise _refusal(what, "looks tampered with: its bytes were changed after they were sealed", "Put a copy back")

    def tag(self, instance_id: str, key: str, data: bytes) -> int:
        """What a segment adds to the sum that stands, sealed, in the snapshot that it belongs to.

        Keyed tags added modulo 2**256 authenticate a set (Clarke et al., "Incremental Multiset Hash Functions and Their
        Application to Memory Integrity Checking", 2003, MSet-Add-Hash): none can be changed, swapped or left out. The sum
        is stored with a ``mask`` on it: one who knows many sums knows differences of tags, and can look for a set of old
        segments that adds up to the right one.
        """
        parts = (_identity(instance_id), key.encode("utf-8", "surrogateescape"), data)
        message = b"segment" + b"".join(_ID_LENGTH.pack(len(part)) + part for part in parts)
        return int.from_bytes(self._digest(message), "big")

    def mask(self, nonce: bytes) -> int:
        """What hides a sum of tags: never the same for two nonces."""
        return int.from_bytes(self._digest(b"mask" + nonce), "big")

    def _tag(self, identity: bytes) -> bytes:
        return self._digest(b"instance" + identity)[:16]

    def _mac(self, header: bytes, identity: bytes, payload: bytes) -> bytes:
        return self._digest(b"".join((header, _ID_LENGTH.pack(len(identity)), identity, payload)))

    def _digest(self, message: bytes) -> bytes:
        mac = self._hmac.copy()
        step = _QUIET_BYTES if len(message) < _LARGE else len(message)
        for start in range(0, len(message), step):
            mac.update(message[start : start + step])
        return mac.digest()

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Seal holds the key and is never saved with a state")


def _check_frame(what: str, blob: object) -> None:
    """Refuse what is not shaped like a sealed snapshot of a known version."""
    if not isinstance(blob, bytes):
        raise _refusal(what, f"looks foreign: the store gave a {type(blob).__name__}, not bytes", "Check the store")
    if not blob:
        raise _refusal(what, "looks torn: it is empty", "Put a complete copy back")
    if blob[: len(MAGIC)] != MAGIC[: len(blob)]:
        raise _refusal(what, "looks foreign: these are not the bytes of a snapshot", "Check what wrote them")
    if len(blob) >= _PREFIX.size:
        version = _PREFIX.unpack_from(blob)[1]
        if version != FORMAT_VERSION:
            raise SnapshotFormatError(
                f"the {what} has format version {version}, this durable_import reads "
                f"version {FORMAT_VERSION}. Resume it with the durable_import that wrote it; "
                f"the bytes stay where they are."
            )
    if len(blob) < OVERHEAD:
        raise _refusal(
            what,
            f"looks torn: only {len(blob)} bytes are there and the header alone has {OVERHEAD}",
            "Put a complete copy back",
        )


def _refusal(what: str, looks: str, remedy: str) -> SnapshotAuthenticationError:
    return SnapshotAuthenticationError(
        f"the {what} {looks}. It was not opened and the bytes stay where they are. {remedy}, or start the instance afresh."
    )


def _identity(instance_id: str) -> bytes:
    # command line arguments may carry lone surrogates
    return instance_id.encode("utf-8", "surrogatepass")


def load_or_create_key(path: str | os.PathLike[str]) -> bytes:
    """The key in the file at ``path``, made on first use: 32 random bytes as hex, mode 0600.

    Two processes that come first together get the same key. Raises MissingKeyError when others may read the file or it
    holds no key, StoreUnavailableError when it cannot be made.
    """
    file = Path(path)
    try:
        return _read_key(file)
    except FileNotFoundError:
        pass
    create_key(file, secrets.token_bytes(KEY_BYTES))
    return _read_key(file)


def _way_to_make(error: OSError) -> str:
    is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    return "Free some space" if is_full else "Make its folder writable for this user"


def _way_to_read(error: OSError) -> str:
    if isinstance(error, (NotADirectoryError, IsADirectoryError)):
        return "Choose a store whose path leads through folders to a file"
    return "It opens the snapshots of the store beside it; run as the user who owns it"


def create_key(file: Path, key: bytes) -> None:
    """Write a key file, unless there is one. Raises StoreUnavailableError."""
    try:
        _create_key(file, key)
    except OSError as error:
        raise StoreUnavailableError(
            f"cannot make the key file {file}: {error.strerror or error}. {_way_to_make(error)}, or choose a store elsewhere."
        ) from error


def _create_key(file: Path, key: bytes) -> None:
    """Write a complete key under another name, then link it: nobody ever sees half a key, and the first one wins."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f"{file.name}.{os.getpid()}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(key.hex().encode() + b"\n")
            opened.flush()
            os.fsync(opened.fileno())
        _link_unless_there(draft, file)
    finally:
        draft.unlink()
    sync_folder(file.parent)  # a commit must not outlive the key that opens it


def _link_unless_there(draft: Path, file: Path) -> None:
    try:
        os.link(draft, file)
    except FileExistsError:
        return  # another process was first: its key counts


def _read_key(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            mode = os.fstat(opened.fileno()).st_mode
            text = opened.read(4096)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise MissingKeyError(f"cannot read the key file {file}: {error.strerror or error}. {_way_to_read(error)}.") from error
    if is_open_to_others(mode):
        raise MissingKeyError(
            f"the key file {file} may be read or written by other users (mode {stat.S_IMODE(mode):04o}): anybody who has "
            f"the key can forge snapshots, and a snapshot is code. Close it with: chmod 600 {file}"
        )
    key = _decode_key(text.decode("ascii", "replace"))
    if key is None:
        raise MissingKeyError(
            f"the key file {file} does not hold a key ({len(text)} bytes; {KEY_BYTES * 2} hex digits are expected). "
            f"Put the original back; delete it only if no snapshot of its store is needed any more."
        )
    return key


def key_from_environment() -> bytes:
    """The key in DURABLE_KEY (hex or base64, at least 32 bytes); raises MissingKeyError, which says how to make one."""
    text = os.environ.get(KEY_VARIABLE, "")
    if not text.strip():
        raise MissingKeyError(
            f"this store needs a key to authenticate snapshots and {KEY_VARIABLE} is not set. Make a key once with: "
            f"{KEY_RECIPE} and set {KEY_VARIABLE} to it in every process that uses the store."
        )
    key = _decode_key(text)
    if key is None:
        raise MissingKeyError(
            f"{KEY_VARIABLE} is not a key: hex or base64 of at least {KEY_BYTES} bytes is expected. Make one with: {KEY_RECIPE}"
        )
    return key


def _decode_key(text: str) -> bytes | None:
    """Hex first: 64 hex digits would pass for base64 too."""
    text = text.strip()
    if re.fullmatch(r"(?:[0-9a-fA-F]{2})+", text):
        key = bytes.fromhex(text)
    else:
        plain = text.replace("-", "+").replace("_", "/").rstrip("=")
        try:
            key = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
        except (binascii.Error, ValueError):
            return None
    return key if len(key) >= KEY_BYTES else None
