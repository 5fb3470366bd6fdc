"""Worlds for the tests: one that stands still and is served, and base tables alone, which need no server."""

import json
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from sources.endpoints import Endpoints, HttpEndpoint
from sources.simulate import faults, store, world
from sources.simulate.registers import render
from sources.simulate.serve import serve

PEOPLE, SEED = 600, 11


@dataclass(frozen=True)
class Served:
    home: Path
    endpoints: Endpoints


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A world of 600 people whose agencies answer."""
    home = tmp_path_factory.mktemp("served")
    world.build(home, PEOPLE, SEED)
    with serve(home, requests_per_second=2_000) as endpoints:
        yield Served(home, endpoints)


@pytest.fixture
def healing(served: Served) -> Iterator[Served]:
    """The served world; whatever fault a test injects is healed after it."""
    yield served
    faults.heal(served.home)


@pytest.fixture(scope="session")
def base() -> store.Frames:
    """Base tables of 5,000 people: enough for every stated rate to show."""
    tables = world.generate(5_000, 4)
    return {name: tables[name] for name in store.BASE_KEYS}


@pytest.fixture(scope="session")
def registers(base: store.Frames) -> store.Frames:
    """Every register table of `base`."""
    made: store.Frames = {}
    nobody = pl.DataFrame(schema={"person_id": pl.Int32, "register": pl.String})
    for name in store.REGISTERS:
        made |= render(base, name, world.first_instants(base, nobody, name))
    return made


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class _Still(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def post(url: str, body: bytes, **headers: str) -> Reply:
    """One plain request; header names are written with underscores."""
    sent = {n.replace("_", "-"): v for n, v in headers.items()}
    return _asked(urllib.request.Request(url, body, sent, method="POST"))


def get(url: str) -> Reply:
    return _asked(urllib.request.Request(url))


def _asked(request: urllib.request.Request) -> Reply:
    try:
        with urllib.request.build_opener(_Still).open(request, timeout=20) as response:
            return Reply(response.status, {k.lower(): v for k, v in response.headers.items()}, response.read())
    except urllib.error.HTTPError as error:
        with error:
            return Reply(error.code, {k.lower(): v for k, v in error.headers.items()}, error.read())


def token(endpoint: HttpEndpoint) -> str:
    pair = f"{endpoint.client_id}:{endpoint.secret('holder')}".encode()
    basic = "Basic " + b64encode(pair).decode()
    reply = post(f"{endpoint.url}/oauth2/token", b"grant_type=client_credentials", Authorization=basic)
    return str(reply.json["access_token"])


def ask_mohw(served: Served, identifiers: list[str], fields: list[str], size: int = 1_000, page: int = 1) -> Reply:
    endpoint = served.endpoints.rest["mohw"]
    subjects = [{"id": i, "fields": fields, "changedSince": None} for i in identifiers]
    body = json.dumps({"subjects": subjects, "page": page, "pageSize": size}).encode()
    return post(f"{endpoint.url}/v1/disability/query", body, Authorization=f"Bearer {token(endpoint)}")


def ask_court(served: Served, register: str, identifiers: list[str], items: str, variant: str = "standard") -> Reply:
    endpoint = served.endpoints.court_xml["scourt"]
    subjects = "".join(f'<대상 번호="{i}" 종류="{variant}" 항목="{items}"/>' for i in identifiers)
    body = f'<조회요청 쪽="1" 쪽크기="500">{subjects}</조회요청>'.encode()
    return post(f"{endpoint.url}/registers/{register}", body, Authorization=f"Bearer {token(endpoint)}")
