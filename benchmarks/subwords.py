"""Compare vectors of character n-grams of this package and of fastText.

Run it with ::

    python benchmarks/subwords.py CORPUS SIMILARITY_FILES...

where CORPUS is a text file in lower case with one document a line and blanks between
tokens (.xz, .gz and .bz2 are opened as they are), and the other files hold two words
and a score a line. Both train in turn on the same documents with the same settings.
fastText reads them from a text file, as it always does, and this package takes lists of
tokens. fastText has no seed: a seed decides the order of the documents, for both.
benchmarks/README.md says what the numbers mean.
"""

import argparse
import random
import sys
from collections import Counter
from math import inf
from pathlib import Path
from statistics import mean, median
from tempfile import TemporaryDirectory

import numpy as np
from _arguments import existing_file, positive
from _documents import read_token_lists
from _machine import describe, limit_blas, now, since
from _word2vec_report import Report, markdown, ratios, values

from skml.metrics import load_word_similarities, word_similarity_score
from skml.text import Word2VecTransformer, WordVectors

try:
    import fasttext
except ImportError:
    sys.exit("This is a comparison with fastText: pip install fasttext")

_MIN_COUNT = 5
# The pairs whose rarer word occurs less often than this.
_GROUPS = {"all": inf, "rare, below 50": 50, "out of vocabulary": _MIN_COUNT}
# The correlation of fewer pairs of a file says nothing.
_FEWEST_PAIRS = 20
_OURS, _PEER = {"library": "skml"}, {"library": "fastText"}
_LIBRARIES = (_OURS, _PEER)


def train_skml(documents, path, epochs, seed):
    """Train from the token lists; return the vectors and what they cost."""
    model = Word2VecTransformer(
        100,
        subwords=(3, 6),
        window=5,
        n_negatives=5,
        # fastText draws noise in proportion to the root of the count.
        noise_exponent=0.5,
        subsample=1e-3,
        min_count=_MIN_COUNT,
        max_iter=epochs,
        learning_rate=0.05,
        learning_rate_min=0,
        random_state=seed,
    )
    start = now()
    model.fit(documents)
    return model.word_vectors_, since(start)


def train_fasttext(documents, path, epochs, seed):
    """Train from the text file; return an object that has the vector of any word."""
    start = now()
    model = fasttext.train_unsupervised(
        str(path),
        model="skipgram",
        loss="ns",
        dim=100,
        minn=3,
        maxn=6,
        ws=5,
        neg=5,
        t=1e-3,
        minCount=_MIN_COUNT,
        epoch=epochs,
        lr=0.05,
        thread=1,
        verbose=0,
    )
    return model, since(start)


def vectors_of(model, words):
    """The vectors of words, of those outside the vocabulary too, if they have one."""
    if isinstance(model, WordVectors):
        words = [word for word in words if word in model]
        return WordVectors(model[words], words)
    return WordVectors([model.get_word_vector(word) for word in words], words)


def vocabulary_of(model):
    # fastText takes the end of a line for a word.
    return set(model.words) - {"</s>"}


TRAIN = {"skml": train_skml, "fastText": train_fasttext}


def group_pairs(paths, counts):
    """The pairs of each file whose rarer word is rare enough, by group.

    Returns
    -------
    groups : dict of str to list of list of tuple
        Lists of pairs, with the words in lower case; files with too few are left out.
    """
    files = [
        [(a.casefold(), b.casefold(), score) for a, b, score in pairs]
        for pairs in map(load_word_similarities, paths)
    ]
    groups = {}
    for name, limit in _GROUPS.items():
        rare = [[p for p in pairs if _rarer(p, counts) < limit] for pairs in files]
        groups[name] = [pairs for pairs in rare if len(pairs) >= _FEWEST_PAIRS]
    return groups


def _rarer(pair, counts):
    return min(counts[word] for word in pair[:2])


def score(model, groups):
    """Spearman correlation in percent, the mean over files by their number of pairs."""
    files = [pairs for group in groups.values() for pairs in group]
    words = sorted({word for pairs in files for pair in pairs for word in pair[:2]})
    word_vectors = vectors_of(model, words)
    return {
        name: 100
        * np.average(
            [word_similarity_score(word_vectors, p, unknown="zero") for p in group],
            weights=list(map(len, group)),
        )
        for name, group in groups.items()
        if group
    }


def train_in_turn(documents, arguments, groups, report):
    """Train both with one seed, then with the next.

    What the machine does meanwhile then falls on both alike.
    """
    vocabularies = {}
    for seed in arguments.seeds:
        shuffled = random.Random(seed).sample(documents, len(documents))
        with TemporaryDirectory() as folder:
            path = Path(folder, "corpus.txt")
            with path.open("w", encoding="utf-8") as file:
                file.writelines(" ".join(document) + "\n" for document in shuffled)
            for library, train in TRAIN.items():
                model, spent = train(shuffled, path, arguments.epochs, seed)
                vocabularies[library] = vocabulary_of(model)
                report.add(
                    {
                        "library": library,
                        "seed": seed,
                        "whole": spent._asdict(),
                        "others": spent.others_per_second,
                        "quality": score(model, groups),
                    }
                )
                del model
    if vocabularies["skml"] != vocabularies["fastText"]:
        raise AssertionError("the vocabularies differ: the corpora were not the same")


def speed_table(records, n_tokens):
    """Tokens of all epochs a second of the processor, from documents to vectors."""
    speeds = (n_tokens / median(values(records, "whole.cpu", **w)) for w in _LIBRARIES)
    row = [
        "from tokens or text to vectors",
        *(f"{speed / 1e3:,.0f} k" for speed in speeds),
        ratios(records, "whole.cpu", _PEER, _OURS),
        f"{max(values(records, 'others')):.2f}",
    ]
    per = [f"{name}, tokens / CPU s" for name in TRAIN]
    return markdown(["", *per, "x CPU", "others"], [row])


def quality_table(records, groups):
    """Mean over seeds of both, how far apart, and how far apart the seeds are."""
    rows = []
    for name, group in groups.items():
        if not group:
            continue
        ours, peer = (
            [quality[name] for quality in values(records, "quality", **which)]
            for which in _LIBRARIES
        )
        spread = max(max(ours) - min(ours), max(peer) - min(peer))
        numbers = (mean(ours), mean(peer), mean(ours) - mean(peer), spread)
        rows.append([name, sum(map(len, group)), *(f"{x:.1f}" for x in numbers)])
    header = ["pairs", "number", *TRAIN, "difference", "seed spread"]
    return markdown(header, rows)


def make_parser():
    summary, _, details = __doc__.partition("\n\n")
    parser = argparse.ArgumentParser(
        description=summary,
        epilog=details,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("corpus", type=existing_file, help="a text file, one document a line")
    add("similarities", type=existing_file, nargs="+", help="two words and a score")
    add("--tokens", type=int, default=3_500_000, help="0 takes the whole corpus")
    add("--epochs", type=positive, default=5, help="passes over the corpus")
    add("--seeds", type=int, nargs="+", default=[1, 2], help="a round for each")
    add("--json", help="file for the numbers of every single run")
    return parser


def main():
    arguments = make_parser().parse_args()
    limit_blas()
    documents, n_tokens = read_token_lists(arguments.corpus, arguments.tokens or None)
    counts = Counter(token for document in documents for token in document)
    groups = group_pairs(arguments.similarities, counts)
    header = {
        "machine": describe("fasttext"),
        "corpus": {"documents": len(documents), "n_tokens": n_tokens},
        "arguments": vars(arguments),
    }
    for title, entries in header.items():
        shown = ", ".join(f"{name} {value}" for name, value in entries.items())
        print(f"{title.capitalize()}: {shown}")
    report = Report(arguments.json, **header)
    train_in_turn(documents, arguments, groups, report)
    speed = speed_table(report.records, n_tokens * arguments.epochs)
    print(f"\n{speed}\n\n{quality_table(report.records, groups)}")


if __name__ == "__main__":
    main()
