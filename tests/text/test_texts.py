"""Tests of documents that are held, and of where their characters are."""

import sys

import pytest
from numpy.testing import assert_array_equal

from skml.text._texts import Texts


class Title(str):
    pass


@pytest.mark.parametrize("n", [0, 1, 15, 16, 17, 40])
def test_documents_are_held_as_they_are(n):
    documents = [("é" * i, "中" * i, "a" * i, [f"t{i}"])[i % 4] for i in range(n)]
    counts = [sys.getrefcount(document) for document in documents]
    texts = Texts(documents)
    kept = list(documents)
    documents.clear()
    assert len(texts) == n
    assert list(texts) == kept
    assert texts.are_str == (n < 4)
    part = texts.part(n // 3, n)
    assert list(part) == kept[n // 3 :]
    expected = [len(text) if isinstance(text, str) else 0 for text in kept]
    assert_array_equal(texts.lengths(), expected)
    assert_array_equal(part.lengths(), expected[n // 3 :])
    del texts, part
    documents.extend(kept)
    del kept
    assert [sys.getrefcount(document) for document in documents] == counts


def test_what_is_no_str():
    assert Texts(["a", "b"]).are_str
    assert not Texts(["a", Title("b")]).are_str
    assert_array_equal(Texts([Title("bc"), None, b"abc"]).lengths(), [2, 0, 0])
    for wrong in (None, ("a",)):
        with pytest.raises(TypeError):
            Texts(wrong)
    texts = Texts(["a"])
    for i in (-1, 1):
        with pytest.raises(IndexError, match=f"no document {i}"):
            texts[i]
    for first, last in [(-1, 1), (0, 2), (1, 0)]:
        with pytest.raises(IndexError, match=f"not {first} to {last}"):
            texts.part(first, last)
