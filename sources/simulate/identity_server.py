"""The identity provider behind HTTP: who asks as a citizen gets that citizen's token.

GET  /.well-known/jwks.json   the public key
POST /authenticate            {"identifier", "nonce", "audience"}  ->  {"token"}; a simulated citizen confirms at once
"""

import json
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from hanbeon.clock import now
from hanbeon.errors import UsageError
from sources.simulate.identity import IdentityProvider, jwks, provider

MOST_BYTES = 4_096


class _Server(ThreadingHTTPServer):
    daemon_threads = True


def serve_identity(home: Path, host: str, port: int) -> ThreadingHTTPServer:
    """A server for the provider of this world, its thread started."""

    class Handler(_Handler):
        pass

    Handler.provider = provider(home)
    server = _Server((host, port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


class _Handler(BaseHTTPRequestHandler):
    provider: IdentityProvider
    protocol_version = "HTTP/1.1"
    server_version = "identity"
    sys_version = ""
    timeout = 30

    def log_message(self, format: str, *args: object) -> None:
        """No access log: it could name somebody."""

    def do_GET(self) -> None:
        known = {"/health": b"{}", "/.well-known/jwks.json": json.dumps(jwks(self.provider.key)).encode()}
        self._send(200 if self.path in known else 404, known.get(self.path, b"{}"))

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if self.path != "/authenticate" or length > MOST_BYTES:
            self.close_connection = True
            return self._send(404 if length <= MOST_BYTES else 413, b"{}")
        try:
            given = json.loads(self.rfile.read(length))
            asked = replace(self.provider, origin=str(given["audience"]))
            token = asked.authenticate(str(given["identifier"]), str(given["nonce"]), now())
        except (ValueError, KeyError, TypeError, UsageError):
            return self._send(400, b'{"error": "invalid_request"}')
        return self._send(200, json.dumps({"token": token}).encode())

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
