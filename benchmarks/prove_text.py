"""What is too slow for the tests of text: every character, a million n-grams.

    python -m benchmarks.prove_text

Takes some minutes and fails with an AssertionError. The tests hold a small sample.
`fuzz_word_vectors.py` does the same for damaged files of word vectors.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

from skml.text._subwords import word_parts
from tests.text.test_line_documents import ANALYSES, assert_tokenized_as_in_python
from tests.text.test_subwords import plain_ngrams


def prove_characters():
    """Lines are split into tokens in C as they are in Python."""
    codes = [c for c in range(0x110000) if c != 10 and not 0xD800 <= c < 0xE000]
    for analysis in ANALYSES:
        with TemporaryDirectory() as folder:
            path = Path(folder, "lines")
            assert_tokenized_as_in_python(path, map(chr, codes), analysis)
    print(f"{len(codes)} characters: tokens are those of Python")


def prove_ngrams():
    """No two n-grams have the same hash."""
    words = [f"{i:06d}" for i in range(300_000)]
    n_distinct = len({ngram for word in words for ngram in plain_ngrams(word, 5, 7)})
    hashes = word_parts(words, (5, 7))[0]
    assert len(hashes) == n_distinct > 10**6
    assert (hashes[1:] > hashes[:-1]).all()
    print(f"{n_distinct} n-grams have as many hashes")


if __name__ == "__main__":
    prove_characters()
    prove_ngrams()
