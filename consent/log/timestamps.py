"""Time stamps of checkpoints by a third party (RFC 3161): the question, when an answer is believed, where it is kept.

In: a checkpoint, an answer, the certificates that we trust. Out: two files below `timestamps/` of the log,
`<size>.checkpoint` (the signed note) and `<size>.tsr` (the authority's answer over the note's SHA-256), so that
`openssl ts -verify -data <size>.checkpoint -in <size>.tsr -CAfile …` checks them too. Nothing here dials anybody.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from rfc3161_client import (
    TimeStampRequest,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)
from rfc3161_client.base import HashAlgorithm

from consent.log.durable import writing
from consent.log.note import Checkpoint
from hanbeon.errors import DependencyDown, IntegrityError, SettingsError

FOLDER = "timestamps"
NOTE, ANSWER = ".checkpoint", ".tsr"
SHA256 = "2.16.840.1.101.3.4.2.1"
NOT_BELIEVED = "The time-stamping authority's answer is not believed: {}. No time stamp was kept; it is asked again."
_SIZE = re.compile(r"[1-9]\d{0,18}")


@dataclass(frozen=True)
class TimeStamp:
    """The log had `size` entries at the instant `at` of the authority's clock."""

    size: int
    at: datetime


def trusted(path: Path) -> list[x509.Certificate]:
    """The certificates (PEM) to one of which an authority's must lead.

    Raises DependencyDown when the file cannot be read, SettingsError when it holds no certificate."""
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except OSError as error:
        raise DependencyDown(
            "The file of log.timestamps_ca_file cannot be read, so no time stamp is believed. See to its name and "
            "rights."
        ) from error
    except ValueError as error:
        raise SettingsError(
            "The file of log.timestamps_ca_file must hold certificates in PEM: those of the time-stamping authority's "
            "root, and of intermediates that its answers leave out."
        ) from error


def question(checkpoint: Checkpoint) -> TimeStampRequest:
    """What the authority is asked: the note's SHA-256, a nonce of its own, and for its certificate in the answer."""
    return (
        TimestampRequestBuilder()
        .data(checkpoint.text.encode())
        .hash_algorithm(HashAlgorithm.SHA256)
        .nonce(nonce=True)
        .cert_request(cert_request=True)
        .build()
    )


def believed(
    answer: bytes, asked: TimeStampRequest, checkpoint: Checkpoint, roots: Sequence[x509.Certificate]
) -> bytes:
    """The answer as it is kept. Raises IntegrityError unless it answers this question about this very checkpoint, and
    a certificate for time stamping that leads to one of the roots, and was valid then, signed it (RFC 3161, 2.2)."""
    try:
        kept = in_der_order(answer)
        given = decode_timestamp_response(kept)
        if _says(given) != (SHA256, hashlib.sha256(checkpoint.text.encode()).digest()):
            raise IntegrityError(NOT_BELIEVED.format("it is over something else than the checkpoint"))
        if given.tst_info.nonce != asked.nonce:
            raise IntegrityError(NOT_BELIEVED.format("it answers another question (its nonce is not ours)"))
        VerifierBuilder(roots=list(roots), nonce=asked.nonce).build().verify_message(given, checkpoint.text.encode())
    except IntegrityError:
        raise
    except VerificationError as error:
        raise IntegrityError(
            NOT_BELIEVED.format("no certificate that log.timestamps_ca_file trusts for time stamping signed it")
        ) from error
    except Exception as error:  # a stranger's bytes, in a parser of ASN.1: whatever it stumbles over
        raise IntegrityError(NOT_BELIEVED.format("it grants no time stamp, or is malformed")) from error
    return kept


def keep(folder: Path, checkpoint: Checkpoint, answer: bytes) -> None:
    """Both files, durable. The note comes first: one without an answer, of a writer that died, proves nothing."""
    own = folder / FOLDER
    with writing(own) as writer:
        writer.put(own / f"{checkpoint.size}{NOTE}", checkpoint.text.encode())
        writer.put(own / f"{checkpoint.size}{ANSWER}", answer)


def newest_stamp(folder: Path) -> TimeStamp | None:
    """That of the largest log, as it was kept. Raises IntegrityError when its file is not what was kept."""
    sizes = [int(p.stem) for p in (folder / FOLDER).glob(f"*{ANSWER}") if _SIZE.fullmatch(p.stem)]
    if not sizes:
        return None
    path = folder / FOLDER / f"{max(sizes)}{ANSWER}"
    try:
        return TimeStamp(max(sizes), decode_timestamp_response(path.read_bytes()).tst_info.gen_time)
    except ValueError as error:
        raise IntegrityError(
            f"The log's file {FOLDER}/{path.name} is no time stamp. Restore it from a copy, or remove it: another "
            "checkpoint is stamped then."
        ) from error


def in_der_order(answer: bytes) -> bytes:
    """The answer with the certificates of its CMS in the order that DER has for sets (X.690, 11.6).

    OpenSSL's authority, and those built on it, leave them as configured, which our reader refuses. They are not under
    the signature, and no length changes. Raises IndexError or ValueError when this is no answer with a token.
    """
    token = _after(answer, _inside(answer, 0))  # TimeStampResp: past the status
    content = _after(answer, _inside(answer, token))  # ContentInfo: past the type
    at = _inside(answer, _inside(answer, content))  # SignedData, in its explicit tag
    for _ in ("version", "digestAlgorithms", "encapContentInfo"):
        at = _after(answer, at)
    if answer[at] != 0xA0:
        raise ValueError("an answer without certificates")
    first, end, found = _inside(answer, at), _after(answer, at), []
    at = first
    while at < end:
        found.append(answer[at : _after(answer, at)])
        at = _after(answer, at)
    return answer[:first] + b"".join(sorted(found)) + answer[end:]


def _says(given: TimeStampResponse) -> tuple[str, bytes]:
    imprint = given.tst_info.message_imprint
    return imprint.hash_algorithm.dotted_string, imprint.message


def _inside(data: bytes, at: int) -> int:
    """Where the content of the DER value at this place begins."""
    return at + 2 + (data[at + 1] & 0x7F if data[at + 1] & 0x80 else 0)


def _after(data: bytes, at: int) -> int:
    """Where the DER value at this place ends. Raises ValueError when that is behind the data."""
    first = _inside(data, at)
    length = data[at + 1] if first == at + 2 else int.from_bytes(data[at + 2 : first], "big")
    if first + length > len(data):
        raise ValueError("a value that is longer than what holds it")
    return first + length
