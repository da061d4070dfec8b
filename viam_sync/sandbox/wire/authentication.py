"""Authentication: AuthService, and the tokens that it issues."""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import hmac
import json
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple, Union

from viam_sync.proto import app as pb
from viam_sync.proto.rpc import auth as auth_pb
from viam_sync.sandbox.core.access import Caller, Grant, grants_of
from viam_sync.sandbox.core.call_errors import invalid_argument, unauthenticated
from viam_sync.sandbox.core.world import World
from viam_sync.sandbox.fleet.shared_secrets import secrets_of

Metadata = Sequence[Tuple[str, Union[str, bytes]]]

_ISSUER = "viam_sync.sandbox"
_TYPES = ("api-key", "robot-secret", "robot-location-secret")
_RETRY_HINT = "authenticate again (proto.rpc.v1.AuthService/Authenticate) with a key that is still there"


def authorization_headers(metadata: Metadata) -> List[str]:
    """Return the values of the authorization headers in the metadata of a call."""
    return [str(value) for name, value in metadata if name == "authorization"]


class Authentication:
    """AuthService, and the check of its tokens in every other call.

    The secret that signs the tokens is in the store, so tokens stay valid when the sandbox is restarted.

    Args:
        world: The state with the keys and secrets.
        lifetime: The seconds until a token expires; None for a token that is valid until its key is deleted.
    """

    def __init__(self, world: World, lifetime: Optional[float] = None) -> None:
        self._world = world
        self._lifetime = lifetime

    def Authenticate(
        self, request: auth_pb.AuthenticateRequest, caller: Optional[Caller]
    ) -> auth_pb.AuthenticateResponse:
        """Issue a token for the key or secret of an API key, a part or a location."""
        credentials = request.credentials
        if credentials.type not in _TYPES:
            raise invalid_argument(f"Credentials of type {credentials.type[:64]!r} are not known; use type 'api-key'.")
        if credentials.type == "api-key":
            proof = self._check_key(request.entity, credentials.payload)
        else:
            proof = self._check_secret(credentials.type, request.entity, credentials.payload)
        return auth_pb.AuthenticateResponse(access_token=self._token(credentials.type, *proof))

    def caller(self, metadata: Metadata) -> Caller:
        """Return the caller of an RPC, by the token in its authorization header.

        Raises:
            CallError: UNAUTHENTICATED if there is no token, or it is not valid.
        """
        found = authorization_headers(metadata)
        if len(found) != 1 or not found[0].startswith("Bearer "):
            had = f"{len(found)} authorization headers" if len(found) != 1 else "one that does not start with 'Bearer '"
            raise unauthenticated(
                f"A call carries its token as one 'authorization: Bearer …' header; this one has {had}."
            )
        claims = self._claims(found[0][len("Bearer ") :])
        caller = self._caller(claims["rpc_creds_type"], claims["sub"], claims["rpc_auth_md"].get("secret_id"))
        if caller is None:
            raise unauthenticated(f"The key or secret behind this token was deleted or rotated; {_RETRY_HINT}.")
        return caller

    def expire_tokens(self) -> None:
        """Invalidate all tokens that were issued so far."""
        with self._world.store.transaction():
            self._world.store.save_settings(tokens_expired=str(self._tokens_expired() + 1))

    @contextlib.contextmanager
    def preserving_tokens(self) -> Iterator[None]:
        """Preserve the validity of tokens while the block restores the store."""
        store = self._world.store
        with store.transaction():
            expired = self._tokens_expired()
        yield
        if expired:
            with store.transaction():
                store.save_settings(tokens_expired=str(expired))

    def _tokens_expired(self) -> int:
        return int(self._world.store.setting("tokens_expired") or 0)

    def _header(self) -> Dict[str, str]:
        times = self._tokens_expired()
        return {"alg": "HS256", "kid": f"sandbox-{times}" if times else "sandbox", "typ": "JWT"}

    def _check_key(self, entity: str, payload: str) -> Tuple[str, Optional[str]]:
        row = self._world.store.row("SELECT key FROM keys WHERE id = ?", entity.lower())
        if row is None or not _is_same(row["key"], payload):
            what = "No API key has this ID" if row is None else "The API key does not go with this ID"
            raise unauthenticated(
                f"{what}; the sandbox prints both, and list_keys shows the IDs of an organization's keys."
            )
        return entity.lower(), None

    def _check_secret(self, type: str, entity: str, payload: str) -> Tuple[str, Optional[str]]:
        if type == "robot-location-secret":
            # The entity is the ID of the location, or the host name of a part in it: part.location.viam.cloud
            entity = entity.split(".")[1] if "." in entity else entity
        for secret in secrets_of(self._world, "part" if type == "robot-secret" else "location", entity):
            if _is_same(secret.secret, payload):
                return entity, secret.id
        raise unauthenticated("No part or location with this secret is known; its secrets are listed with it.")

    def _caller(self, type: str, entity: str, secret_id: Optional[str]) -> Optional[Caller]:
        store = self._world.store
        if type == "api-key":
            row = store.row("SELECT user_id FROM keys WHERE id = ?", entity)
            if row is None:
                return None
            return Caller(
                self._world,
                pb.AuthenticationType.AUTHENTICATION_TYPE_API_KEY,
                entity,
                row["user_id"],
                grants_of(self._world, entity),
            )
        if store.row("SELECT 1 FROM secrets WHERE id = ?", secret_id) is None:
            return None
        if type == "robot-secret":
            robot = self._world.robot(self._world.part(entity).robot)
            given = Grant("operator", "robot", robot.id, self._world.organization_of(robot.location))
            return Caller(
                self._world, pb.AuthenticationType.AUTHENTICATION_TYPE_ROBOT_PART_SECRET, entity, None, [given]
            )
        given = Grant("operator", "location", entity, self._world.organization_of(entity))
        return Caller(self._world, pb.AuthenticationType.AUTHENTICATION_TYPE_LOCATION_SECRET, entity, None, [given])

    def _token(self, type: str, entity: str, secret_id: Optional[str]) -> str:
        claims: Dict[str, Any] = {
            "aud": _ISSUER,
            "iat": self._world.microseconds() // 1_000_000,
            "iss": _ISSUER,
            "jti": self._world.ids.uuid(),
            "rpc_auth_md": {} if secret_id is None else {"secret_id": secret_id},
            "rpc_creds_type": type,
            "sub": entity,
        }
        if self._lifetime is not None:
            claims["exp"] = self._world.microseconds() / 1_000_000 + self._lifetime
        signed = f"{_base64url(json.dumps(self._header()).encode())}.{_base64url(json.dumps(claims).encode())}"
        return f"{signed}.{_base64url(self._signature(signed))}"

    def _claims(self, token: str) -> Dict[str, Any]:
        signed, _, signature = token.rpartition(".")
        try:
            good = hmac.compare_digest(_from_base64url(signature), self._signature(signed))
            claims: Dict[str, Any] = json.loads(_from_base64url(signed.partition(".")[2])) if good else {}
        except (binascii.Error, ValueError):
            claims = {}
        if claims.get("aud") != _ISSUER:
            raise unauthenticated(f"The token was not made by this sandbox, or was changed on the way; {_RETRY_HINT}.")
        if signed.partition(".")[0] != _base64url(json.dumps(self._header()).encode()):
            raise unauthenticated(f"The token has expired; {_RETRY_HINT}.")
        if self._world.microseconds() >= claims.get("exp", float("inf")) * 1_000_000:
            raise unauthenticated(f"The token has expired; {_RETRY_HINT}.")
        return claims

    def _signature(self, signed: str) -> bytes:
        secret = self._world.store.setting("signing_secret") or ""
        return hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest()


def reject_header(metadata: Metadata) -> None:
    """Reject an authorization header, which AuthService does not take.

    Raises:
        CallError: INVALID_ARGUMENT.
    """
    if authorization_headers(metadata):
        raise invalid_argument("Authenticate takes no authorization header; send only the entity and its credentials.")


def _is_same(secret: str, payload: str) -> bool:
    return hmac.compare_digest(secret.encode(), payload.encode())


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _from_base64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
