"""The HTTP side of an agency: OAuth2 client credentials, a rate limit, one path a register, and faults on demand.

POST /oauth2/token    grant_type=client_credentials with HTTP Basic  ->  {"access_token", "expires_in"}
POST <path>           Bearer token; 401 when it is missing or expired, 429 with Retry-After when asked too often
"""

import base64
import gzip
import hmac
import json
import secrets
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote

from sources import signed
from sources.simulate import agency_keys, faults, identity
from sources.simulate.pages import BadRequest, Switches

TOKEN_PATH = "/oauth2/token"  # noqa: S105 - a path
MOST_REQUEST_BYTES = 64 * 1024 * 1024
Respond = Callable[[bytes, Switches], bytes]


@dataclass
class Agency:
    """One holder behind HTTP. Tokens and the rate limit live in memory."""

    holder: str
    home: Path
    client_id: str
    client_secret: str = field(repr=False)
    content_type: str
    paths: Mapping[str, Respond]
    token_seconds: float
    requests_per_second: float
    records: Callable[[bytes], int] | None = None  # how many an answer holds, for a holder that signs its answers
    _tokens: dict[str, float] = field(default_factory=dict, repr=False)
    _allowance: float = -1.0
    _counted_at: float = 0.0
    _spent: set[tuple[str, int]] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def grant(self) -> dict[str, object]:
        token, now = secrets.token_urlsafe(32), time.monotonic()
        with self._lock:
            self._tokens = {t: until for t, until in self._tokens.items() if until > now}
            self._tokens[token] = now + self.token_seconds
        return {"access_token": token, "token_type": "Bearer", "expires_in": self.token_seconds}

    def is_granted(self, token: str) -> bool:
        with self._lock:
            return self._tokens.get(token, 0.0) > time.monotonic()

    def is_too_often(self) -> bool:
        """A bucket of two seconds' requests, refilled steadily."""
        now, most = time.monotonic(), 2 * self.requests_per_second
        with self._lock:
            grown = self._allowance + (now - self._counted_at) * self.requests_per_second
            self._allowance = most if self._allowance < 0 else min(most, grown)
            self._counted_at = now
            if self._allowance < 1:
                return True
            self._allowance -= 1
            return False

    def is_client(self, given: str) -> bool:
        try:
            name, _, secret = base64.b64decode(given.removeprefix("Basic "), validate=True).decode().partition(":")
        except ValueError:
            return False
        return hmac.compare_digest(unquote(name), self.client_id) and hmac.compare_digest(
            unquote(secret), self.client_secret
        )

    def once(self, switches: Switches, mark: int) -> int | None:
        """The status of a fault that happens once after each injection."""
        for name, status in (("status_500_once", 500), ("status_401_once", 401), ("status_429_once", 429)):
            if switches.get(name) and (name, mark) not in self._spent:
                self._spent.add((name, mark))
                return status
        return None


def serve_agency(agency: Agency, host: str, port: int) -> ThreadingHTTPServer:
    """A server for one agency, its thread started."""

    class Handler(_Handler):
        pass

    Handler.agency = agency
    server = _Server((host, port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


@cache
def _bomb() -> bytes:
    """Some kilobytes that unpack to 128 MiB."""
    return gzip.compress(bytes(128 * 1024 * 1024), 9)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """No traceback: it could name somebody. A client that went away is no error."""
        kind, _, trace = sys.exc_info()
        if kind is not None and not issubclass(kind, OSError):
            last = traceback.extract_tb(trace)[-1]
            print(f"agency: {kind.__name__} at {Path(last.filename).name}:{last.lineno}", file=sys.stderr)


class _Handler(BaseHTTPRequestHandler):
    agency: Agency
    protocol_version = "HTTP/1.1"
    server_version = "agency"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1

    def log_message(self, format: str, *args: object) -> None:
        """No access log: a path or a header could name somebody."""

    def do_GET(self) -> None:
        self._send(200 if self.path == "/health" else 404, b"{}", "application/json")

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > MOST_REQUEST_BYTES:
            self.close_connection = True
            return self._send(413, b"", "text/plain")
        body = self.rfile.read(length)
        if self.path == TOKEN_PATH:
            return self._token(body)
        given, mark = faults.read(self.agency.home)
        switches = given.get(self.agency.holder, {})
        respond = self.agency.paths.get(self.path)
        status = self._status(switches, mark)
        if respond is None or status != 200:
            return self._send(404 if respond is None else status, b"", "text/plain", switches)
        time.sleep(float(switches.get("slow", 0)))
        try:
            answer = respond(body, switches)
            self._send(200, answer, self.agency.content_type, switches, self._signature(body, answer, switches))
        except BadRequest:
            self._send(400, b"", "text/plain")
        except OSError:
            self._send(503, b"", "text/plain")

    def _signature(self, body: bytes, answer: bytes, switches: Switches) -> str | None:
        """What the holder says of its answer. `unsigned` and `forged_signature` are faults of one that errs."""
        nonce = self.headers.get(signed.NONCE)
        if self.agency.records is None or not nonce or switches.get("unsigned"):
            return None
        claims = {
            "iss": self.agency.holder,
            "iat": int(time.time()),
            "records": self.agency.records(answer) + int(bool(switches.get("miscount"))),
            "request": signed.digest(nonce, body),
            "content": signed.digest(nonce, answer + (b"x" if switches.get("forged_signature") else b"")),
        }
        return identity.signed(agency_keys.key_of(self.agency.home, self.agency.holder), claims, "delivery+jwt")

    def _token(self, body: bytes) -> None:
        grant = parse_qs(body.decode("latin-1")).get("grant_type", [""])[0]
        if not self.agency.is_client(self.headers.get("Authorization", "")):
            return self._send(401, b'{"error": "invalid_client"}', "application/json")
        if grant != "client_credentials":
            return self._send(400, b'{"error": "unsupported_grant_type"}', "application/json")
        return self._send(200, json.dumps(self.agency.grant()).encode(), "application/json")

    def _status(self, switches: Switches, mark: int) -> int:
        if not self.agency.is_granted(self.headers.get("Authorization", "").removeprefix("Bearer ")):
            return 401
        if self.agency.is_too_often():
            return 429
        return self.agency.once(switches, mark) or (302 if switches.get("redirect") else 200)

    def _send(self, status: int, body: bytes, content_type: str, switches: Switches | None = None,
              signature: str | None = None) -> None:  # fmt: skip
        switches = switches if switches and status in (200, 302) else {}
        is_bomb = bool(switches.get("bomb")) and status == 200
        if is_bomb:
            body = _bomb()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        if signature:
            self.send_header(signed.SIGNATURE, signature)
        if is_bomb:
            self.send_header("Content-Encoding", "gzip")
        if status == 429:
            self.send_header("Retry-After", "1")
        if status == 401:
            self.send_header("WWW-Authenticate", "Bearer")
        if status == 302:
            self.send_header("Location", str(switches["redirect"]))
        self.end_headers()
        if switches.get("drip"):
            return self._drip(body)
        if switches.get("truncate"):
            body = body[: len(body) // 2]
            self.close_connection = True
        self.wfile.write(body)
        self.wfile.flush()

    def _drip(self, body: bytes) -> None:
        """One byte at a time, for as long as anybody listens, ten minutes at most."""
        self.close_connection = True
        for i in range(min(len(body), 3_000)):
            try:
                self.wfile.write(body[i : i + 1])
                self.wfile.flush()
            except OSError:
                return
            time.sleep(0.2)
