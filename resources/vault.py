"""The keys that stored credentials are encrypted with: where they are, how they are used, how they are replaced.

Here: Fernet (AES-128-CBC with HMAC-SHA256) with several keys, newest first, from ``OTKLIK_SECRET_KEYS`` or from a file
of its own below ``OTKLIK_HOME``; the keys are never in the database (promise S2). Not here: what is stored and which
rows need which key (``resources.warehouse.connections``).

A vault without keys is empty and stays empty until somebody asks for the first key: no key is ever made beside
credentials that need another one (D14).
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from resources.clients.redact import hide
from resources.warehouse.errors import CredentialsDamaged, KeysLost, WarehouseError

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

    from resources.settings import Settings

VARIABLE = "OTKLIK_SECRET_KEYS"
_HEAD = (
    "# Keys of the stored credentials, newest first. Without them the credentials cannot be read:\n"
    "# keep a copy, but never beside a copy of the database.\n"
)


class Sealed(NamedTuple):
    """Encrypted credentials and the fingerprint of the key that they were encrypted with."""

    token: bytes
    key_id: str


class Vault:
    """The keys of one installation. Cheap to make; long-lived processes notice replaced key files by themselves."""

    def __init__(self, keys: Sequence[str], path: Path | None = None) -> None:
        """Take keys, newest first; ``path`` is the file that they came from, ``None`` for the environment.

        Raises:
            WarehouseError: a key is none of Fernet's; the text tells which by its place, not its value.
        """
        self.path = path
        self._keys: dict[str, Fernet] = {}
        self._take(keys)

    @classmethod
    def open(cls, settings: Settings) -> Vault:
        """The keys of the environment, else those of the file below ``OTKLIK_HOME``; empty where neither is.

        Raises:
            WarehouseError: a key is unusable, or the file cannot be read.
        """
        given = settings.otklik_secret_keys
        if given is not None:
            return cls([key.strip() for key in given.get_secret_value().split(",") if key.strip()])
        path = key_file(settings)
        return cls(_read(path), path)

    def __repr__(self) -> str:
        return f"Vault({', '.join(self._keys) or 'empty'}; {self.source})"

    @property
    def source(self) -> str:
        """Where the keys are, for people: the name of the variable or the file."""
        return VARIABLE if self.path is None else str(self.path)

    @property
    def key_ids(self) -> tuple[str, ...]:
        """Fingerprints of all keys, newest first; they tell nothing about the keys."""
        return tuple(self._keys)

    @property
    def newest(self) -> str | None:
        """The fingerprint of the key that encrypts."""
        return next(iter(self._keys), None)

    def reload(self) -> None:
        """Read the key file again: another process may have replaced keys. Keys of the environment stay."""
        if self.path is not None:
            self._take(_read(self.path))

    def seal(self, connection_id: str, values: Mapping[str, str]) -> Sealed:
        """Encrypt the credentials of one account. They can be opened under the same name only.

        Raises:
            KeysLost: there is no key.
        """
        newest = self.newest
        if newest is None:
            raise KeysLost(f"there is no key to encrypt with: {self.source} is empty")
        # the name is sealed with the values: a row's credentials copied into another row do not open there
        body = json.dumps({"connection_id": connection_id, "values": dict(values)}, ensure_ascii=False)
        return Sealed(self._keys[newest].encrypt(body.encode("utf-8")), newest)

    def open_sealed(self, connection_id: str, token: bytes, key_id: str | None) -> dict[str, str]:
        """Decrypt the credentials of one account and keep them out of all logs from now on.

        Raises:
            KeysLost: the key that they were encrypted with is not among ours.
            CredentialsDamaged: they are changed, cut, or those of another account.
        """
        from cryptography.fernet import InvalidToken, MultiFernet

        if key_id not in self._keys:
            self.reload()
        if key_id not in self._keys:
            raise lost({connection_id: key_id or "?"}, self)
        try:
            body = json.loads(MultiFernet(list(self._keys.values())).decrypt(bytes(token)))
        except (InvalidToken, ValueError):
            raise CredentialsDamaged(_DAMAGED.format(connection_id)) from None
        if body.get("connection_id") != connection_id:
            raise CredentialsDamaged(_DAMAGED.format(connection_id))
        values: dict[str, str] = body["values"]
        for value in values.values():
            hide_secret(value)
        return values

    def first_key(self) -> None:
        """Read the keys as they are now, and make the first one where there is none.

        The caller has made sure that nothing is encrypted with a key that is not there.

        Raises:
            WarehouseError: the keys are the environment's to give, and it gives none.
        """
        # another process may have replaced the keys since this one read them
        self.reload()
        if self.newest is None:
            self._write([new_key()])

    def add_key(self) -> None:
        """Put a new key before the others of the file. A second key is a replacement that has not ended: it goes on.

        Raises:
            WarehouseError: the keys are in the environment, where only a person can add one.
        """
        self.reload()
        if len(self._keys) < 2:
            self._write([new_key(), *_read(self._file())])

    def drop_old_keys(self) -> None:
        """Leave only the newest key in the file. The caller has made sure that nothing needs another one."""
        self._write(_read(self._file())[:1])

    def _file(self) -> Path:
        if self.path is None:
            raise WarehouseError(f"the keys are in {VARIABLE}: change them there")
        return self.path

    def _take(self, keys: Sequence[str]) -> None:
        from cryptography.fernet import Fernet

        taken: dict[str, Fernet] = {}
        for place, key in enumerate(keys, 1):
            hide(key)
            try:
                taken[fingerprint(key)] = Fernet(key)
            except ValueError:
                raise WarehouseError(
                    f"key {place} of {self.source} is no key: 32 random bytes in url-safe base64 are one; "
                    "otklik rotate-keys --new-key prints one"
                ) from None
        self._keys = taken

    def _write(self, keys: Sequence[str]) -> None:
        """Replace the file in one step, on the disk before anything is encrypted with a key of it."""
        path = self._file()
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(_HEAD + "".join(f"{key}\n" for key in keys))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        self._take(keys)


_DAMAGED = "the stored credentials of {} are damaged and open with no key: connect the account anew (otklik connect)"


def key_file(settings: Settings) -> Path:
    """Where the keys are when the environment gives none."""
    return settings.otklik_home / "secrets" / "connections.keys"


def new_key() -> str:
    """A key as the file and the variable hold it."""
    from cryptography.fernet import Fernet

    return Fernet.generate_key().decode("ascii")


def fingerprint(key: str) -> str:
    """The key's short name: a hash, from which 32 random bytes cannot be found again."""
    return hashlib.sha256(b"otklik key " + key.encode("utf-8")).hexdigest()[:12]


def lost(needed: Mapping[str, str], vault: Vault) -> KeysLost:
    """The refusal when accounts (name to fingerprint) need keys that the vault has not (D14)."""
    accounts = ", ".join(f"{name} (key {key_id})" for name, key_id in sorted(needed.items()))
    return KeysLost(
        f"the key of the stored credentials is not there: {accounts} cannot be read with {vault.source}. Bring the key "
        f"back there, or give up what was encrypted with it (otklik disable NAME --forget) and connect again"
    )


def hide_secret(value: str) -> None:
    """Keep a secret out of all output, in whatever piece or spelling it may turn up.

    A key file (JSON with a PEM inside) is hidden as a whole and by its parts: ``repr`` and JSON write the line breaks
    of a PEM in other ways than the key itself. Of the headers of a captured session (JSON, too) each is hidden that
    carries a cookie or a token, and each cookie by its value.
    """
    hide(value)
    try:
        document = json.loads(value)
    except ValueError:
        document = None
    if isinstance(document, dict):
        for name in ("private_key", "private_key_id", "client_secret", "refresh_token"):
            if isinstance(document.get(name), str):
                hide_secret(document[name])
        for name, header in document.items():
            # the headers of a captured session, each by itself: it travels by itself
            if isinstance(header, str) and _carries_session(name):
                hide(header)
                hide(header.partition(" ")[2])
                for pair in header.split(";"):
                    hide(pair.partition("=")[2].strip())
    elif "\n" in value:
        for line in value.splitlines():
            if not line.startswith("-----"):
                hide(line.strip())


def _carries_session(header: str) -> bool:
    name = header.lower()
    return name in ("cookie", "authorization") or any(part in name for part in ("token", "csrf", "xsrf"))


def _read(path: Path) -> list[str]:
    try:
        lines = path.read_text("ascii").splitlines()
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise WarehouseError(f"the key file {path} cannot be read ({type(error).__name__})") from None
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]
