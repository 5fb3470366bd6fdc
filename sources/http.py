"""One bounded HTTP client for holders: POST in, bytes out, and nothing else.

Only http and https, only to allowed hosts, only to the address that was checked (F27); redirects are refused. Each
answer has a total time and a total size after decompression (F20). Refused connections, broken answers, 5xx and 429
are tried again with back-off; `Retry-After` is obeyed within bounds; a token that the holder no longer takes is renewed
once (F28). Messages name the holder and what was asked for (a page), never an address, a body or a secret.
"""

import json
import ssl
import time
import zlib
from base64 import b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any
from urllib.parse import quote, urlsplit

import httpcore

from hanbeon.errors import DependencyDown, SourceError
from hanbeon.settings import SourceSettings
from sources import signed
from sources.bounds import Deadline, address_to_dial
from sources.endpoints import HttpEndpoint
from sources.signed import Statement

LONGEST_WAIT_SECONDS = 60.0
_FIRST_BACK_OFF_SECONDS = 0.2
_RENEW_BEFORE_SECONDS = 5.0
_BOMB_RATIO = 100  # no register compresses as well as that
_TRANSPORT = (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError)


class AnswerTooLarge(SourceError):
    """One answer is larger than its bound. Asking for fewer subjects may help; for one, nothing does."""


class TransportFault(Exception):
    """A connection that failed or an answer that broke off: worth another try. `is_connect`: nobody answered at all."""

    def __init__(self, sentence: str, is_connect: bool = False) -> None:
        super().__init__(sentence)
        self.is_connect = is_connect


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", "").split(";")[0].strip().lower()


class _Stream(httpcore.NetworkStream):
    """A network stream whose every wait ends by `until`, so that a dripping answer ends too."""

    def __init__(self, inner: httpcore.NetworkStream, backend: "_Backend") -> None:
        self._inner, self._backend = inner, backend

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._backend.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._backend.left())

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, self._backend.left()), self._backend)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Backend(httpcore.NetworkBackend):
    """Dials only addresses that `address_to_dial` has checked."""

    def __init__(self, holder: str, settings: SourceSettings) -> None:
        self._holder, self._settings, self._inner = holder, settings, httpcore.SyncBackend()
        self.until = 0.0

    def left(self) -> float:
        left = self.until - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout
        return left

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        address = address_to_dial(self._holder, host, port, self._settings)
        return _Stream(self._inner.connect_tcp(address, port, self.left(), local_address, socket_options), self)


class Client:
    """A holder's HTTP server, with its token. Use as a context manager."""

    def __init__(
        self, holder: str, endpoint: HttpEndpoint, token_path: str, settings: SourceSettings, limit: Deadline
    ) -> None:
        self._holder, self._endpoint, self._settings, self._limit = holder, endpoint, settings, limit
        self._token_path = token_path
        self._scheme, self._host, self._port, self._prefix = _split(holder, endpoint.url)
        self._backend = _Backend(holder, settings)
        tls = ssl.create_default_context() if self._scheme == "https" else None
        self._pool = httpcore.ConnectionPool(ssl_context=tls, max_connections=1, network_backend=self._backend)
        self.statements: list[Statement] = []  # what the holder signed of each answer
        self._token: str | None = None
        self._token_until = 0.0

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._pool.close()

    def post(self, path: str, body: bytes, media_type: str, what: str, accept: str | None = None) -> Answer:
        """The holder's 200 answer. Raises SourceError or DependencyDown naming the holder and `what` was asked.

        `accept` is the answer's media type where it is another than the question's; then the question is no text."""
        is_renewed, own_nonce = False, signed.nonce()
        sent_as = media_type if accept else f"{media_type}; charset=utf-8"
        while True:
            headers = {"Content-Type": sent_as, "Accept": accept or media_type, signed.NONCE: own_nonce}
            if self._endpoint.client_id:
                headers["Authorization"] = f"Bearer {self._bearer()}"
            answer = self._try(path, body, headers, what)
            if answer.status == 401 and self._endpoint.client_id and not is_renewed:
                self._token, is_renewed = None, True
                continue
            good = self._good(answer, what)
            token = good.headers.get(signed.SIGNATURE.lower())
            self.statements.append(signed.of_answer(token, own_nonce, body, good.body))
            return good

    def _bearer(self) -> str:
        if self._token is None or time.monotonic() > self._token_until:
            self._token, lifetime = self._fetch_token()
            self._token_until = time.monotonic() + lifetime - _RENEW_BEFORE_SECONDS
        return self._token

    def _fetch_token(self) -> tuple[str, float]:
        secret = self._endpoint.secret(self._holder)
        pair = f"{quote(self._endpoint.client_id or '', safe='')}:{quote(secret, safe='')}"
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
            "Authorization": "Basic " + b64encode(pair.encode()).decode(),
        }
        answer = self._try(self._token_path, b"grant_type=client_credentials", headers, "a token")
        try:
            given = json.loads(self._good(answer, "a token").body)
            token, lifetime = given["access_token"], float(given.get("expires_in", 60))
        except (ValueError, KeyError, TypeError):
            token, lifetime = None, 0.0
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise SourceError(f"{self._holder} answered the request for a token with something else.")
        return token, lifetime

    def _good(self, answer: Answer, what: str) -> Answer:
        if answer.status == 200:
            return answer
        said = {
            401: "our credentials are not accepted",
            403: "we may not ask for this",
            404: "there is no such place",
            429: "we asked too often, and waiting did not help",
        }
        if 300 <= answer.status < 400:
            raise SourceError(f"{self._holder} redirects elsewhere when asked for {what}. Redirects are refused.")
        why = said.get(answer.status, "its server says no")
        raise SourceError(f"{self._holder} answered {answer.status} when asked for {what}: {why}.")

    def _try(self, path: str, body: bytes, headers: dict[str, str], what: str) -> Answer:
        """One exchange, repeated while the fault may pass."""
        for attempt in range(self._settings.retries + 1):
            is_last = attempt == self._settings.retries
            wait = _FIRST_BACK_OFF_SECONDS * 2**attempt
            try:
                answer = self._exchange(path, body, headers, what)
                if is_last or (answer.status != 429 and answer.status < 500):
                    return answer
                wait = max(wait, self._asked_to_wait(answer, what))
            except TransportFault as fault:
                if is_last:
                    kind = DependencyDown if fault.is_connect else SourceError
                    raise kind(f"{self._holder} {fault} when asked for {what}, {attempt + 1} times.") from None
            time.sleep(min(wait, self._limit.remaining()))
        raise AssertionError("unreachable")

    def _asked_to_wait(self, answer: Answer, what: str) -> float:
        given = answer.headers.get("retry-after")
        if given is None:
            return 0.0
        try:
            if given.strip().isdigit():
                seconds = float(given)
            else:
                seconds = (parsedate_to_datetime(given) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError, OverflowError):
            return 0.0
        if seconds > LONGEST_WAIT_SECONDS:
            raise SourceError(f"{self._holder} asks us to wait longer than {LONGEST_WAIT_SECONDS:.0f} s for {what}.")
        return seconds

    def _exchange(self, path: str, body: bytes, headers: dict[str, str], what: str) -> Answer:
        seconds = min(self._settings.timeout_seconds, self._limit.remaining())
        self._backend.until = time.monotonic() + seconds
        host = f"[{self._host}]" if ":" in self._host else self._host
        sent = {"Host": f"{host}:{self._port}", "Accept-Encoding": "gzip", "Content-Length": str(len(body))} | headers
        url = httpcore.URL(
            scheme=self._scheme.encode(),
            host=self._host.encode("idna"),
            port=self._port,
            target=quote(self._prefix + path).encode(),
        )
        try:
            with self._pool.stream("POST", url, headers=list(sent.items()), content=body) as response:
                got = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in response.headers}
                return Answer(response.status, got, self._read(response.iter_stream(), got, what))
        except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
            is_tls = isinstance(error.__cause__, ssl.SSLError) or isinstance(error.__context__, ssl.SSLError)
            raise TransportFault("has no certificate that we accept" if is_tls else "cannot be reached", True) from None
        except httpcore.TimeoutException:
            raise TransportFault(f"did not finish within {seconds:.1f} s") from None
        except _TRANSPORT:
            raise TransportFault("broke off its answer") from None

    def _read(self, chunks: Iterator[bytes], headers: dict[str, str], what: str) -> bytes:
        most = self._settings.max_bytes_per_response
        coding = headers.get("content-encoding", "identity").strip().lower()
        if coding not in ("identity", "gzip"):
            raise SourceError(f"{self._holder} compresses its answer for {what} in a way that we did not ask for.")
        unzip = zlib.decompressobj(wbits=31) if coding == "gzip" else None
        body, sent = bytearray(), 0
        for chunk in chunks:
            self._backend.left()
            sent += len(chunk)
            body += unzip.decompress(chunk, most - len(body) + 1) if unzip else chunk
            if len(body) > most:
                kind = SourceError if len(body) > _BOMB_RATIO * sent else AnswerTooLarge
                raise kind(f"{self._holder} sends more than {most} bytes when asked for {what}. Stopped.")
        if unzip and not unzip.eof:
            raise TransportFault("broke off its answer")
        return bytes(body)


def _split(holder: str, url: str) -> tuple[str, str, int, str]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise SourceError(f"The endpoint of {holder} is no usable URL.") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SourceError(f"The endpoint of {holder} must be an http or https URL.")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise SourceError(f"The endpoint of {holder} must be scheme, host, port and path only.")
    return parts.scheme, parts.hostname, port or (443 if parts.scheme == "https" else 80), parts.path.rstrip("/")
