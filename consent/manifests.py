"""Import manifests: an originating agency's one signature over every row of a file (docs/proof.md, section 2).

In: an import file and the agency's compact JWS over {"iss","iat","rows","root","sha256"}. Out: `Signed`, which gives
each row its evidence: the signature, the row, and the row's path to the signed root. `manifest` makes the claims that
an agency signs. A row's leaf is RFC 8785 JSON of its texts that are not empty; identifiers stand in it as the hash of
salt and identifier, so that evidence names nobody to whom it is shown later. A row that cannot be read is `null`.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from consent import merkle
from consent.append import canonical
from consent.import_rows import Texts, blocks
from consent.trust import SKEW, Trust, signed_by_agency
from hanbeon.errors import IntegrityError

TYP = "import-manifest+jwt"
IDENTIFIERS = ("subject_identifier", "grantor_identifier")


@dataclass(frozen=True)
class Signed:
    """A manifest that fits its file. `tree` holds the hashes of its rows, by number from 1."""

    agency: str
    token: str
    tree: Sequence[Sequence[bytes]] = field(repr=False)

    def evidence(self, number: int, row: Mapping[str, str]) -> dict[str, Any]:
        """What proves this row. Raises IntegrityError when the file was changed while it was read."""
        path = [h.hex() for h in merkle.path_in(self.tree, number - 1)]
        if merkle.leaf_hash(canonical(row)) != self.tree[0][number - 1]:
            raise IntegrityError("The file changed while it was imported. Import it again, with its manifest.")
        return {"kind": "import", "manifest": self.token, "row": dict(row), "index": number - 1, "path": path}


def manifest(path: Path, agency: str, at: datetime) -> dict[str, Any]:
    """The claims over a file that the agency signs, as a JWS of type `TYP` with Ed25519."""
    tree = merkle.levels(_leaves(path))
    root = tree[-1][0] if tree[-1] else merkle.EMPTY
    return {
        "iss": agency,
        "iat": int(at.timestamp()),
        "rows": len(tree[0]),
        "root": root.hex(),
        "sha256": _sha256(path),
    }


def read(trust: Trust, token: str | None, path: Path, at: datetime) -> Signed | str:
    """The manifest of this file, or the reason for which every row of it is refused."""
    if not token:
        return "no manifest signed by its origin proves it"
    try:
        agency, claims = signed_by_agency(trust, token.strip())
    except IntegrityError:
        return "the manifest is signed by no agency that is trusted"
    tree = merkle.levels(_leaves(path))
    root = tree[-1][0] if tree[-1] else merkle.EMPTY
    if (claims.get("rows"), claims.get("root")) != (len(tree[0]), root.hex()):
        return "the manifest was signed over other rows than these"
    if claims.get("sha256") != _sha256(path):
        return "the manifest was signed over another file with these rows"
    issued = claims.get("iat")
    if not isinstance(issued, int) or not 0 < issued < 2**33 or datetime.fromtimestamp(issued, UTC) - SKEW > at:
        return "the manifest does not say when it was signed, or says a later time"
    return Signed(agency, token.strip(), tree)


def canonical_row(texts: Texts | str) -> dict[str, str] | None:
    """A row as its leaf has it."""
    if isinstance(texts, str):
        return None
    given = {name: value.strip() for name, value in texts.items() if value and value.strip()}
    salt = given.pop("salt", "")
    blinded = {n: hashlib.sha256((salt + v).encode()).hexdigest() for n, v in given.items() if n in IDENTIFIERS}
    return given | blinded


def _leaves(path: Path) -> list[bytes]:
    """The hash of every row, by number."""
    found = [
        (number, merkle.leaf_hash(canonical(canonical_row(texts)))) for block in blocks(path) for number, texts in block
    ]
    return [leaf for _, leaf in sorted(found)]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
