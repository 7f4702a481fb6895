"""Signing in to Google as a service account: claims signed with its key, exchanged for a token good for an hour.

Here: the key file, the exchange, what a refusal of it means. Not here: what the token is used for (``sheets``). The
claims are made and signed by google-auth, which is given our HTTP client in place of a transport of its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from resources.clients.addresses import checked_url
from resources.clients.errors import BadAnswer, BadConfiguration, NeedsAuth, SourceError
from resources.clients.http import HttpClient, Limits
from resources.clients.redact import hide

SCOPE = "https://www.googleapis.com/auth/spreadsheets"


class SignIn:
    """Access tokens for signed claims; one attempt each: the call that needs the token repeats itself."""

    def __init__(self, connection_id: str, service_account: Mapping[str, Any], limits: Limits, **http: Any) -> None:
        self._connection_id = connection_id
        self._account = dict(service_account)
        missing = [name for name in ("client_email", "private_key", "token_uri") if not self._account.get(name)]
        if missing:
            raise BadConfiguration(
                connection_id,
                f"the service account's key file has no {', '.join(missing)}",
                "Create a key of type JSON for the service account and give the whole file",
            )
        hide(str(self._account["private_key"]))
        token_uri = checked_url(connection_id, str(self._account["token_uri"]))
        parts = urlsplit(token_uri)
        self._path = parts.path
        once = replace(
            limits, attempts=1, bad_answer_attempts=1, read_seconds=min(limits.read_seconds, 30.0),
            requests_per_second=10.0,
        )  # fmt: skip
        self._http = HttpClient(
            connection_id, f"{parts.scheme}://{parts.netloc}", headers={}, limits=once, judge=self._judge, **http
        )

    def close(self) -> None:
        self._http.close()

    def token(self) -> str:
        """A token that is good for some minutes more."""
        if not self._credentials.valid:
            from google.auth.exceptions import GoogleAuthError

            try:
                self._credentials.refresh(self._asked)
            except GoogleAuthError as error:
                raise BadAnswer(
                    self._connection_id, f"the sign-in's answer is no token ({type(error).__name__})"
                ) from None
            hide(self._credentials.token)
        return str(self._credentials.token)

    def forget(self) -> None:
        """The token is not accepted any more."""
        self._credentials.token = None

    @cached_property
    def _credentials(self) -> Any:
        from google.oauth2.service_account import Credentials

        try:
            return Credentials.from_service_account_info(self._account, scopes=[SCOPE])
        except Exception as error:  # the library's texts show parts of the key
            raise BadConfiguration(
                self._connection_id,
                f"the service account's key cannot be read ({type(error).__name__})",
                "Create a key of type JSON for the service account and give the whole file",
            ) from None

    def _asked(self, url: str, method: str = "GET", body: bytes = b"", **_: Any) -> Any:
        """What google-auth takes for its transport; it sees good answers only and so repeats nothing."""
        answer = self._http.post(
            self._path, body, content_type="application/x-www-form-urlencoded", page="the sign-in", repeatable=True
        )
        return SimpleNamespace(status=200, headers={}, data=json.dumps(answer).encode())

    def _judge(self, status: int, body: Any, page: str) -> SourceError | None:
        if status not in (400, 401, 403):
            return None
        code = body.get("error") if isinstance(body, dict) else None
        return NeedsAuth(
            self._connection_id,
            f"the service account's key was not accepted ({str(code)[:60] if isinstance(code, str) else status})",
            "Check that the key was not deleted and that this machine's clock is right, or create a new key",
        )
