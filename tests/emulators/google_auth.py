"""A service account and the sign-in of it: a key file, signed claims against a token endpoint, tokens that expire.

Here: the key (made at start, never kept in the repository), the check of the signed claims as Google refuses them, the
tokens given out. Not here: what a token may do with a spreadsheet (``sheets``). Google's page on server-to-server
sign-in is the source of the claims and of the wording.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import secrets
import threading
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

EMAIL = "otklik-demo@emulated-project.iam.gserviceaccount.com"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
# google-auth signs for this address whatever token_uri the key file names
PUBLIC_AUDIENCE = "https://oauth2.googleapis.com/token"
SPREADSHEETS = "https://www.googleapis.com/auth/spreadsheets"
READONLY = "https://www.googleapis.com/auth/spreadsheets.readonly"
SCOPES = {
    SPREADSHEETS,
    READONLY,
    "https://www.googleapis.com/auth/drive",
    "https://www.googleapis.com/auth/drive.file",
    "https://www.googleapis.com/auth/drive.readonly",
}
_SKEW = 300
"""Seconds by which the caller's clock may be ahead."""


@dataclass
class Token:
    """One access token that was given out."""

    email: str
    scopes: frozenset[str]
    expires: float


class TokenRefused(Exception):
    """The token endpoint says no; the body is as OAuth spells it."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.status = status
        self.body = {"error": error, "error_description": description}


@cache
def _key(number: int) -> rsa.RSAPrivateKey:
    # one key for the emulators of one process: making one takes a tenth of a second
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class GoogleAuth:
    """One service account and its tokens.

    Args:
        folder: where the key file lies; a file that is already there is used again, so that a restarted emulator
            knows its callers.
        lifetime: seconds a token is good for.
        scopes: what the account may ask for.
        key: another number is another key.
    """

    def __init__(
        self,
        folder: Path,
        token_uri: str,
        *,
        email: str = EMAIL,
        lifetime: float = 3600.0,
        scopes: set[str] | None = None,
        key: int = 0,
    ) -> None:
        self.email, self.lifetime, self.token_uri = email, lifetime, token_uri
        self.scopes = SCOPES if scopes is None else scopes
        self.file = folder / "service-account.json"
        self._lock = threading.Lock()
        self._tokens: dict[str, Token] = {}
        self._private = self._load() or _key(key)
        self.key_id = hashlib.sha1(self._private_text().encode()).hexdigest()
        self.file.touch(0o600)
        self.file.write_text(json.dumps(self.info(), indent=2), "utf-8")

    def _load(self) -> rsa.RSAPrivateKey | None:
        if not self.file.exists():
            return None
        text = json.loads(self.file.read_text("utf-8"))["private_key"]
        loaded = serialization.load_pem_private_key(text.encode(), None)
        assert isinstance(loaded, rsa.RSAPrivateKey)
        return loaded

    def _private_text(self) -> str:
        return self._private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()

    def info(self) -> dict[str, str]:
        """The key file's content, field by field as Google gives it."""
        return {
            "type": "service_account",
            "project_id": "emulated-project",
            "private_key_id": self.key_id,
            "private_key": self._private_text(),
            "client_email": self.email,
            "client_id": str(int(self.key_id[:16], 16)),
            "auth_uri": "https://accounts.google.com/o/oauth2/auth",
            "token_uri": self.token_uri,
            "auth_provider_x509_cert_url": "https://www.googleapis.com/oauth2/v1/certs",
            "client_x509_cert_url": f"https://www.googleapis.com/robot/v1/metadata/x509/{self.email}",
            "universe_domain": "googleapis.com",
        }

    def grant(self, body: bytes, content_type: str) -> dict[str, Any]:
        """A token for signed claims.

        Raises:
            TokenRefused: as Google refuses a wrong form, signature, audience, time, scope or account.
        """
        if "application/x-www-form-urlencoded" not in content_type:
            raise TokenRefused("invalid_request", "Missing required parameter: grant_type")
        form = {name: values[-1] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
        if form.get("grant_type") != GRANT:
            raise TokenRefused("unsupported_grant_type", f"Invalid grant_type: {form.get('grant_type', '')}")
        claims = self._claims(form.get("assertion", ""))
        now = time.time()
        issued, expires = claims.get("iat"), claims.get("exp")
        if (
            not isinstance(issued, int | float)
            or not isinstance(expires, int | float)
            or not now - 3600 - _SKEW < issued < now + _SKEW
            or not now < expires <= issued + 3600
        ):
            raise TokenRefused(
                "invalid_grant",
                "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. "
                "Check your iat and exp values in the JWT claim.",
            )
        if claims.get("aud") not in (self.token_uri, PUBLIC_AUDIENCE):
            raise TokenRefused("invalid_grant", "Invalid JWT: Failed audience check.")
        if claims.get("sub") not in (None, self.email):
            raise TokenRefused(
                "unauthorized_client",
                "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any "
                "of the scopes requested.",
                401,
            )
        asked = frozenset(str(claims.get("scope") or "").split())
        if not asked or not asked <= self.scopes:
            raise TokenRefused(
                "invalid_scope", "Invalid OAuth scope or ID token audience provided." if not asked else "Bad scope."
            )
        text = "ya29.c." + secrets.token_urlsafe(48)
        with self._lock:
            self._tokens[text] = Token(self.email, asked, now + self.lifetime)
        return {"access_token": text, "expires_in": int(self.lifetime), "token_type": "Bearer"}

    def _claims(self, assertion: str) -> dict[str, Any]:
        parts = assertion.split(".")
        try:
            header, claims = (json.loads(_decoded(part)) for part in parts[:2])
            signature = _decoded(parts[2])
        except (ValueError, IndexError, binascii.Error):
            raise TokenRefused("invalid_grant", "Invalid JWT: malformed") from None
        if not isinstance(header, dict) or not isinstance(claims, dict) or header.get("alg") != "RS256":
            raise TokenRefused("invalid_grant", "Invalid JWT: unsupported algorithm")
        if claims.get("iss") != self.email:
            raise TokenRefused("invalid_grant", "Invalid grant: account not found")
        if header.get("kid") not in (None, self.key_id):
            raise TokenRefused("invalid_grant", "Invalid JWT Signature.")
        try:
            self._private.public_key().verify(
                signature, f"{parts[0]}.{parts[1]}".encode(), padding.PKCS1v15(), hashes.SHA256()
            )
        except InvalidSignature:
            raise TokenRefused("invalid_grant", "Invalid JWT Signature.") from None
        return claims

    def token(self, authorization: str | None) -> Token | None:
        """Whose token this header carries; ``None``: none that is good now."""
        kind, _, text = (authorization or "").partition(" ")
        with self._lock:
            found = self._tokens.get(text.strip()) if kind.lower() == "bearer" else None
        return found if found is not None and found.expires > time.time() else None

    def expire(self) -> None:
        """Every token given out so far is worthless from now on."""
        with self._lock:
            self._tokens = {}


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
