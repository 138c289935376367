"""Time tf-idf weights: this package, scikit-learn and a plain Python loop.

They run in turn, several times over, on the same documents: once as strings, for words
and n-grams, and once as lists of tokens. Run it with ::

    python benchmarks/tfidf.py [CORPUS] [--n-documents N] [--n-repeats R] [--save]

where CORPUS is a text file with one document a line; .xz, .gz and .bz2 are opened
as they are. Without it, the documents are those of `load_docstrings`.
"""

import argparse
import math
import re
import sys
from collections import Counter
from itertools import islice
from statistics import median
from time import perf_counter, process_time

from _documents import open_text
from _machine import describe
from _results import add_save, describe_file, docstring_lines, save
from sklearn.feature_extraction.text import HashingVectorizer, TfidfVectorizer

from skml.text import TfidfWeighter

_WORD = re.compile(r"(?u)\b\w\w+\b")


def read_documents(path, n_documents):
    """Read the lines of a text file that hold at least one word."""
    with open_text(path) as lines:
        documents = (line.strip() for line in lines)
        return list(islice(filter(_WORD.search, documents), n_documents))


def read_corpus(arguments):
    """The documents, and their description."""
    if arguments.corpus is None:
        lines, description = docstring_lines()
        return lines[: arguments.n_documents], description
    documents = read_documents(arguments.corpus, arguments.n_documents)
    return documents, describe_file(arguments.corpus)


def tokenize(document):
    return _WORD.findall(document.lower())


SETTINGS = {
    "words": {},
    "words, 1-2-grams": {"ngram_range": (1, 2)},
    "characters, 3-5": {"analyzer": "char", "ngram_range": (3, 5)},
    "char_wb, 3-5": {"analyzer": "char_wb", "ngram_range": (3, 5)},
}


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


def check_same(results):
    """All must give the same weights, or their times mean nothing."""
    first, second, *rows = results
    if abs(first - second).max() > 1e-12:
        raise AssertionError("this package and scikit-learn disagree")
    for row in rows:
        total = sum(sum(weights.values()) for weights in row)
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
    parser.add_argument("corpus", nargs="?", help="a text file, one document a line")
    parser.add_argument("--n-documents", type=int, default=None)
    parser.add_argument("--n-repeats", type=int, default=5)
    add_save(parser)
    arguments = parser.parse_args()
    strings, data = read_corpus(arguments)
    if not strings:
        sys.exit(f"{arguments.corpus} holds no line with a word")
    tokens = [tokenize(document) for document in strings]
    n_tokens = sum(map(len, tokens))
    print(f"{len(strings)} documents, {n_tokens} tokens, {arguments.n_repeats} rounds")
    line = "{:18} {:14} {:13} {:>8} {:>15}"
    print(line.format("input", "task", "implementation", "CPU s", "x scikit-learn"))
    n_repeats = arguments.n_repeats
    rows = []

    def compare(name, task, documents, functions):
        check_same([function(documents) for function in functions.values()])
        seconds = time_in_turn(documents, functions.values(), n_repeats)
        for implementation, used in zip(functions, seconds, strict=True):
            ratio = f"{seconds[1] / used:.2f}"
            rows.append([name, task, implementation, f"{used:.3f}", ratio])
            print(line.format(*rows[-1]))

    for name, parameters in SETTINGS.items():
        ours, theirs = TfidfWeighter(**parameters), TfidfVectorizer(**parameters)
        functions = {"skml": ours.fit_transform, "scikit-learn": theirs.fit_transform}
        loop = {"Python loop": python_loop} if name == "words" else {}
        compare(name, "fit_transform", strings, functions | loop)
        functions = {"skml": ours.transform, "scikit-learn": theirs.transform}
        compare(name, "transform", strings, functions)
        hashing = HashingVectorizer(**parameters)
        ours = TfidfWeighter(n_features=hashing.n_features, use_idf=False, **parameters)
        functions = {"skml": ours.transform, "scikit-learn": hashing.transform}
        compare(name, "hashing", strings, functions)
    functions = {
        "skml": TfidfWeighter().fit_transform,
        "scikit-learn": TfidfVectorizer(analyzer=list).fit_transform,
        "Python loop": python_loop_on_tokens,
    }
    compare("token lists", "fit_transform", tokens, functions)
    for name, parameters in SETTINGS.items():
        seconds = []
        for n_jobs in (1, 2):
            weighter = TfidfWeighter(**parameters, n_jobs=n_jobs)
            runs = range(n_repeats)
            seconds.append(min(wall_seconds(weighter, strings) for _ in runs))
        print(f"{name}: two threads {seconds[0] / seconds[1]:.2f} x one, by the clock")
    if arguments.save:
        title = f"{len(strings)} documents, {n_tokens} tokens, one thread"
        header = ["input", "task", "implementation", "CPU s", "speed-up"]
        save("tfidf", describe("scikit-learn"), [data], {title: (header, rows)})


def wall_seconds(weighter, documents):
    start = perf_counter()
    weighter.fit_transform(documents)
    return perf_counter() - start


if __name__ == "__main__":
    main()
