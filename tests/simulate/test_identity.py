"""The world's identity provider: real tokens over real HTTP, keys apart from the operator's."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from consent.trust import authenticated, pseudonym, read_trust
from hanbeon.clock import now
from hanbeon.errors import UsageError
from sources.simulate import identity
from tests.simulate.conftest import Served, get, post

NUMBER, NONCE = "9021152345678", "ab" * 32
AT = datetime(2026, 6, 1, tzinfo=UTC)


def test_a_citizen_authenticates_over_http_and_the_operator_believes_it(served: Served) -> None:
    (url,) = served.endpoints.identity.values()
    body = json.dumps({"identifier": NUMBER, "nonce": NONCE, "audience": "somebody/log"}).encode()
    trust = read_trust(served.home / "keys" / "trusted.json", "somebody/log")
    claims = authenticated(trust, post(f"{url}/authenticate", body).json["token"], NONCE, now())
    assert (claims.issuer, claims.subject) == (identity.ISSUER, pseudonym(trust, NUMBER))
    jwks = get(f"{url}/.well-known/jwks.json").json
    assert list(trust.identity_providers[identity.ISSUER]) == jwks["keys"]
    assert "d" not in jwks["keys"][0]  # the public half alone


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"{}", json.dumps({"identifier": "1", "nonce": NONCE, "audience": "a"}).encode(),
             json.dumps({"identifier": NUMBER, "nonce": "short", "audience": "a"}).encode()]
)  # fmt: skip
def test_a_question_that_is_none_is_refused(served: Served, body: bytes) -> None:
    (url,) = served.endpoints.identity.values()
    reply = post(f"{url}/authenticate", body)
    assert (reply.status, reply.json) == (400, {"error": "invalid_request"})


def test_other_paths_and_long_questions_are_refused(served: Served) -> None:
    (url,) = served.endpoints.identity.values()
    assert get(f"{url}/keys").status == 404
    assert post(f"{url}/else", b"{}").status == 404
    assert post(f"{url}/authenticate", b" " * 5_000).status == 413


def test_its_keys_lie_apart_from_the_operators_and_are_readable_by_nobody_else(tmp_path: Path) -> None:
    identity.introduce(tmp_path)
    own = {p.name: p for p in (tmp_path / "agencies" / "identity").iterdir()}
    assert set(own) == {"identity-signing.key", "gov24-signing.key", "linking.key"}
    assert {p.name for p in (tmp_path / "keys").iterdir()} == {"trusted.json", "linking.key"}
    signing = own["identity-signing.key"].read_bytes()
    for path in (tmp_path / "keys").iterdir():
        assert signing not in path.read_bytes()
        assert signing.hex().encode() not in path.read_bytes()
    for path in (*own.values(), *(tmp_path / "keys").iterdir()):
        assert path.stat().st_mode & 0o077 == 0


def test_introduced_again_nothing_changes_and_another_trust_file_is_left_alone(tmp_path: Path) -> None:
    identity.introduce(tmp_path)
    path = tmp_path / "keys" / "trusted.json"
    before = path.read_bytes()
    identity.introduce(tmp_path)
    assert path.read_bytes() == before
    path.write_text('{"identity_providers": {"https://real.example": {"keys": []}}, "agencies": {}}')
    identity.introduce(tmp_path)
    assert "real.example" in path.read_text()


def test_a_world_built_anew_has_new_keys_and_the_old_ones_are_still_known(tmp_path: Path) -> None:
    identity.introduce(tmp_path)
    path = tmp_path / "keys" / "trusted.json"
    (old,) = read_trust(path, identity.ORIGIN).identity_providers[identity.ISSUER]
    shutil.rmtree(tmp_path / "agencies")
    identity.introduce(tmp_path)
    new, kept = read_trust(path, identity.ORIGIN).identity_providers[identity.ISSUER]
    assert kept == old
    assert new != old
    token, trust = identity.provider(tmp_path).authenticate(NUMBER, NONCE, AT), read_trust(path, identity.ORIGIN)
    assert authenticated(trust, token, NONCE, AT).subject == pseudonym(trust, NUMBER)


def test_a_token_shows_no_number_and_no_two_are_alike(tmp_path: Path) -> None:
    own = identity.provider(tmp_path)
    tokens = [own.authenticate(NUMBER, NONCE, AT) for _ in range(2)]
    assert tokens[0] != tokens[1]
    assert all(NUMBER not in part for t in tokens for part in t.split("."))
    for number, nonce in (("12", NONCE), (NUMBER, "x"), ("９" * 13, NONCE)):
        with pytest.raises(UsageError) as refused:
            own.authenticate(number, nonce, AT)
        assert number not in str(refused.value).split()
