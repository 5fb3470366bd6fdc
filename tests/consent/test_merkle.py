"""Trees of RFC 6962: against the examples of Certificate Transparency, and against an implementation not ours."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from consent import merkle
from hanbeon.errors import UsageError

# The eight leaves and the roots that certificate-transparency implementations are tested with.
LEAVES = [
    bytes.fromhex(h) for h in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "60616263646566676869")
]
LEAVES[-1] = bytes.fromhex("606162636465666768696a6b6c6d6e6f")
ROOTS = {
    0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


@pytest.mark.parametrize("size", ROOTS)
def test_roots_are_those_of_certificate_transparency(size: int) -> None:
    assert merkle.root([merkle.leaf_hash(d) for d in LEAVES[:size]]).hex() == ROOTS[size]


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=70))
def test_roots_agree_with_an_implementation_that_is_not_ours(entries: list[bytes]) -> None:
    tree = InmemoryTree(algorithm="sha256")
    for entry in entries:
        tree.append_entry(entry)
    assert merkle.root([merkle.leaf_hash(e) for e in entries]) == tree.get_root()


@given(st.integers(1, 130), st.data())
def test_every_path_leads_to_the_root_and_no_other_leaf_has_it(size: int, data: st.DataObject) -> None:
    hashes = [merkle.leaf_hash(str(i).encode()) for i in range(size)]
    index = data.draw(st.integers(0, size - 1))
    path = merkle.path(hashes, index)
    assert merkle.root_of_path(hashes[index], index, size, path) == merkle.root(hashes)
    stranger = hashlib.sha256(b"another").digest()
    assert merkle.root_of_path(stranger, index, size, path) != merkle.root(hashes)
    with pytest.raises(UsageError):
        merkle.root_of_path(hashes[index], index, size, [*path, stranger])
    if path:
        with pytest.raises(UsageError):
            merkle.root_of_path(hashes[index], index, size, path[:-1])


@pytest.mark.parametrize("index", [-1, 3, 4])
def test_an_index_outside_of_the_tree_is_refused(index: int) -> None:
    hashes = [merkle.leaf_hash(bytes([i])) for i in range(3)]
    with pytest.raises(UsageError):
        merkle.path(hashes, index)
    with pytest.raises(UsageError):
        merkle.root_of_path(hashes[0], index, 3, [])
