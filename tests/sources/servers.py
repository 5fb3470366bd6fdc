"""A holder's HTTP server on this machine: a real one, in a thread, that a test scripts to behave or to misbehave."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from lxml import etree

from sources.endpoints import HttpEndpoint


@dataclass
class Said:
    """An answer: status, body, headers. `raw` writes to the socket itself instead."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    raw: Callable[[Any], None] | None = None


@dataclass
class Heard:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def xml(self) -> Any:
        return etree.fromstring(self.body)


@dataclass
class Server:
    url: str
    answer: Callable[[Heard], Said] = lambda heard: Said(status=404)
    heard: list[Heard] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    token_answer: Said | None = None

    @property
    def asked(self) -> list[Heard]:
        return [h for h in self.heard if h.path != "/oauth2/token"]

    def endpoint(self, folder: Path) -> HttpEndpoint:
        (folder / "secret").write_text("s3cr3t/with+signs\n")
        return HttpEndpoint(self.url, "hanbeon", str(folder / "secret"))

    def reply(self, heard: Heard) -> Said:
        if heard.path != "/oauth2/token":
            return self.answer(heard)
        if self.token_answer is not None:
            return self.token_answer
        self.tokens.append(f"token-{len(self.tokens) + 1}")
        body = json.dumps({"access_token": self.tokens[-1], "expires_in": 300}).encode()
        return Said(body, headers={"Content-Type": "application/json"})


@contextmanager
def serving() -> Iterator[Server]:
    server = Server("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 10

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            heard = Heard(self.path, {k.lower(): v for k, v in self.headers.items()}, body)
            server.heard.append(heard)
            said = server.reply(heard)
            if said.raw is not None:
                said.raw(self)
                self.close_connection = True
                return
            self.send_response(said.status)
            for key, value in ({"Content-Length": str(len(said.body))} | said.headers).items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(said.body)

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            """A client that hangs up is what some tests are about."""

    with Quiet(("127.0.0.1", 0), Handler) as http:
        server.url = f"http://127.0.0.1:{http.server_address[1]}"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            http.shutdown()
            thread.join()
