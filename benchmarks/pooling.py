"""Weigh and pool: how fast against scikit-learn, and how well each scheme does.

    python benchmarks/pooling.py speed CORPUS [--n-documents N] [--rounds R]
    python benchmarks/pooling.py accuracy CORPUS POSITIVE NEGATIVE [--n-folds K]
    python benchmarks/pooling.py attention CORPUS POSITIVE NEGATIVE [--n-folds K]

CORPUS, POSITIVE and NEGATIVE are text files with one document a line; .xz, .gz and
.bz2 are opened as they are. `speed` weighs and pools token lists with vectors of 100
numbers. `accuracy` trains word vectors on CORPUS and on the sentences, then pools the
sentences with each scheme of weights and tells positive from negative ones by logistic
regression. `attention` compares the mean, and the maximum beside it, with means whose
weights are attention: that of the sentence's mean vector to its words, at several
temperatures, and that of the words to each other.
"""

import argparse
from functools import partial
from statistics import median
from time import perf_counter

import numpy as np
from _documents import open_text, read_token_lists
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, normalize

from skml.attention import masked_softmax, self_attention
from skml.text import (
    EmbeddingTransformer,
    TfidfWeighter,
    Word2VecTransformer,
    WordVectors,
)

SCHEMES = ("tf-idf", "idf", "bm25", "sif", "usif", "icf", "rf", "or")


def random_vectors(documents, size=100):
    words = sorted({token for document in documents for token in document})
    vectors = np.random.default_rng(0).normal(size=(len(words), size))
    return WordVectors(vectors, words)


def ours(documents, vectors):
    weighter = TfidfWeighter()
    return EmbeddingTransformer(vectors, weighter=weighter).fit_transform(documents)


def scikit_learn(documents, vectors):
    weights = TfidfVectorizer(analyzer=list, vocabulary=vectors.vocabulary)
    return weights.fit_transform(documents) @ vectors.vectors


def run_speed(arguments):
    documents, _ = read_token_lists(arguments.corpus)
    documents = documents[: arguments.n_documents]
    vectors = random_vectors(documents)
    n_tokens = sum(map(len, documents))
    print(f"{len(documents)} documents, {n_tokens} tokens, {len(vectors)} words\n")
    seconds = {ours: [], scikit_learn: []}
    for _ in range(arguments.rounds):
        for function, times in seconds.items():
            start = perf_counter()
            function(documents, vectors)
            times.append(perf_counter() - start)
    ratios = [
        other / own
        for own, other in zip(seconds[ours], seconds[scikit_learn], strict=True)
    ]
    print("| ours, s | TfidfVectorizer and a product, s | x |\n| ---: | ---: | ---: |")
    print(
        f"| {median(seconds[ours]):.2f} | {median(seconds[scikit_learn]):.2f} | "
        f"**{median(ratios):.2f}** ({min(ratios):.2f} to {max(ratios):.2f}) |"
    )


def read_lines(path):
    with open_text(path) as lines:
        return [line.split() for line in lines]


def weighters():
    """Each scheme by name; the norm is of no importance to a mean."""
    yield "none", None
    for scheme in SCHEMES:
        yield scheme, TfidfWeighter(scheme=scheme)


def run_accuracy(arguments):
    corpus, _ = read_token_lists(arguments.corpus)
    positive, negative = map(read_lines, (arguments.positive, arguments.negative))
    sentences = positive + negative
    y = np.repeat([1, 0], [len(positive), len(negative)])
    # Their sentences are part of the text that vectors are learned from, no label is.
    word2vec = Word2VecTransformer(100, random_state=0).fit(corpus + sentences)
    folds = StratifiedKFold(arguments.n_folds, shuffle=True, random_state=0)
    print("| scheme | mean | mean, one component removed | mean+max |")
    print("| --- | ---: | ---: | ---: |")
    for name, weighter in weighters():
        cells = []
        for options in ({}, {"remove_components": 1}, {"pooling": "mean+max"}):
            model = make_pipeline(
                EmbeddingTransformer(
                    word2vec.word_vectors_, weighter=weighter, **options
                ),
                StandardScaler(),
                LogisticRegression(C=0.1, max_iter=1000),
            )
            scores = cross_val_score(model, sentences, y, cv=folds)
            cells.append(f"{100 * scores.mean():.1f}")
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def attend_by_mean(words, sharpness):
    """The mean of words, weighted by their cosines with the mean."""
    cosines = normalize(words) @ normalize(words.mean(axis=0, keepdims=True))[0]
    return masked_softmax(sharpness * cosines) @ words


def attend_to_each_other(words, sharpness):
    """The mean of words after each has attended to all."""
    points = normalize(words) * np.sqrt(sharpness) * words.shape[1] ** 0.25
    _, weights = self_attention(points, return_weights=True)
    return (weights[0] @ words).mean(axis=0)


ATTENTION = {
    "mean": lambda words: words.mean(axis=0),
    "maximum beside the mean": lambda words: np.hstack(
        [words.mean(axis=0), words.max(axis=0)]
    ),
    "attention of the mean, cosines x 2": partial(attend_by_mean, sharpness=2),
    "attention of the mean, cosines x 5": partial(attend_by_mean, sharpness=5),
    "attention of the mean, cosines x -2": partial(attend_by_mean, sharpness=-2),
    "attention to each other, cosines x 5": partial(attend_to_each_other, sharpness=5),
}


def run_attention(arguments):
    corpus, _ = read_token_lists(arguments.corpus)
    positive, negative = map(read_lines, (arguments.positive, arguments.negative))
    sentences = positive + negative
    y = np.repeat([1, 0], [len(positive), len(negative)])
    word2vec = Word2VecTransformer(100, random_state=0).fit(corpus + sentences)
    known = word2vec.word_vectors_
    words = [
        known[[w for w in sentence if w in known.vocabulary]] for sentence in sentences
    ]
    folds = StratifiedKFold(arguments.n_folds, shuffle=True, random_state=0)
    print("| pooling | accuracy |\n| --- | ---: |")
    for name, pool in ATTENTION.items():
        X = np.stack([pool(w if len(w) else np.zeros((1, 100))) for w in words])
        model = make_pipeline(
            StandardScaler(), LogisticRegression(C=0.1, max_iter=1000)
        )
        scores = cross_val_score(model, X, y, cv=folds)
        print(f"| {name} | {100 * scores.mean():.1f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, dest="command")
    speed = commands.add_parser("speed")
    speed.add_argument("corpus")
    speed.add_argument("--n-documents", type=int, default=40_000)
    speed.add_argument("--rounds", type=int, default=5)
    speed.set_defaults(run=run_speed)
    for command, run in (("accuracy", run_accuracy), ("attention", run_attention)):
        accuracy = commands.add_parser(command)
        for name in ("corpus", "positive", "negative"):
            accuracy.add_argument(name)
        accuracy.add_argument("--n-folds", type=int, default=10)
        accuracy.set_defaults(run=run)
    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == "__main__":
    main()
