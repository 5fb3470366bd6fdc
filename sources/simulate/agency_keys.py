"""The keys of every holder and recipient of the simulated world: `home/agencies/keys/<agency>.key`
signs, `<agency>-box.key` opens what is encrypted to the agency.

With it an agency signs what it delivered, and that it received what it was told. The operator knows the public halves
as the trust file's `partners` (`sources.simulate.identity.introduce`).
"""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from joserfc.jwk import OKPKey

from schemas.contract import sources
from schemas.services import recipients
from sources.simulate.key_files import own_bytes, signing_key

AGENCIES = tuple(sorted({*(c.holder for c in sources()), *(r.id for r in recipients())}))


def key_of(home: Path, agency: str) -> OKPKey:
    """An agency's key, made at first use."""
    return signing_key(home / "agencies" / "keys" / f"{agency}.key")


def box_of(home: Path, agency: str) -> OKPKey:
    """The key to which what only this agency may read is encrypted, made at first use."""
    raw = own_bytes(home / "agencies" / "keys" / f"{agency}-box.key")
    return OKPKey.import_key(X25519PrivateKey.from_private_bytes(raw))


def keys_of(home: Path) -> dict[str, OKPKey]:
    return {agency: key_of(home, agency) for agency in AGENCIES}
