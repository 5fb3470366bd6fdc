"""One row as its row tree commits to it, in plain Python (docs/proof.md, section 3).

In: a row as Arrow gives it to Python, with its schema. Out: the texts of its two parts, their salts and commitments,
and the leaf hash. `lake.rows` says the same of whole files; proofs of single rows are made from here.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

PIPELINE, CONTENT = b"\x00", b"\x01"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Part:
    """One of a row's two parts: the text of each column (None for NULL) and the salt."""

    columns: Mapping[str, str | None]
    salt: bytes

    @property
    def commitment(self) -> bytes:
        return hashlib.sha256(self.salt + text(self.columns).encode()).digest()


def parts(row: Mapping[str, Any], schema: pa.Schema, secret: bytes, name: str, number: int) -> tuple[Part, Part]:
    """Pipeline part and content part of a row: `number` is its place in the data file `name` (below its table)."""
    shown = {f.name: value_text(row[f.name], f.type) for f in schema}
    pipeline = {n: v for n, v in shown.items() if n.startswith("_")}
    content = {n: v for n, v in shown.items() if not n.startswith("_")}
    return Part(pipeline, salt(secret, name, number, PIPELINE)), Part(content, salt(secret, name, number, CONTENT))


def salt(secret: bytes, name: str, number: int, part: bytes) -> bytes:
    file = hashlib.sha256(name.encode()).digest()
    return hashlib.sha256(secret + file + number.to_bytes(8, "big") + part).digest()


def leaf_hash(pipeline: bytes, content: bytes) -> bytes:
    """The row's leaf in its file's tree, over the commitments of both parts."""
    return hashlib.sha256(b"\x00" + pipeline + content).digest()


def text(columns: Mapping[str, str | None]) -> str:
    """Netstrings of name and value, in ascending order of name."""
    return "".join(_net(name) + _net(columns[name]) for name in sorted(columns))


def value_text(value: Any, kind: pa.DataType) -> str | None:
    """A value's text; None for NULL."""
    if value is None:
        return None
    if pa.types.is_list(kind):
        return "".join(_net(value_text(item, kind.value_type)) for item in value)
    if pa.types.is_struct(kind):
        fields = {kind.field(i).name: kind.field(i).type for i in range(kind.num_fields)}
        return "".join(_net(n) + _net(value_text(value[n], fields[n])) for n in sorted(fields))
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        since = value.replace(tzinfo=value.tzinfo or UTC) - EPOCH
        return str((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _net(value: str | None) -> str:
    return "-," if value is None else f"{len(value.encode())}:{value},"
