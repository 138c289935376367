"""What is too slow for the tests of text: every character, thousands of parameters.

    python -m benchmarks.prove_text

Takes some minutes and fails with an AssertionError. The tests hold a small sample.
`fuzz_word_vectors.py` does the same for damaged files of word vectors.
"""

import random
import warnings

from skml.text._subwords import word_parts
from tests.text.test_ngrams import (
    EACH_CHARACTER,
    assert_equal_to_scikit_learn,
    assert_same_counts,
    random_documents,
    random_parameters,
)
from tests.text.test_subwords import plain_ngrams


def prove_characters():
    """Each character by itself counts as it does in scikit-learn."""
    characters = [chr(code) for code in range(0x110000)]
    for parameters in EACH_CHARACTER:
        assert_same_counts(characters, parameters)
    print(f"{len(characters)} characters: terms are those of scikit-learn")


def prove_parameters(n_sets=3000):
    """Terms and weights are those of scikit-learn for random parameters."""
    for seed in range(n_sets):
        rng = random.Random(f"parameters {seed}")
        documents = random_documents(rng, rng.choice([1, 5, 30]))
        n_jobs = rng.choice([None, 2, 3])
        assert_equal_to_scikit_learn(documents, random_parameters(rng), n_jobs=n_jobs)
    print(f"{n_sets} sets of parameters: weights are those of scikit-learn")


def prove_ngrams():
    """No two n-grams have the same hash."""
    words = [f"{i:06d}" for i in range(300_000)]
    n_distinct = len({ngram for word in words for ngram in plain_ngrams(word, 5, 7)})
    hashes = word_parts(words, (5, 7))[0]
    assert len(hashes) == n_distinct > 10**6
    assert (hashes[1:] > hashes[:-1]).all()
    print(f"{n_distinct} n-grams have as many hashes")


if __name__ == "__main__":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        prove_parameters()
        prove_characters()
    prove_ngrams()
