"""fastText's files of word vectors for tests: small, and made byte by byte."""

import numpy as np

from tests.oracles import fasttext_files as oracle

WORDS = ["</s>", "the", "诗人", "naïve", "x", "😀😀"]
UNSEEN = ["these", "诗", "naïveté", "y", "", "</s>x", "a" * 1500, "<<>>", "ÿ\u0100"]
LENGTHS, N_BUCKETS = (2, 4), 37
RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(len(WORDS) + N_BUCKETS, 3)).astype(np.float32)
OUTPUTS = RNG.normal(size=(len(WORDS), 3)).astype(np.float32)
CODES = RNG.integers(0, 256, size=(len(ROWS), 2)).astype(np.uint8)
CENTROIDS = [RNG.normal(size=(256, n)).astype(np.float32) for n in (2, 1)]
NORM_CODES = RNG.integers(0, 256, size=len(ROWS)).astype(np.uint8)
NORMS = RNG.uniform(1, 2, size=256).astype(np.float32)
SKIP_GRAM = {"lengths": LENGTHS, "n_buckets": N_BUCKETS}


def sections(rows=ROWS, outputs=OUTPUTS, words=WORDS, labels=(), **parameters):
    return oracle.file_sections(
        rows, outputs, words, labels, **{**SKIP_GRAM, **parameters}
    )


def write(path, parts=None):
    parts = sections() if parts is None else parts
    path.write_bytes(parts if isinstance(parts, bytes) else b"".join(parts.values()))
    return path


def replaced(old, new):
    """A file in which bytes of the entries are others, as many."""
    parts = sections()
    assert parts["dictionary, entry"].count(old) == 1
    parts["dictionary, entry"] = parts["dictionary, entry"].replace(old, new)
    return parts
