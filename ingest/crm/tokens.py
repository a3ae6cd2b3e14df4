"""The proof of who asks a CRM: a fixed token, header or password, or OAuth tokens, fetched anew when one expired."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from ingest.crm.answers import Answer, Call, ComeAgainError, CrmRefusedError, refusal
from ingest.steps.fields import as_object

CLIENT_CREDENTIALS, REFRESH_TOKEN = "client_credentials", "refresh_token"
OAUTH_TYPES = frozenset({CLIENT_CREDENTIALS, REFRESH_TOKEN})
_OK = range(200, 300)
_FINAL = range(400, 500)
_TOO_MANY = 429
_LONGEST_TOKEN = 20_000


@dataclass(frozen=True, slots=True)
class Auth:
    """How a connection proves itself; `secrets` has token, password, client_secret and refresh_token, as needed."""

    type: str
    secrets: Mapping[str, str]
    header: str = ""
    user: str = ""
    client_id: str = ""
    scope: str = ""
    token_url: str = ""


Send = Callable[[Call], Answer]


class TokenKeeper:
    """Holds the access token of one stretch of work, never stored; `keep` stores a refresh token that changed."""

    def __init__(self, base_url: str, auth: Auth, keep: Callable[[str], None]) -> None:
        self._base_url = base_url
        self._auth = auth
        self._keep = keep
        self._refresh_token = auth.secrets.get("refresh_token", "")
        self._token: str | None = None

    def access(self, send: Send) -> tuple[str, dict[str, str]]:
        """The address to ask below and the headers that prove who asks."""
        auth = self._auth
        if auth.type == "header":
            return self._base_url, {auth.header: auth.secrets["token"]}
        if auth.type == "basic":
            pair = f"{auth.user}:{auth.secrets['password']}".encode()
            return self._base_url, {"authorization": f"Basic {b64encode(pair).decode()}"}
        if auth.type == "none":
            return self._base_url, {}
        if auth.type in OAUTH_TYPES and self._token is None:
            self._token = self._fetch(send)
        token = self._token if self._token is not None else auth.secrets["token"]
        return self._base_url, {"authorization": f"Bearer {token}"}

    def renew(self) -> bool:
        """Forget a token that was refused; whether another one can be had."""
        self._token = None
        return self._auth.type in OAUTH_TYPES

    def _fetch(self, send: Send) -> str:
        answer = send(Call("POST", httpx.URL(self._auth.token_url), form=self._form()))
        if answer.status not in _OK:
            if answer.status in _FINAL and answer.status != _TOO_MANY:
                code = refusal(answer.status, answer.body).code
                raise CrmRefusedError(f"The CRM gave no token: {answer.status} {code}".strip() + ".", code)
            raise ComeAgainError(None, f"its token address answered {answer.status}")
        fields = as_object(answer.body)
        token = _text(fields, "access_token")
        if not token:
            raise CrmRefusedError("The CRM's token address answered without a token.")
        # Salesforce says at which of its servers the organisation lives.
        instance = _text(fields, "instance_url")
        if instance.partition(":")[0] == self._base_url.partition(":")[0]:
            self._base_url = instance
        changed = _text(fields, "refresh_token")
        if changed and self._refresh_token and changed != self._refresh_token:
            self._refresh_token = changed
            self._keep(changed)
        return token

    def _form(self) -> dict[str, str]:
        auth = self._auth
        form = {"grant_type": auth.type, "client_id": auth.client_id}
        if secret := auth.secrets.get("client_secret"):
            form["client_secret"] = secret
        if auth.scope:
            form["scope"] = auth.scope
        if auth.type == REFRESH_TOKEN:
            form["refresh_token"] = self._refresh_token
        return form


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    is_usable = isinstance(value, str) and len(value) <= _LONGEST_TOKEN and value.isascii() and value.isprintable()
    return value if is_usable and isinstance(value, str) else ""
