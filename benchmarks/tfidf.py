"""Time tf-idf weights: this package, scikit-learn and a plain Python loop.

The three run in turn, several times over, on the same documents: once as strings and
once as lists of tokens. Run it with ::

    python benchmarks/tfidf.py CORPUS [--n-documents N] [--n-repeats R]

where CORPUS is a text file with one document a line; .xz, .gz and .bz2 are opened
as they are.
"""

import argparse
import math
import re
import sys
from collections import Counter
from itertools import islice
from statistics import median
from time import process_time

from _documents import open_text
from sklearn.feature_extraction.text import TfidfVectorizer

from skml.text import TfidfWeighter

_WORD = re.compile(r"(?u)\b\w\w+\b")


def read_documents(path, n_documents):
    """Read the lines of a text file that hold at least one word."""
    with open_text(path) as lines:
        documents = (line.strip() for line in lines)
        return list(islice(filter(_WORD.search, documents), n_documents))


def tokenize(document):
    return _WORD.findall(document.lower())


def ours(documents):
    return TfidfWeighter().fit_transform(documents)


def scikit_learn(documents):
    return TfidfVectorizer().fit_transform(documents)


def scikit_learn_on_tokens(documents):
    return TfidfVectorizer(analyzer=list).fit_transform(documents)


def python_loop(documents):
    """Weigh the terms of strings as one would without a library: a dict each."""
    return python_loop_on_tokens(map(tokenize, documents))


def python_loop_on_tokens(documents):
    counts = [Counter(tokens) for tokens in documents]
    df = Counter(term for count in counts for term in count)
    idf = {
        term: 1 + math.log((1 + len(counts)) / (1 + n_with_term))
        for term, n_with_term in df.items()
    }
    rows = []
    for count in counts:
        row = {term: n * idf[term] for term, n in count.items()}
        norm = math.sqrt(sum(weight * weight for weight in row.values()))
        rows.append({term: weight / norm for term, weight in row.items()})
    return rows


def check_same(documents, functions):
    """All must give the same weights, or their times mean nothing."""
    first, second, rows = (function(documents) for function in functions)
    if abs(first - second).max() > 1e-12:
        raise AssertionError("this package and scikit-learn disagree")
    total = sum(sum(row.values()) for row in rows)
    if not math.isclose(total, first.sum(), rel_tol=1e-9):
        raise AssertionError("this package and the Python loop disagree")


def time_in_turn(documents, functions, n_repeats):
    """CPU seconds of each function: the median over rounds in which all take turns."""
    seconds = [[] for _ in functions]
    for _ in range(n_repeats):
        for function, times in zip(functions, seconds, strict=True):
            start = process_time()
            function(documents)
            times.append(process_time() - start)
    return [median(times) for times in seconds]


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("corpus", help="a text file, one document a line")
    parser.add_argument("--n-documents", type=int, default=None)
    parser.add_argument("--n-repeats", type=int, default=5)
    arguments = parser.parse_args()
    strings = read_documents(arguments.corpus, arguments.n_documents)
    if not strings:
        sys.exit(f"{arguments.corpus} holds no line with a word")
    tokens = [tokenize(document) for document in strings]
    n_tokens = sum(map(len, tokens))
    print(f"{len(strings)} documents, {n_tokens} tokens, {arguments.n_repeats} rounds")
    header = ("input", "implementation", "CPU s", "tokens/s", "x scikit-learn")
    print("{:8} {:15} {:>8} {:>12} {:>15}".format(*header))
    names = ("skml", "scikit-learn", "Python loop")
    for kind, documents, functions in (
        ("strings", strings, (ours, scikit_learn, python_loop)),
        ("tokens", tokens, (ours, scikit_learn_on_tokens, python_loop_on_tokens)),
    ):
        check_same(documents, functions)
        seconds = time_in_turn(documents, functions, arguments.n_repeats)
        for name, used in zip(names, seconds, strict=True):
            speed, ratio = n_tokens / used, seconds[1] / used
            print(f"{kind:8} {name:15} {used:8.3f} {speed:12,.0f} {ratio:15.2f}")


if __name__ == "__main__":
    main()
