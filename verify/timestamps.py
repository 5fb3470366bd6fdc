"""Time stamps of the log's checkpoints: by whom they are, and of when (RFC 3161).

In: a log that `verify.py` checked, and the certificates that the auditor trusts. Out: findings, and in the remarks the
instants before which the log had its entries. Revocation lists are not asked for: this works offline. Needs
rfc3161-client, which verifies with OpenSSL; shares no code with the writers.
"""

import base64
import hashlib
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from rfc3161_client import TimeStampResponse, VerificationError, VerifierBuilder, decode_timestamp_response

from verify import verify as plain

SLACK = timedelta(hours=1)  # clocks differ, and what is committed is in the log with the next publication
SHA256 = "2.16.840.1.101.3.4.2.1"


@dataclass(frozen=True)
class Stamp:
    """The log of `size` entries existed before an instant, which the authority's inaccuracy is part of."""

    size: int
    before: datetime
    authority: str

    def __str__(self) -> str:
        at = self.before.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return f"The log of {self.size:,} entries existed before {at}, says {self.authority}."


def check(log: Any, report: Any, trust: Path, tsa: Path | None) -> list[Stamp]:
    """Every stamp's signature; what they say goes into the remarks, the oldest and the newest. The good stamps."""
    if not log.stamped:
        return []
    where = str(trust if tsa is None else tsa)
    roots = report.check(where, _trusted, trust, tsa)
    if roots is None:
        return []
    if not roots:
        report.remarks.append(
            f"{len(log.stamped)} time stamps are by an authority that nobody named: no certificate is among your keys "
            "(timestamps) or given (--tsa), so that who signed them, and when, was not checked."
        )
        return []
    found = [report.check(f"log/timestamps/{n}.tsr", read, log.folder, n, roots) for n in sorted(log.stamped)]
    good = [one for one in found if one is not None]
    say(good, report)
    return good


def say(good: Sequence[Stamp], report: Any) -> None:
    """What the stamps say, the oldest and the newest, into the report's remarks."""
    if len(good) > 2:
        report.remarks.append(f"{len(good)} sizes of the log have a time stamp; the oldest and the newest:")
    report.remarks += [str(one) for one in (good if len(good) < 3 else (good[0], good[-1]))]


def compare(good: Sequence[Stamp], events: Iterable[tuple[int, int, datetime]], report: Any) -> None:
    """Hold the instants that events claim against the stamps around them; what does not fit goes into the remarks.

    `good` in order of size; of each event its index in the log, its position and its instant. An event behind a
    stamped size was not in that log; one before it was."""
    sizes, early, late = [one.size for one in good], [], []
    for index, position, instant in events:
        at = bisect_right(sizes, index)
        if at > 0 and instant < good[at - 1].before - SLACK:
            early.append(position)
        if at < len(good) and instant > good[at].before + SLACK:
            late.append(position)
    for found, what in ((early, "before a log was stamped that did not hold them"), (late, "after they were stamped")):
        if found:
            report.remarks.append(
                f"{len(found)} ledger events claim an instant more than an hour {what}; the first is event "
                f"{min(found)}. Ask the operator why."
            )


def read(folder: Path, size: int, roots: Sequence[x509.Certificate]) -> Stamp:
    """What one stamp says. Raises plain.Bad unless a certificate for time stamping that leads to one of the roots, and
    was valid when it signed, signed it over this very checkpoint."""
    note = (folder / "timestamps" / f"{size}.checkpoint").read_bytes()
    data = (folder / "timestamps" / f"{size}.tsr").read_bytes()
    try:
        given = decode_timestamp_response(data)
        said = given.tst_info.message_imprint.hash_algorithm.dotted_string, given.tst_info.message_imprint.message
        plain.need(said == (SHA256, hashlib.sha256(note).digest()), "the time stamp is over something else")
        VerifierBuilder(roots=list(roots)).build().verify_message(given, note)
        return Stamp(size, _latest(given), _authority(given))
    except plain.Bad:
        raise
    except VerificationError as error:
        raise plain.Bad(
            "no certificate for time stamping that leads to a trusted one, and was valid then, signed the time stamp"
        ) from error
    except Exception as error:  # a stranger's bytes, in a parser of ASN.1: whatever it stumbles over is a finding
        raise plain.Bad("the time stamp is malformed") from error


def _trusted(trust: Path, tsa: Path | None) -> list[x509.Certificate]:
    if tsa is not None:
        return x509.load_pem_x509_certificates(tsa.read_bytes())
    given = plain.parse(trust.read_bytes()).get("timestamps", [])
    return [x509.load_der_x509_certificate(base64.b64decode(one, validate=True)) for one in given]


def _latest(given: TimeStampResponse) -> datetime:
    """The authority's instant with its inaccuracy added (RFC 3161, 2.4.2)."""
    accuracy = given.tst_info.accuracy
    if accuracy is None:
        return given.tst_info.gen_time
    parts = (accuracy.seconds or 0, accuracy.millis or 0, accuracy.micros or 0)
    exact = given.tst_info.gen_time + timedelta(seconds=parts[0], milliseconds=parts[1], microseconds=parts[2])
    return exact if exact.microsecond == 0 else exact.replace(microsecond=0) + timedelta(seconds=1)


def _authority(given: TimeStampResponse) -> str:
    """The subject of the certificate that signed, as its issuer wrote it; control characters are not shown."""
    signer = next(iter(given.signed_data.signer_infos))
    for one in given.signed_data.certificates:
        certificate = x509.load_der_x509_certificate(one)
        if (certificate.issuer, certificate.serial_number) == (signer.issuer, signer.serial_number):
            return "".join(c if c.isprintable() else "?" for c in certificate.subject.rfc4514_string())
    raise plain.Bad("the time stamp does not show its signer's certificate")
