"""Whom we believe: identity providers that say who a citizen is, agencies that sign what they import, and partners
that sign what they received.

In: the trust file (`home/keys/trusted.json`, or where settings name it), the linking key beside it, our origin. Out:
`Trust`. A token is believed when a trusted provider signed it with Ed25519, for us, over the very notice, just now.

    {"identity_providers": {issuer: {"keys": [JWK]}}, "agencies": {name: {"keys": [JWK]}},
     "partners": {name: {"keys": [JWK]}}}

Partners may be left out: then nobody's acknowledgement counts. A partner's key with `"use": "enc"` (X25519) is the one
to which evidence for it is encrypted; the others sign.

A provider's `sub` is its pseudonym of the person: HMAC-SHA256 of the resident number, in hex, under the linking key
that provider and operator share (`linking.key`), as 연계정보 (CI) is derived in Korea. So a token shows no number, and
still proves whose it is.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from consent.key_files import KEY_BYTES
from consent.secrets import mac
from consent.signing import read_jws
from hanbeon.errors import DependencyDown, IntegrityError, SettingsError

JwkSet = Sequence[Mapping[str, str]]
FILE_NAME, LINKING_NAME = "trusted.json", "linking.key"
SKEW = timedelta(seconds=60)
LONGEST_LIFE = timedelta(hours=1)
LEAST_ACR = 2  # levels of assurance 1 to 4, as ISO/IEC 29115 counts them


@dataclass(frozen=True)
class Trust:
    """`origin` is who we are: the audience of every token."""

    origin: str
    identity_providers: Mapping[str, JwkSet] = field(default_factory=dict)
    agencies: Mapping[str, JwkSet] = field(default_factory=dict)
    linking: bytes = field(default=b"", repr=False)
    partners: Mapping[str, JwkSet] = field(default_factory=dict)


@dataclass(frozen=True)
class Claims:
    """What a believed token says: who, by whose word, and the name under which it is spent."""

    issuer: str
    subject: str
    token_id: str
    expires_at: datetime


def read_trust(path: Path, origin: str) -> Trust:
    """Whom this file names, for tokens made for `origin`, the log's.

    Raises DependencyDown when the file or the linking key is missing, SettingsError when one is malformed."""
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
        linking = bytes.fromhex(path.with_name(LINKING_NAME).read_text(encoding="ascii"))
    except OSError as error:
        raise DependencyDown(
            f"{FILE_NAME} or {LINKING_NAME} beside it cannot be read, so nobody is trusted. Write them, or name the"
            " file with consent.trust_file; `hanbeon world serve` makes those of the simulated world."
        ) from error
    except ValueError as error:
        raise SettingsError(f"{FILE_NAME} is not JSON, or {LINKING_NAME} not hexadecimal. Correct it.") from error
    try:
        providers, agencies, partners = (
            {str(name): tuple(jwks["keys"]) for name, jwks in named.items()}
            for named in (given["identity_providers"], given["agencies"], given.get("partners", {}))
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise SettingsError(f"{FILE_NAME} must hold identity_providers and agencies with JWK sets.") from error
    if len(linking) != KEY_BYTES:
        raise SettingsError(f"{LINKING_NAME} must be {KEY_BYTES} bytes in hexadecimal. Restore it.")
    return Trust(origin, providers, agencies, linking, partners)


def pseudonym(trust: Trust, identifier: str) -> str:
    """What a provider calls the person with this resident number."""
    return mac(trust.linking, identifier.encode()).hexdigest()


def authenticated(trust: Trust, token: str, nonce: str, at: datetime) -> Claims:
    """The claims of a token that a trusted provider signed over this notice. Raises IntegrityError with what is wrong.

    Claims: `iss`, `aud` = our origin, `sub`, `iat`, `exp`, `nonce` = hex hash of the notice, `acr`, `jti`.
    """
    issuer, claims = _signed(token, trust.identity_providers)
    if claims.get("aud") != trust.origin:
        raise IntegrityError("The token was made for somebody else. Authenticate for this system.")
    if claims.get("nonce") != nonce:
        raise IntegrityError("The token was signed over another notice than that of these terms. Authenticate over it.")
    subject, token_id, acr = claims.get("sub"), claims.get("jti"), str(claims.get("acr"))
    if not (isinstance(subject, str) and subject and isinstance(token_id, str) and 16 <= len(token_id) <= 200):
        raise IntegrityError("The token names nobody, or has no id of its own. Ask the identity provider for another.")
    if not (acr.isdecimal() and int(acr) >= LEAST_ACR):
        raise IntegrityError(f"The token's level of assurance is below {LEAST_ACR}. Authenticate by stronger means.")
    return Claims(issuer, subject, token_id, _unexpired(claims, at))


def signed_by_agency(trust: Trust, token: str) -> tuple[str, dict[str, Any]]:
    """The agency that signed this, and what. Raises IntegrityError when no trusted agency did."""
    return _signed(token, trust.agencies)


def signed_by_partner(trust: Trust, token: str) -> tuple[str, dict[str, Any]]:
    """The holder or recipient that signed this, and what. Raises IntegrityError when no trusted one did."""
    return _signed(token, trust.partners)


def encryption_key(trust: Trust, agency: str) -> Mapping[str, str]:
    """The public key to which what only this agency may read is encrypted. Raises DependencyDown without one."""
    for key in trust.partners.get(agency, ()):
        if key.get("use") == "enc":
            return key
    raise DependencyDown(
        f"{FILE_NAME} has no encryption key of {agency} under partners, so nothing can be handed over to it. Add its"
        ' X25519 key with "use": "enc", then do this again.'
    )


def _signed(token: str, issuers: Mapping[str, JwkSet]) -> tuple[str, dict[str, Any]]:
    """Signature first: nothing that a stranger wrote is read."""
    for issuer, keys in issuers.items():
        try:
            claims = read_jws(token, [key for key in keys if key.get("use") != "enc"])
        except IntegrityError:
            continue
        if claims.get("iss") == issuer:
            return issuer, claims
    raise IntegrityError("The signature is by nobody who is trusted. See consent.trust_file, or ask for a valid one.")


def _unexpired(claims: Mapping[str, Any], at: datetime) -> datetime:
    issued, expires = claims.get("iat"), claims.get("exp")
    if not all(isinstance(v, int) and not isinstance(v, bool) and 0 < v < 2**33 for v in (issued, expires)):
        raise IntegrityError("The token does not say when it was made and until when it holds. Ask for another.")
    made, until = (datetime.fromtimestamp(int(v or 0), UTC) for v in (issued, expires))
    if not (made - SKEW <= at < until + SKEW and until - made <= LONGEST_LIFE):
        raise IntegrityError("The token has expired, is not valid yet, or is valid for too long. Authenticate again.")
    return until
