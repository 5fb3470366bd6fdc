"""A real time-stamping authority on this machine: `openssl ts -reply` behind HTTP, with certificates of its own.

Each test scripts what it says over the wire through `Authority.server.answer`, as with any other server of the tests.
"""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.sources.servers import Heard, Said, Server, serving

needs_openssl = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="the program openssl is missing, whose `ts -reply` is the authority"
)
REPLY = {"Content-Type": "application/timestamp-reply"}
DAY = timedelta(days=1)
CONFIGURATION = """
[tsa]
default_tsa = one
[one]
serial = {folder}/serial
signer_cert = {folder}/signer.pem
certs = {folder}/intermediate.pem
signer_key = {folder}/signer.key
signer_digest = sha256
default_policy = 1.2.3.4.1
other_policies = 1.2.3.4.2
digests = sha256, sha512
accuracy = secs:2
ordering = no
tsa_name = yes
ess_cert_id_alg = sha256
"""


@dataclass(frozen=True)
class Signer:
    """How the authority's own certificate is made; the defaults are those of a good one."""

    begins: datetime = field(default_factory=lambda: datetime.now(UTC) - DAY)
    ends: datetime = field(default_factory=lambda: datetime.now(UTC) + 9 * DAY)
    purpose: x509.ObjectIdentifier = ExtendedKeyUsageOID.TIME_STAMPING


@dataclass
class Authority:
    """`root` is the certificate (PEM) to which its answers lead, by way of an intermediate that they hold."""

    folder: Path
    root: Path
    server: Server

    @property
    def url(self) -> str:
        return f"{self.server.url}/tsr"

    def reply(self, question: bytes, *options: str) -> bytes:
        """What it signs, for a question in DER or for `-data`."""
        asked, said = self.folder / f"{uuid4().hex}.tsq", self.folder / f"{uuid4().hex}.tsr"
        asked.write_bytes(question)
        command = ["openssl", "ts", "-reply", "-config", str(self.folder / "tsa.cnf"), "-queryfile", str(asked)]
        subprocess.run([*command, "-out", str(said), *options], check=True, capture_output=True, timeout=30)
        return said.read_bytes()

    def answer(self, heard: Heard) -> Said:
        is_question = heard.headers["content-type"] == "application/timestamp-query" and heard.path == "/tsr"
        return Said(self.reply(heard.body), headers=REPLY) if is_question else Said(status=415)


def swapped(made: Authority, answer: bytes, purpose: x509.ObjectIdentifier) -> bytes:
    """The answer, with a certificate of the same key, issuer and serial in it that is for another purpose. The
    authority's program refuses to sign with such a one; this is what somebody who has its issuer's key could send."""
    own = x509.load_pem_x509_certificate((made.folder / "signer.pem").read_bytes())
    key = serialization.load_pem_private_key((made.folder / "intermediate.key").read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    begun = x509.CertificateBuilder(own.issuer, own.subject, own.public_key(), own.serial_number)
    begun = begun.not_valid_before(own.not_valid_before_utc).not_valid_after(own.not_valid_after_utc)
    for one in own.extensions:
        is_usage = isinstance(one.value, x509.ExtendedKeyUsage)
        begun = begun.add_extension(x509.ExtendedKeyUsage([purpose]) if is_usage else one.value, one.critical)
    der = own.public_bytes(serialization.Encoding.DER)
    while len(other := begun.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)) != len(der):
        """Signatures of ECDSA are of 70 to 72 bytes, and no length in the answer may change."""
    assert answer.count(der) == 1
    return answer.replace(der, other)


@contextmanager
def authority(folder: Path, name: str = "Test TSA", signer: Signer | None = None) -> Iterator[Authority]:
    """An authority under a root of its own, up until the end of the block."""
    folder.mkdir(parents=True)
    _certificates(folder, name, signer or Signer())
    (folder / "tsa.cnf").write_text(CONFIGURATION.format(folder=folder))
    with serving() as server:
        made = Authority(folder, folder / "root.pem", server)
        server.answer = made.answer
        yield made


def _certificates(folder: Path, name: str, signer: Signer) -> None:
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(3)]
    names = [_name(f"{name} root"), _name(f"{name} intermediate"), _name(name)]
    years = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC))
    root = _begun(names[0], names[0], keys[0], keys[0], *years, is_authority=True).sign(keys[0], hashes.SHA256())
    middle = _begun(names[1], names[0], keys[1], keys[0], *years, is_authority=True).sign(keys[0], hashes.SHA256())
    own = _begun(names[2], names[1], keys[2], keys[1], signer.begins, signer.ends, is_authority=False)
    own = own.add_extension(x509.ExtendedKeyUsage([signer.purpose]), critical=True)
    for file, made in (("root", root), ("intermediate", middle), ("signer", own.sign(keys[1], hashes.SHA256()))):
        (folder / f"{file}.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    for file, key in (("intermediate", keys[1]), ("signer", keys[2])):
        (folder / f"{file}.key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )


def _begun(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer_key: ec.EllipticCurvePrivateKey,
    begins: datetime,
    ends: datetime,
    *,
    is_authority: bool,
) -> x509.CertificateBuilder:
    """With key identifiers (RFC 5280, 4.2.1.1): they alone tell two issuers of one name apart."""
    its_issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(its_issuer, critical=False)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
