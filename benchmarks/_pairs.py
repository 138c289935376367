"""Pairs of sentences from the files of Tatoeba: English, a tab, another language."""

import unicodedata
import zipfile
from pathlib import Path

import numpy as np


def read_pairs(path):
    """The English sentences of a file, text or zipped, and the others."""
    path = Path(path)
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as files:
            name = next(n for n in files.namelist() if not n.startswith("_"))
            text = files.read(name).decode("utf-8")
    else:
        text = path.read_text("utf-8")
    pairs = dict.fromkeys(tuple(line.split("\t")[:2]) for line in text.splitlines())
    english, other = zip(*pairs, strict=True)
    # French has narrow and fixed blanks before marks, which are blanks here.
    return list(english), [unicodedata.normalize("NFKC", s) for s in other]


def split_pairs(english, other, n_test, seed=0):
    """Pairs to learn from, and to test with; no English sentence is on both sides."""
    distinct, of_pair, counts = np.unique(
        english, return_inverse=True, return_counts=True
    )
    order = np.random.default_rng(seed).permutation(len(distinct))
    is_test = np.zeros(len(distinct), dtype=bool)
    is_test[order[np.cumsum(counts[order]) <= n_test]] = True
    test = is_test[of_pair]
    pairs = np.array(english, dtype=object), np.array(other, dtype=object)
    return [side[~test] for side in pairs], [side[test] for side in pairs]
