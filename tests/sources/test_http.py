"""The bounded HTTP client against a server that misbehaves on the wire: F20, F27, F28, F29."""

import contextlib
import gzip
import json
import socket
import ssl
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hanbeon.errors import DependencyDown, SettingsError, SourceError
from schemas.contract import source
from sources.bounds import address_to_dial
from sources.connect import connect
from sources.endpoints import Endpoints, HttpEndpoint
from tests.sources.asking import HANA, SETTINGS, everything, pull
from tests.sources.servers import Said, Server
from tests.sources.test_rest import JSON, page, record

DISB = source("DISB")


@pytest.fixture
def mohw(server: Server, tmp_path: Path) -> Endpoints:
    return Endpoints(rest={"mohw": server.endpoint(tmp_path)})


def _first_then(server: Server, *first: Said) -> None:
    answers = iter(first)
    server.answer = lambda _: next(answers, page(record(HANA)))


def test_f28_an_expired_token_is_renewed_once(server: Server, mohw: Endpoints) -> None:
    _first_then(server, Said(status=401))
    rows, _ = pull(DISB, everything(DISB, HANA), mohw)
    assert len(rows) == 1
    assert [h.headers["authorization"] for h in server.asked] == ["Bearer token-1", "Bearer token-2"]


def test_f28_refused_credentials_are_a_clear_error_that_holds_no_secret(
    server: Server, mohw: Endpoints, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    server.answer = lambda _: Said(status=401)
    with pytest.raises(SourceError, match=r"mohw answered 401 .* credentials are not accepted") as caught:
        pull(DISB, everything(DISB, HANA), mohw)
    assert len(server.tokens) == 2
    for said in (str(caught.value), caplog.text):
        assert "s3cr3t" not in said
        assert "token-" not in said
        assert HANA not in said


@pytest.mark.parametrize("body", [b"{}", b"[]", b"no", b'{"access_token": 7}', b'{"access_token": "a\\r\\nX: y"}'])
def test_f28_a_token_that_is_none_is_refused(server: Server, mohw: Endpoints, body: bytes) -> None:
    server.token_answer = Said(body)
    with pytest.raises(SourceError, match="token"):
        pull(DISB, everything(DISB, HANA), mohw)


def test_the_secret_is_sent_as_http_basic_and_read_when_used(server: Server, mohw: Endpoints, tmp_path: Path) -> None:
    server.answer = lambda _: page(record(HANA))
    pull(DISB, everything(DISB, HANA), mohw)
    assert server.heard[0].headers["authorization"] == "Basic aGFuYmVvbjpzM2NyM3QlMkZ3aXRoJTJCc2lnbnM="
    assert server.heard[0].body == b"grant_type=client_credentials"
    (tmp_path / "secret").unlink()
    with pytest.raises(SettingsError, match="client secret of mohw"):
        pull(DISB, everything(DISB, HANA), mohw)


def test_f28_a_rate_limit_is_obeyed(server: Server, mohw: Endpoints) -> None:
    _first_then(server, Said(status=429, headers={"Retry-After": "1"}))
    before = time.monotonic()
    pull(DISB, everything(DISB, HANA), mohw)
    assert time.monotonic() - before >= 1.0


def test_f28_a_rate_limit_beyond_all_bounds_is_an_error(server: Server, mohw: Endpoints) -> None:
    server.answer = lambda _: Said(status=429, headers={"Retry-After": "86400"})
    with pytest.raises(SourceError, match="wait longer than 60 s"):
        pull(DISB, everything(DISB, HANA), mohw)


def test_a_server_that_recovers_is_asked_again(server: Server, mohw: Endpoints) -> None:
    _first_then(server, Said(status=503), Said(status=500))
    assert len(pull(DISB, everything(DISB, HANA), mohw)[0]) == 1


def test_a_server_that_stays_broken_is_an_error_after_its_retries(server: Server, mohw: Endpoints) -> None:
    server.answer = lambda _: Said(status=500, body=HANA.encode())
    with pytest.raises(SourceError, match="mohw answered 500") as caught:
        pull(DISB, everything(DISB, HANA), mohw)
    assert len(server.asked) == 1 + SETTINGS.retries
    assert HANA not in str(caught.value)


def _cut_short(handler: Any) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{")


def test_f20_a_truncated_answer_is_tried_again_and_then_an_error(server: Server, mohw: Endpoints) -> None:
    _first_then(server, Said(raw=_cut_short))
    assert len(pull(DISB, everything(DISB, HANA), mohw)[0]) == 1
    server.answer = lambda _: Said(raw=_cut_short)
    with pytest.raises(SourceError, match="mohw broke off its answer when asked for page 1"):
        pull(DISB, everything(DISB, HANA), mohw)


def test_f20_a_compressed_bomb_is_stopped_at_the_bound(server: Server, mohw: Endpoints) -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    server.answer = lambda _: Said(bomb, headers=JSON | {"Content-Encoding": "gzip"})
    with pytest.raises(SourceError, match="mohw sends more than 1000000 bytes when asked for page 1"):
        pull(DISB, everything(DISB, HANA), mohw, replace(SETTINGS, max_bytes_per_response=1_000_000))


def test_f20_a_truncated_compressed_answer_is_no_answer(server: Server, mohw: Endpoints) -> None:
    half = gzip.compress(page(record(HANA)).body)[:-12]
    server.answer = lambda _: Said(half, headers=JSON | {"Content-Encoding": "gzip"})
    with pytest.raises(SourceError, match="broke off"):
        pull(DISB, everything(DISB, HANA), mohw)


def test_f20_an_unasked_compression_is_refused(server: Server, mohw: Endpoints) -> None:
    server.answer = lambda _: Said(b"?", headers=JSON | {"Content-Encoding": "br"})
    with pytest.raises(SourceError, match="did not ask for"):
        pull(DISB, everything(DISB, HANA), mohw)


@pytest.mark.parametrize("start", [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: "])
def test_f20_an_endless_slow_answer_ends_in_time(server: Server, mohw: Endpoints, start: bytes) -> None:
    def drip(handler: Any) -> None:
        try:
            handler.wfile.write(start)
            for _ in range(100):
                handler.wfile.write(b" ")
                time.sleep(0.05)
        except OSError:
            pass

    server.answer = lambda _: Said(raw=drip)
    with pytest.raises(SourceError, match=r"mohw did not finish within 0\.3 s when asked for page 1"):
        pull(DISB, everything(DISB, HANA), mohw, replace(SETTINGS, timeout_seconds=0.3, retries=0))


def test_f29_a_dataset_has_an_end_whatever_its_retries(server: Server, mohw: Endpoints) -> None:
    server.answer = lambda _: Said(status=503)
    with pytest.raises(SourceError, match="mohw took longer than a dataset may take"):
        pull(DISB, everything(DISB, HANA), mohw, replace(SETTINGS, dataset_seconds=0.5, retries=50))


def test_a_holder_that_is_down_is_a_dependency_that_is_down() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    delivery = connect(
        DISB,
        everything(DISB, HANA),
        Endpoints(rest={"mohw": HttpEndpoint(f"http://127.0.0.1:{port}")}),
        replace(SETTINGS, retries=0),
    )
    with pytest.raises(DependencyDown, match="mohw cannot be reached"):
        list(delivery.batches())


def test_f27_a_redirect_is_refused(server: Server, mohw: Endpoints) -> None:
    server.answer = lambda _: Said(status=307, headers={"Location": server.url + "/elsewhere"})
    with pytest.raises(SourceError, match="redirects elsewhere"):
        pull(DISB, everything(DISB, HANA), mohw)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://127.1:{port}",
        "http://2130706433:{port}",
        "http://0x7f000001:{port}",
        "http://127.0.0.2:{port}",
        "http://[::ffff:127.0.0.1]:{port}",
        "http://localhost.:{port}",
        "http://169.254.169.254",
        "http://user:secret@127.0.0.1:{port}",
        "http://127.0.0.1:{port}/?x=",
        "http://127.0.0.1:{port}#x",
        "ftp://127.0.0.1:{port}",
        "file:///etc/passwd",
        "//127.0.0.1:{port}",
        "http://127.0.0.1:99999",
        "http://",
    ],
)
def test_f27_only_allowed_hosts_and_plain_urls_are_dialled(server: Server, url: str) -> None:
    port = server.url.rpartition(":")[2]
    endpoints = Endpoints(rest={"mohw": HttpEndpoint(url.format(port=port))})
    with pytest.raises(SourceError, match="mohw"):
        pull(DISB, everything(DISB, HANA), endpoints)
    assert server.heard == []


def test_f27_the_address_that_a_name_leads_to_must_be_allowed_too() -> None:
    listed = replace(SETTINGS, allowed_hosts=("agency.test", "localhost"))
    assert address_to_dial("mohw", "localhost", 80, listed) in ("127.0.0.1", "::1")
    name = socket.gethostname()  # this machine's own name leads to an inner address
    with pytest.raises(SourceError, match="inner address"):
        address_to_dial("mohw", name, 80, replace(SETTINGS, allowed_hosts=(name,)))
    network = replace(SETTINGS, allowed_hosts=(name, "0.0.0.0/0", "::/0"))
    assert address_to_dial("mohw", name, 80, network)
    with pytest.raises(DependencyDown, match="cannot be resolved"):
        address_to_dial("mohw", "agency.test", 80, listed)


def test_the_proxy_of_the_environment_is_not_used(
    server: Server, mohw: Endpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    server.answer = lambda _: page(record(HANA))
    assert len(pull(DISB, everything(DISB, HANA), mohw)[0]) == 1


def test_f28_a_certificate_that_nobody_vouches_for_is_a_clear_error(tmp_path: Path) -> None:
    certificate = _self_signed(tmp_path, ec.generate_private_key(ec.SECP256R1()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def shake() -> None:
            with contextlib.suppress(OSError):
                context.wrap_socket(listener.accept()[0], server_side=True).close()

        thread = threading.Thread(target=shake)
        thread.start()
        endpoints = Endpoints(rest={"mohw": HttpEndpoint(f"https://127.0.0.1:{listener.getsockname()[1]}")})
        with pytest.raises(DependencyDown, match="mohw has no certificate that we accept"):
            pull(DISB, everything(DISB, HANA), endpoints, replace(SETTINGS, retries=0))
        thread.join()


def _self_signed(folder: Path, key: Any) -> Path:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(1), now + timedelta(1))
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "server.pem").write_bytes(secret + made)
    return folder / "server.pem"


def test_an_answer_in_chunks_without_a_length_is_read(server: Server, mohw: Endpoints) -> None:
    body = page(record(HANA)).body

    def chunked(handler: Any) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
        handler.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))

    server.answer = lambda _: Said(raw=chunked)
    rows, _ = pull(DISB, everything(DISB, HANA), mohw)
    assert json.loads(body)["total"] == len(rows) == 1
