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
    """CPU seconds of each function: the least of rounds in which all take turns."""
    seconds = [[] for _ in functions]
    for _ in range(n_repeats):
        for function, times in zip(functions, seconds, strict=True):
            start = process_time()
            function(documents)
            times.append(process_time() - start)
    return [min(times) for times in seconds]


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
    line = "{:18} {:14} {:>13} {:>21} {:>18} {:>9}"
    header = ["input", "task"]
    header += [f"{name}, CPU s" for name in ("skml", "scikit-learn", "Python loop")]
    header.append("speed-up")
    print(line.format(*header))
    rows = []

    def compare(name, task, documents, functions):
        check_same([function(documents) for function in functions])
        seconds = time_in_turn(documents, functions, arguments.n_repeats)
        cells = [f"{used:.3f}" for used in seconds]
        cells += [""] * (3 - len(cells))
        rows.append([name, task, *cells, f"{seconds[1] / seconds[0]:.2f}"])
        print(line.format(*rows[-1]), flush=True)

    for name, parameters in SETTINGS.items():
        ours, theirs = TfidfWeighter(**parameters), TfidfVectorizer(**parameters)
        loop = [python_loop] if name == "words" else []
        functions = [ours.fit_transform, theirs.fit_transform, *loop]
        compare(name, "fit_transform", strings, functions)
        compare(name, "transform", strings, [ours.transform, theirs.transform])
        hashing = HashingVectorizer(**parameters)
        ours = TfidfWeighter(n_features=hashing.n_features, use_idf=False, **parameters)
        compare(name, "hashing", strings, [ours.transform, hashing.transform])
    theirs = TfidfVectorizer(analyzer=list)
    functions = [TfidfWeighter().fit_transform, theirs.fit_transform]
    compare("token lists", "fit_transform", tokens, [*functions, python_loop_on_tokens])
    for name, parameters in SETTINGS.items():
        seconds = []
        for n_jobs in (1, 2):
            weighter = TfidfWeighter(**parameters, n_jobs=n_jobs)
            runs = range(arguments.n_repeats)
            seconds.append(min(wall_seconds(weighter, strings) for _ in runs))
        print(f"{name}: two threads {seconds[0] / seconds[1]:.2f} x one, by the clock")
    if arguments.save:
        title = f"{len(strings)} documents, {n_tokens} tokens, one thread"
        save("tfidf", describe("scikit-learn"), [data], {title: (header, rows)})


def wall_seconds(weighter, documents):
    start = perf_counter()
    weighter.fit_transform(documents)
    return perf_counter() - start


if __name__ == "__main__":
    main()
