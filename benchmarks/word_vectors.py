"""Compare word vectors of this package and of gensim: reading files, most_similar.

Run it with ::

    python benchmarks/word_vectors.py [--n-words 100000] [--size 300] [--rounds 3]

It makes random vectors, writes them once to a temporary folder in each format, and lets
both read them in turn, from the cache of the system. Then both find the ten words most
similar to each of so many words: this package in one call, gensim in a loop. Results
are compared before anything is timed. gensim reads a second or two of binary, but a
minute of text: --rounds is how often.
"""

import argparse
import tempfile
from pathlib import Path
from statistics import median

import numpy as np
from _machine import describe, limit_blas, now, since
from _word2vec_report import markdown
from gensim.models import KeyedVectors

from skml.text import WordVectors


def make_vectors(n_words, size):
    generator = np.random.default_rng(0)
    vectors = generator.normal(scale=0.1, size=(n_words, size)).astype(np.float32)
    return WordVectors(vectors, [f"word{i}" for i in range(n_words)])


def readers(vectors, folder):
    """Pairs of functions that read the same file, by the name of what is measured."""
    pairs = {}
    for format in ("word2vec-binary", "word2vec-text"):
        path = folder / format
        vectors.save(path, format=format)
        is_binary = format.endswith("binary")
        pairs[f"read {format}, {path.stat().st_size / 1e6:.0f} MB"] = (
            lambda path=path: WordVectors.load(path),
            lambda path=path, is_binary=is_binary: KeyedVectors.load_word2vec_format(
                path, binary=is_binary
            ),
        )
    return pairs


def check_reading(ours, peer):
    assert ours.words == peer.index_to_key
    assert np.array_equal(ours.vectors, peer.vectors)


def searchers(vectors, n_queries):
    """A pair of functions that answer the same queries."""
    peer = KeyedVectors(vectors.vector_size)
    peer.add_vectors(vectors.words, vectors.vectors)
    words = vectors.words[:: len(vectors) // n_queries][:n_queries]
    queries = [[word] for word in words]
    return {
        f"most_similar, {len(words)} queries": (
            lambda: vectors.most_similar(queries),
            lambda: [peer.most_similar(word) for word in words],
        )
    }


def check_searching(ours, peer):
    for pair in zip(ours, peer, strict=True):
        found, expected = (dict(answers) for answers in pair)
        assert np.allclose(list(found.values()), list(expected.values()), atol=1e-5)
        # Words as near as rounding may change places.
        assert len(found.keys() & expected.keys()) >= 9


def measure(pair, check, rounds):
    """Seconds of CPU and by the clock of both, round by round."""
    check(*(run() for run in pair))
    spent = []
    for _ in range(rounds):
        spent.append([])
        for run in pair:
            moment = now()
            result = run()
            spent[-1].append(since(moment))
            del result
    return spent


def row(name, spent):
    """A line of the table: medians, and the ratios of each round."""
    ratios = [peer.wall / ours.wall for ours, peer in spent]
    cpu = median(peer.cpu / ours.cpu for ours, peer in spent)
    seconds = [
        f"{median(step.wall for step in steps):.2f}"
        for steps in zip(*spent, strict=True)
    ]
    return [
        name,
        *seconds,
        f"**{median(ratios):.1f}** ({min(ratios):.1f} to {max(ratios):.1f})",
        f"{cpu:.1f}",
        f"{max(step.others_per_second for steps in spent for step in steps):.2f}",
    ]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--n-words", type=int, default=100_000)
    parser.add_argument("--size", type=int, default=300)
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    limit_blas()
    for title, entries in {"Machine": describe(), "Arguments": vars(arguments)}.items():
        print(f"{title}: " + ", ".join(f"{k} {v}" for k, v in entries.items()))
    vectors = make_vectors(arguments.n_words, arguments.size)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, pair in readers(vectors, Path(folder)).items():
            rows.append(row(name, measure(pair, check_reading, arguments.rounds)))
    for name, pair in searchers(vectors, arguments.queries).items():
        rows.append(row(name, measure(pair, check_searching, arguments.rounds)))
    header = ["task", "skml, s", "gensim, s", "x wall", "x CPU", "others"]
    print("\n" + markdown(header, rows))


if __name__ == "__main__":
    main()
