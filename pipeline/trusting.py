"""The public keys that whoever checks us needs: `trust.json` (docs/proof.md, section 1).

In: a run. Out: the keys of log, witness and documents, and of the identity providers, agencies and partners that we
believe. No secret is among them. A copy lies beside the log; an auditor gets one by another way and compares.
"""

import base64
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding

from consent import signing
from consent.append import canonical
from consent.log import timestamps
from hanbeon.errors import HanbeonError
from hanbeon.settings import Settings
from lake.files import write_durably
from pipeline.attest import operator, operator_vkey, witness
from pipeline.run import Run

FILE_NAME = "trust.json"


def trust(run: Run) -> dict[str, Any]:
    known = run.trust if run.settings.trust_path.exists() else None
    return {
        "origin": run.settings.log.origin,
        "operator": operator_vkey(run.settings),
        "witness": witness(run.settings).vkey,
        "documents": {"keys": [signing.jwk(operator(run.settings).documents)]},
        "identity_providers": {} if known is None else _sets(known.identity_providers),
        "agencies": {} if known is None else _sets(known.agencies),
        "partners": {} if known is None else _sets(known.partners),
        **_authorities(run.settings),
    }


def keep(run: Run) -> None:
    """Write the copy beside the log where it is missing or of other keys."""
    path, content = run.settings.log_path / FILE_NAME, canonical(trust(run)) + b"\n"
    if not path.exists() or path.read_bytes() != content:
        write_durably(path, content)


def _sets(named: Any) -> dict[str, Any]:
    return {name: {"keys": [dict(key) for key in keys]} for name, keys in named.items()}


def _authorities(settings: Settings) -> dict[str, list[str]]:
    """The time-stamping authority's certificates, where one is named. Nothing waits for them: while their file cannot
    be read they are left out, and `hanbeon doctor` says why."""
    if not settings.log.timestamps:
        return {}
    try:
        found = timestamps.trusted(Path(settings.log.timestamps_ca_file))
    except HanbeonError:
        return {}
    return {"timestamps": [base64.b64encode(one.public_bytes(Encoding.DER)).decode() for one in found]}
