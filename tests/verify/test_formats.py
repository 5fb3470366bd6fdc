"""The verifier's own reading of the standards: notes, keys, tokens, JSON, trees, neighbours, each spelled one way."""

from base64 import b64decode
from typing import Any

import pytest

from tests.verify import making as by_hand
from tests.verify.making import canonical, jws, leaf, sha
from verify import verify as plain


def test_a_checkpoint_is_signed_by_both_and_by_nobody_wrongly() -> None:
    trust = plain.Trust(canonical(by_hand.trust()))
    note = by_hand.note_of(5, bytes(32))
    good = by_hand.signatures(note)
    bad = by_hand.signatures(note, by_hand.STRANGER, by_hand.STRANGER)
    other = f"\u2014 other.example {good[0].split(' ')[2]}"

    def read(*lines: str, text: str = note) -> Any:
        return plain.read_checkpoint((text + "\n" + "".join(lines)).encode(), trust)

    checkpoint = read(*good, other)
    assert (checkpoint.size, checkpoint.root, checkpoint.origin) == (5, bytes(32), by_hand.ORIGIN)
    operator = "the operator's signature of the checkpoint is missing or wrong"
    witness = "the witness's signature of the checkpoint is missing or wrong"
    cut = b64decode(good[1].split(" ")[2])[:-1]
    refused = {
        (good[1],): operator,
        (bad[0], good[1]): operator,
        (good[0], bad[0], good[1]): operator,
        (good[0],): witness,
        (good[0], bad[1]): witness,
        (*good, bad[1]): witness,
        (good[0], f"\u2014 witness.example {by_hand.b64(cut)}\n"): witness,
        (good[0].replace("\u2014", "-"), good[1]): "a signature line of the checkpoint is malformed",
        (good[0][:-1] + " x\n", good[1]): "a signature line of the checkpoint is malformed",
    }
    for lines, said in refused.items():
        with pytest.raises(plain.Bad, match=f"^{said}$"):
            read(*lines)
    for text, said in (
        (by_hand.note_of(5, bytes(31)), "the checkpoint's root is not 32 bytes"),
        (note + "extension\n", "the checkpoint is not three lines"),
        (note.replace("\n5\n", "\n05\n"), "the checkpoint is not three lines"),
        (note.replace("\n5\n", "\n-5\n"), "the checkpoint is not three lines"),
        (note.replace(by_hand.ORIGIN, "x"), "the checkpoint is of another origin"),
    ):
        with pytest.raises(plain.Bad, match=f"^{said}$"):
            read(*by_hand.signatures(text), text=text)


def test_keys_are_what_they_say() -> None:
    def refused(said: str, **changes: Any) -> None:
        with pytest.raises(plain.Bad, match=f"^{said}$"):
            plain.Trust(canonical(by_hand.trust() | changes))

    refused("a key is not a note's verifier key", operator=None)
    refused("a key is not a note's verifier key", operator="name+key")
    refused("a key is not of the algorithm that it must be", operator=by_hand.vkey(by_hand.ORIGIN, 4, by_hand.OPERATOR))
    refused("a key is not of the algorithm that it must be", witness=by_hand.vkey("w", 1, by_hand.WITNESS))
    short = by_hand.vkey(by_hand.ORIGIN, 1, by_hand.OPERATOR)
    refused("a key's id is not that of the key", operator=short.replace("+", "+0", 1))
    named = plain.vkey(by_hand.vkey("a", 1, by_hand.OPERATOR), 1)
    assert named == ("a", by_hand.key_id("a", 1, by_hand.OPERATOR), by_hand.public(by_hand.OPERATOR))
    one, two = (plain.Trust(canonical(by_hand.trust())) for _ in range(2))
    assert one.same(two)
    assert not one.same(plain.Trust(canonical(by_hand.trust() | {"agencies": {}})))
    given = by_hand.trust()
    del given["partners"]
    assert plain.Trust(canonical(given)).partners == {}


def test_a_token_is_signed_with_ed25519_by_a_key_that_counts() -> None:
    keys = {"keys": [{"kty": "RSA"}, by_hand.jwk(by_hand.STRANGER), by_hand.jwk(by_hand.AGENCY)]}
    good = jws(by_hand.AGENCY, b"said", "t")
    assert plain.claims_of(good, keys, "t") == plain.claims_of(good, keys, None) == b"said"
    refused = {
        "a token is not a compact JWS": [None, "a.b", "a.b.c.d"],
        "a token is not signed with Ed25519": [
            jws(by_hand.AGENCY, b"x", "t", alg="none"), jws(by_hand.AGENCY, b"x", "t", crit=["b64"]),
        ],
        "a token is not a t": [jws(by_hand.AGENCY, b"x", "u")],
        "a token is signed by none of the trusted keys": [jws(by_hand.OPERATOR, b"x", "t")],
        "a base64 text is not spelled as it should be": [good + "=", good[:-1] + "B"],
    }  # fmt: skip
    for said, tokens in refused.items():
        for token in tokens:
            with pytest.raises(plain.Bad, match=f"^{said}$"):
                plain.claims_of(token, keys, "t")
    for other in ({"kty": "OKP", "crv": "X25519"}, {"kty": "EC", "crv": "Ed25519"}):
        with pytest.raises(plain.Bad, match="none of the trusted keys"):
            plain.claims_of(good, {"keys": [by_hand.jwk(by_hand.AGENCY) | other]}, "t")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a":1,"a":1}', "a JSON object has one member twice"),
        ('{"a":1.5}', "a JSON number is not whole"),
        ('{"a":1e3}', "a JSON number is not whole"),
        ("[NaN]", "a JSON number is not whole"),
        ("[Infinity]", "a JSON number is not whole"),
    ],
)
def test_json_has_no_member_twice_and_whole_numbers(text: str, said: str) -> None:
    for given in (text, text.encode()):
        with pytest.raises(plain.Bad, match=f"^{said}$"):
            plain.parse(given)
    assert plain.parse('{"가":[1,null,true]}'.encode()) == {"가": [1, None, True]}
    assert plain.canonical({"b": "가", "a": [1, {}]}) == '{"a":[1,{}],"b":"가"}'.encode()


def test_hexadecimal_base64_numbers_and_instants_have_one_spelling() -> None:
    assert plain.unhex("00ff", 2) == b"\x00\xff"
    assert plain.unhex("") == b""
    for text, said in (("0", "lower-case"), ("FF", "lower-case"), (None, "lower-case"), ("00\n", "lower-case")):
        with pytest.raises(plain.Bad, match=f"^a text is not {said} hexadecimal$"):
            plain.unhex(text)
    with pytest.raises(plain.Bad, match=r"^a hash is not 3 bytes$"):
        plain.unhex("00ff", 3)
    assert plain.unbase64("+/8=") == plain.unbase64("-_8", is_url=True) == b"\xfb\xff"
    for given, is_url in (("-_8=", False), ("+/8", True), ("-_8=", True), ("+/9=", False), ("-_9", True)):
        with pytest.raises((plain.Bad, ValueError)):
            plain.unbase64(given, is_url=is_url)
    with pytest.raises(plain.Bad, match=r"^a base64 text is not spelled as it should be$"):
        plain.unbase64("+/9=")
    with pytest.raises(plain.Bad, match=r"^a base64 text is missing$"):
        plain.unbase64(None)
    assert [plain.whole(n) for n in (0, (1 << 63) - 1)] == [0, (1 << 63) - 1]
    for number in (-1, 1 << 63, True, "1", None, 1.0):
        with pytest.raises(plain.Bad, match=r"^a number is not a size$"):
            plain.whole(number)
    assert plain.micros(by_hand.INSTANT) == by_hand.INSTANT
    for instant in (None, "2026-06-01", by_hand.INSTANT.lower(), by_hand.INSTANT + " "):
        with pytest.raises(plain.Bad, match=r"^an instant is not spelled as it should be$"):
            plain.micros(instant)


def test_tiles_are_named_as_the_standard_says() -> None:
    assert plain.tile_name("tile/0", 0) == "tile/0/000"
    assert plain.tile_name("tile/0", 999, 3) == "tile/0/999.p/3"
    assert plain.tile_name("bodies", 1000) == "bodies/x001/000"
    assert plain.tile_name("tile/entries", 1_234_067) == "tile/entries/x001/x234/067"


@pytest.mark.parametrize("size", [*range(1, 18), 31, 32, 33])
def test_roots_and_paths_are_those_of_the_standard(size: int) -> None:
    data = [b"%d" % n for n in range(size)]
    leaves, tree = [leaf(d) for d in data], plain.Growing()
    assert tree.root() == sha()
    for number, one in enumerate(leaves, 1):
        tree.add(one)
        assert tree.root() == by_hand.root_of(leaves[:number])
    for at in range(size):
        path = by_hand.path_of(leaves, at)
        assert plain.root_of_path(leaves[at], at, size, path) == tree.root()
        with pytest.raises(plain.Bad, match=r"^the path has hashes left over$"):
            plain.root_of_path(leaves[at], at, size, [*path, bytes(32)])
        for stop in range(at + 1, size + 1):
            left, right = by_hand.beside(leaves, at, stop)
            assert plain.root_of_range(data[at:stop], at, stop, size, left, right) == tree.root()
    with pytest.raises(plain.Bad, match=f"^index {size} is not in a tree of {size}$"):
        plain.root_of_path(leaves[0], size, size, [])


def test_what_a_check_stumbles_over_is_a_finding_without_values() -> None:
    report = plain.Report()

    def stumble(error: Exception) -> None:
        raise error

    assert report.check("a", lambda n: n + 1, 1) == 2
    for error in (plain.Bad("said"), FileNotFoundError("x"), PermissionError("x"), KeyError("x"), RecursionError("x")):
        assert report.check("f", stumble, error) is None
    assert report.findings == [
        "f: said",
        "f: the file is missing",
        "f: the file cannot be read (PermissionError)",
        "f: the file is malformed (KeyError)",
        "f: the file is malformed (RecursionError)",
    ]
    report.did("things")
    report.did("things", 2)
    assert report.counts == {"things": 3}


@pytest.mark.parametrize(
    ("told", "at", "said"),
    [
        ((1, 2), "middle", ""),
        ((0,), "first", ""),
        ((3,), "last", ""),
        ((1,), "middle", "the neighbour below is not the last"),
        ((2,), "middle", "the neighbour above is not the first"),
        ((0, 2), "middle", "the neighbours are not adjacent"),
        ((0, 1, 2), "middle", "the neighbours are not two"),
        ((1, 2, 3), "middle", "the neighbours are not two"),
        ((), "middle", "the neighbours are not two"),
        ((1, 2), "there", "the person is there"),
    ],
)
def test_absence_is_shown_by_two_that_touch_or_one_at_an_end(told: tuple[int, ...], at: str, said: str) -> None:
    owners = [bytes([10 * n]) * 32 for n in range(1, 5)]
    leaves = [leaf(o) for o in owners]
    absent = {"first": 5, "middle": 25, "last": 45, "there": 20}[at]
    near = [{"blinded": owners[n].hex(), "at": n, "path": by_hand.hexes(by_hand.path_of(leaves, n))} for n in told]
    report, root = plain.Report(), {"count": 4, "root": by_hand.root_of(leaves).hex()}
    report.check("x", plain.check_neighbours, near, root, bytes([absent]) * 32)
    assert report.findings == ([f"x: {said}"] if said else [])


def test_in_a_bucket_without_rows_nobody_is_a_neighbour() -> None:
    report = plain.Report()
    report.check("x", plain.check_neighbours, [], {"count": 0, "root": sha().hex()}, bytes(32))
    assert report.findings == []
