"""The simulated world's identity provider: it says who a citizen is, and signs it.

In: a citizen's number, a nonce (the hash of the notice that she was shown), an instant. Out: a compact JWS (RFC 7515,
Ed25519) whose `sub` is the provider's pseudonym of the citizen, `consent.trust` says how it is derived. Keys lie under
`home/agencies/identity`, apart from the operator's; `introduce` hands the operator what a real provider hands over by
contract: its public key and the linking key. In the simulation every citizen confirms at once on her telephone.
"""

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from joserfc import jws
from joserfc.jwk import OKPKey

from hanbeon.errors import UsageError
from hanbeon.settings import LogSettings
from sources.simulate import agency_keys
from sources.simulate.key_files import own_bytes, signing_key

NAME = "identity"
ISSUER = "https://identity.simulated.example"
AGENCY = "gov24"  # an agency of the world that keeps consents of its own and signs what it hands over
ORIGIN = LogSettings.origin
TOKEN_SECONDS = 300
ACR = "3"
NUMBER = re.compile(r"[0-9]{13}")
NONCE = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class IdentityProvider:
    """A provider with its keys open."""

    origin: str
    key: OKPKey = field(repr=False)
    linking: bytes = field(repr=False)

    def authenticate(self, identifier: str, nonce: str, at: datetime) -> str:
        """A token for the citizen with this number. Raises UsageError, which quotes nothing, for what is no number."""
        if not NUMBER.fullmatch(identifier) or not NONCE.fullmatch(nonce):
            raise UsageError("Authenticating takes a number of 13 digits and a nonce of 64 hexadecimal digits.")
        made = int(at.timestamp())
        claims = {
            "iss": ISSUER,
            "aud": self.origin,
            "sub": hmac.new(self.linking, identifier.encode(), hashlib.sha256).hexdigest(),
            "iat": made,
            "exp": made + TOKEN_SECONDS,
            "nonce": nonce,
            "acr": ACR,
            "jti": secrets.token_urlsafe(24),
        }
        return signed(self.key, claims, "JWT")


def signed(key: OKPKey, claims: Mapping[str, Any], typ: str) -> str:
    """A compact JWS with Ed25519 over these claims."""
    header = {"alg": "Ed25519", "typ": typ, "kid": key.thumbprint()}
    return jws.serialize_compact(header, json.dumps(claims, separators=(",", ":")), key, algorithms=["Ed25519"])


def provider(home: Path, origin: str = ORIGIN) -> IdentityProvider:
    """The world's provider, its keys made at first use."""
    return IdentityProvider(origin, _key(home, NAME), own_bytes(home / "agencies" / NAME / "linking.key"))


def agency_key(home: Path) -> OKPKey:
    """The signing key of the agency that hands over consents."""
    return _key(home, AGENCY)


def jwks(key: OKPKey) -> dict[str, list[dict[str, Any]]]:
    """The public half as a JWK set."""
    return {"keys": [{**key.as_dict(private=False), "kid": key.thumbprint()}]}


def introduce(home: Path) -> None:
    """Tell the operator whom to believe in this world: `keys/trusted.json` and `keys/linking.key`.

    A trust file that does not name this world's provider is somebody else's, and is left alone.
    """
    path, own = home / "keys" / "trusted.json", provider(home)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    before = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    if path.exists() and ISSUER not in before.get("identity_providers", {}):
        return
    told = {
        "identity_providers": {ISSUER: _also(jwks(own.key), before.get("identity_providers", {}).get(ISSUER))},
        "agencies": {AGENCY: _also(jwks(agency_key(home)), before.get("agencies", {}).get(AGENCY))},
        "partners": {
            name: _also(_partner(home, name, key), before.get("partners", {}).get(name))
            for name, key in agency_keys.keys_of(home).items()
        },
    }
    _write(path.with_name("linking.key"), own.linking.hex().encode())
    _write(path, json.dumps(told, indent=1).encode())


def _partner(home: Path, name: str, key: OKPKey) -> dict[str, list[dict[str, Any]]]:
    box = jwks(agency_keys.box_of(home, name))["keys"]
    return {"keys": jwks(key)["keys"] + [{**one, "use": "enc"} for one in box]}


def _also(now: dict[str, list[Any]], before: dict[str, list[Any]] | None) -> dict[str, list[Any]]:
    """A world that was built anew has new keys; what was signed with the old ones still verifies."""
    return {"keys": now["keys"] + [k for k in (before or {"keys": []})["keys"] if k not in now["keys"]]}


def _key(home: Path, name: str) -> OKPKey:
    return signing_key(home / "agencies" / NAME / f"{name}-signing.key")


def _write(path: Path, content: bytes) -> None:
    """In one step, readable by its owner alone; untouched when it says the same already."""
    if path.exists() and path.read_bytes() == content:
        return
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    draft.touch(mode=0o600)
    draft.write_bytes(content)
    draft.replace(path)
