"""An agency's inbox: it keeps what it is told, and answers with a signed acknowledgement.

POST /inbox/<agency>  {"origin", "kind", "digest" (the idempotency key), "body"}  ->  {"acknowledgement": JWS}

The answer is Ed25519 by the agency's own key over `iss`, `aud` (the sender's origin), `kind`, `digest`, `iat`, `jti`.
The same message again gets the same answer: the agency keeps one copy, under `home/agencies/inbox/<agency>`. A body
that does not have its digest is refused. Evidence and claims (`SEALED`) come with `content`, a JWE for the agency
whose digest the body names; it is opened and filed under `home/agencies/case_files/<agency>` before the answer.
"""

import hashlib
import json
import re
import secrets
from functools import partial
from pathlib import Path
from typing import Any

from joserfc import jwe
from joserfc.errors import JoseError

from hanbeon.clock import now
from sources.simulate import agency_keys, identity
from sources.simulate.agency import Respond
from sources.simulate.pages import BadRequest, Switches

NAME = "inbox"
SEALED = ("evidence_handover", "correction_demand")
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


def case_file(home: Path, agency: str) -> list[str]:
    """What came sealed for an agency, opened: signed evidence, claims; for tests and the curious."""
    return [p.read_text(encoding="utf-8") for p in sorted(_cases(home, agency).glob("*.content"))]


def _cases(home: Path, agency: str) -> Path:
    return home / "agencies" / "case_files" / agency


def _file(home: Path, agency: str, given: dict[str, Any]) -> None:
    """One copy of each document, however often it comes."""
    try:
        content, expected = str(given["content"]), str(given["body"]["content_digest"])
        digest = hashlib.sha256(content.encode()).hexdigest()
        clear = jwe.decrypt_compact(content, agency_keys.box_of(home, agency)).plaintext or b""
    except (KeyError, TypeError, ValueError, JoseError):
        raise BadRequest from None
    if digest != expected:
        raise BadRequest
    _keep(_cases(home, agency) / f"{digest}.content", clear)


def _keep(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    draft.touch(mode=0o600)
    draft.write_bytes(content)
    draft.replace(path)


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
    if kind in SEALED:
        _file(home, agency, given)
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
        _keep(kept, json.dumps({"kind": kind, "body": body.decode(), "acknowledgement": token}).encode())
    answer = json.loads(kept.read_text(encoding="utf-8"))
    return json.dumps({"acknowledgement": answer["acknowledgement"]}).encode()
