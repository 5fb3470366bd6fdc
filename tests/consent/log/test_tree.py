"""Roots and proofs out of tiles: against RFC 6962 read word for word, and against an implementation not ours."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from consent.log import note
from consent.log.durable import writing
from consent.log.proofs import consistency, inclusion_path, range_proof
from consent.log.publish import Edge
from consent.log.tiles import CHECKPOINT, Tree, tile_path
from consent.log.witness import need_consistent
from consent.merkle import EMPTY, leaf_hash, root_of_path
from hanbeon.errors import IntegrityError, UsageError
from tests.consent.log.making import reference_path, reference_proof, reference_range_root, reference_root
from tests.consent.test_merkle import LEAVES, ROOTS

SIZES = [1, 2, 255, 256, 257, 511, 512, 513, 4_095, 4_097, 65_279, 65_281, 65_535, 65_536, 65_537, 65_793]


def grow(folder: Path, data: list[bytes], old: int, size: int) -> None:
    """The tiles of the tree of this size, with leaf hashes alone."""
    with writing(folder) as writer:
        edge = Edge(writer, Tree(folder, old))
        for one in data[old:size]:
            edge.add(0, leaf_hash(one))
        edge.close()


@pytest.fixture(scope="module")
def data() -> list[bytes]:
    return [n.to_bytes(50, "big") for n in range(SIZES[-1])]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, data: list[bytes]) -> Path:
    """A log that was published at each of the sizes."""
    made = tmp_path_factory.mktemp("log")
    for old, size in zip([0, *SIZES], SIZES, strict=False):
        grow(made, data, old, size)
    (made / CHECKPOINT).write_text(note.body("test", SIZES[-1], Tree(made, SIZES[-1]).root()) + "\n")
    return made


@pytest.fixture(scope="module")
def peer(data: list[bytes]) -> InmemoryTree:
    tree = InmemoryTree(algorithm="sha256")
    for one in data:
        tree.append_entry(one)
    return tree


def test_tiles_give_the_roots_of_certificate_transparency(tmp_path: Path) -> None:
    grow(tmp_path, LEAVES, 0, 8)
    assert Tree(tmp_path, 8).root().hex() == ROOTS[8]
    assert Tree(tmp_path, 0).root() == EMPTY


@pytest.mark.parametrize("size", SIZES)
def test_the_root_at_every_border_of_a_tile_is_that_of_an_implementation_not_ours(
    folder: Path, peer: InmemoryTree, size: int
) -> None:
    assert Tree(folder, size).root() == peer.get_root(size)


@pytest.mark.parametrize("size", SIZES)
def test_inclusion_proofs_lead_to_the_root_of_an_implementation_not_ours(
    folder: Path, peer: InmemoryTree, data: list[bytes], size: int
) -> None:
    tree = Tree(folder, size)
    for index in {0, size // 2, size // 256 * 256 - 1, size - 2, size - 1} & set(range(size)):
        path = inclusion_path(tree, index, 0, size)
        assert root_of_path(leaf_hash(data[index]), index, size, path) == peer.get_root(size)
        assert path == peer.prove_inclusion(index + 1, size).path[1:]


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 1_500), st.data())
def test_proofs_are_those_that_rfc_6962_spells_out(
    folder: Path, data: list[bytes], size: int, drawn: st.DataObject
) -> None:
    index, old = drawn.draw(st.integers(0, size - 1)), drawn.draw(st.integers(1, size))
    assert inclusion_path(Tree(folder, SIZES[-1]), index, 0, size) == reference_path(index, data[:size])
    assert consistency(folder, old, size) == reference_proof(old, data[:size])


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 65_536), st.integers(0, 65_536))
def test_a_consistency_proof_convinces_and_a_changed_one_does_not(
    folder: Path, peer: InmemoryTree, one: int, other: int
) -> None:
    old, new = sorted((one, other))
    proof = consistency(folder, old, new)
    roots = [peer.get_root(n) if n else EMPTY for n in (old, new)]
    need_consistent(old, roots[0], new, roots[1], proof)
    if 0 < old < new:
        for wrong in (proof[:-1], [*proof, EMPTY], [EMPTY, *proof[1:]], []):
            with pytest.raises(IntegrityError):
                need_consistent(old, roots[0], new, roots[1], wrong)
        with pytest.raises(IntegrityError):
            need_consistent(old, EMPTY, new, roots[1], proof)


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 700), st.data())
def test_a_range_and_what_lies_beside_it_give_the_root(
    folder: Path, data: list[bytes], size: int, drawn: st.DataObject
) -> None:
    a = drawn.draw(st.integers(0, size - 1))
    b = drawn.draw(st.integers(a + 1, size))
    left, right = range_proof(folder, a, b, size)
    beside = iter(left), iter(right)
    assert reference_range_root(a, b, size, data[a:b], *beside) == reference_root(data[:size])
    assert not [*beside[0], *beside[1]]


def test_proofs_for_what_the_checkpoint_does_not_cover_are_refused(folder: Path) -> None:
    size = SIZES[-1]
    for wrong in ((5, 4), (-1, 4), (4, size + 1)):
        with pytest.raises(UsageError):
            consistency(folder, *wrong)
    for a, b, of in ((3, 3, 9), (-1, 2, 9), (3, 10, 9), (0, 1, size + 1)):
        with pytest.raises(UsageError):
            range_proof(folder, a, b, of)


def test_a_tile_is_named_as_c2sp_names_it(tmp_path: Path) -> None:
    assert tile_path(tmp_path, "tile/0", 1234067) == tmp_path / "tile/0/x001/x234/067"
    assert tile_path(tmp_path, "tile/1", 5, 17) == tmp_path / "tile/1/005.p/17"
    assert tile_path(tmp_path, "tile/entries", 1000) == tmp_path / "tile/entries/x001/000"


def test_a_missing_tile_is_named(tmp_path: Path, data: list[bytes]) -> None:
    grow(tmp_path, data, 0, 300)
    tile_path(tmp_path, "tile/0", 1, 44).unlink()
    with pytest.raises(IntegrityError, match=r"tile/0/001"):
        Tree(tmp_path, 300).root()
