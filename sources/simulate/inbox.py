"""An agency's inbox: it keeps what it is told, and answers with a signed acknowledgement.

POST /inbox/<agency>  {"origin", "kind", "digest" (the idempotency key), "body"}  ->  {"acknowledgement": JWS}

The answer is Ed25519 by the agency's own key over `iss`, `aud` (the sender's origin), `kind`, `digest`, `iat`, `jti`.
The same message again gets the same answer: the agency keeps one copy, under `home/agencies/inbox/<agency>`. A body
that does not have its digest is refused.
"""

import hashlib
import json
import re
import secrets
from functools import partial
from pathlib import Path

from hanbeon.clock import now
from sources.simulate import agency_keys, identity
from sources.simulate.agency import Respond
from sources.simulate.pages import BadRequest, Switches

NAME = "inbox"
TYP = "acknowledgement+jwt"
MOST_BYTES = 4 << 20
_KIND = re.compile(r"[a-z_]{1,60}")


def path_of(agency: str) -> str:
    return f"/inbox/{agency}"


def paths(home: Path) -> dict[str, Respond]:
    """An inbox for each agency of the world."""
    return {path_of(agency): partial(_receive, home, agency) for agency in agency_keys.AGENCIES}


def received(home: Path, agency: str) -> list[dict[str, str]]:
    """What an agency was told, for tests and the curious."""
    folder = _folder(home, agency)
    return [json.loads(p.read_text(encoding="utf-8")) for p in sorted(folder.glob("*.json"))]


def _folder(home: Path, agency: str) -> Path:
    return home / "agencies" / NAME / agency


def _receive(home: Path, agency: str, request: bytes, switches: Switches) -> bytes:
    """`silent` is the fault of an agency that takes a message and acknowledges nothing."""
    if len(request) > MOST_BYTES:
        raise BadRequest
    try:
        given = json.loads(request)
        origin, kind, digest = str(given["origin"]), str(given["kind"]), str(given["digest"])
        body = json.dumps(given["body"], ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    except (ValueError, KeyError, TypeError):
        raise BadRequest from None
    if not _KIND.fullmatch(kind) or hashlib.sha256(body).hexdigest() != digest:
        raise BadRequest
    if switches.get("silent"):
        return b"{}"
    kept = _folder(home, agency) / f"{kind}-{digest}.json"
    if not kept.exists():
        claims = {
            "iss": agency,
            "aud": origin,
            "kind": kind,
            "digest": digest,
            "iat": int(now().timestamp()),
            "jti": secrets.token_urlsafe(24),
        }
        token = identity.signed(agency_keys.key_of(home, agency), claims, TYP)
        kept.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = kept.with_name(f".{kept.name}.{secrets.token_hex(4)}")
        draft.write_text(json.dumps({"kind": kind, "body": body.decode(), "acknowledgement": token}), encoding="utf-8")
        draft.replace(kept)
    answer = json.loads(kept.read_text(encoding="utf-8"))
    return json.dumps({"acknowledgement": answer["acknowledgement"]}).encode()
