"""Compare word2vec of this package and of gensim: speed, quality, memory.

Run it with ::

    python benchmarks/word2vec.py speed [CORPUS] [--save]
    python benchmarks/word2vec.py end-to-end CORPUS
    python benchmarks/word2vec.py text [CORPUS] [--save]
    python benchmarks/word2vec.py threads CORPUS
    python benchmarks/word2vec.py quality CORPUS --analogies FILE --similarities FILE...
    python benchmarks/word2vec.py memory CORPUS

where CORPUS is a text file with one document a line and blanks between tokens; .xz,
.gz and .bz2 are opened as they are. Without it, the documents are those of
`load_docstrings`. benchmarks/README.md says what the numbers mean.
"""

import argparse
import sys
from itertools import product
from pathlib import Path
from statistics import mean

import _word2vec_report as tables
from _arguments import existing_file, positive
from _documents import read_token_lists
from _machine import describe, limit_blas, now, since
from _results import add_save, describe_file, docstring_lines, save
from _word2vec_memory import measure_peak
from _word2vec_models import (
    MODES,
    TRAIN,
    TRAIN_ON_TEXT,
    Setting,
    make_skml,
    tokens_gensim_skips,
)
from _word_evaluation import score_analogies, score_similarities
from sklearn.feature_extraction.text import CountVectorizer

from skml.metrics import load_word_analogies, load_word_similarities
from skml.text import WordVectors

_SUMMARY, _, _DETAILS = __doc__.partition("\n\n")
_BUSY = 0.1
_SAVED = ("speed", "text")


def train_in_turn(
    documents, arguments, report, variants, seeds, evaluate=None, train=TRAIN
):
    """Train every variant, a pair of library and threads, then the next round.

    What the machine does meanwhile then falls on all alike.
    """
    rounds = product(arguments.sizes, arguments.modes, seeds, variants)
    for size, mode, seed, (library, n_jobs) in rounds:
        setting = Setting(mode, size, arguments.epochs, n_jobs, seed)
        trained = train[library](documents, setting)
        record = {
            "library": library,
            **setting._asdict(),
            "training": trained.training._asdict(),
            "whole": trained.whole._asdict(),
            "others": trained.whole.others_per_second,
        }
        if evaluate is not None:
            record["quality"] = evaluate(trained)
        report.add(record)


def both(n_jobs):
    return [(library, n_jobs) for library in TRAIN]


def speed(arguments, report):
    n_tokens = report.header["corpus"]["n_tokens"] * arguments.epochs
    return tables.speed(report.records, n_tokens)


def kept(name, arguments, report, titles):
    """The tables as text; with --save, they are kept under the name as well."""
    if arguments.save:
        save(name, report.header["machine"], report.header["data"], titles)
    return "\n\n".join(f"{t}\n\n{tables.markdown(*each)}" for t, each in titles.items())


def run_speed(arguments, documents, report):
    seeds = range(arguments.rounds)
    train_in_turn(documents, arguments, report, both(arguments.n_jobs), seeds)
    n_tokens = report.header["corpus"]["n_tokens"]
    title = f"training: {len(documents)} documents, {n_tokens} tokens"
    return kept("word2vec_modes", arguments, report, {title: speed(arguments, report)})


def run_end_to_end(arguments, documents, report):
    seeds = range(arguments.rounds)
    train_in_turn(documents, arguments, report, both(arguments.n_jobs), seeds)
    return tables.markdown(*tables.end_to_end(report.records))


def run_text(arguments, documents, report):
    texts = [" ".join(tokens) for tokens in documents]
    seeds = range(arguments.rounds)
    variants = both(arguments.n_jobs)
    train_in_turn(texts, arguments, report, variants, seeds, train=TRAIN_ON_TEXT)
    setting = Setting(arguments.modes[0], arguments.sizes[0], 1, arguments.n_jobs)
    model = make_skml(setting).fit(texts)
    n_tokens = sum(map(len, map(CountVectorizer().build_analyzer(), texts)))
    seconds = []
    for _ in range(5 * arguments.rounds):
        start = now()
        model.transform(texts)
        seconds.append(since(start).cpu)
    speeds = [f"{n_tokens / s / 1e6:.1f}" for s in (min(seconds), max(seconds))]
    fit = tables.end_to_end(report.records)
    transform = ["fastest round", "slowest round"], [speeds]
    titles = {
        f"fit: {len(texts)} documents, {n_tokens} tokens, one thread": fit,
        "transform: M tokens per CPU second": transform,
    }
    return kept("word2vec", arguments, report, titles)


def run_threads(arguments, documents, report):
    if arguments.n_jobs == 1:
        sys.exit("threads compares one thread with several: --n-jobs 2 or more")
    variants = [("skml", 1), ("skml", arguments.n_jobs)]
    train_in_turn(documents, arguments, report, variants, range(arguments.rounds))
    busiest = max(record["others"] for record in report.records)
    verdict = "the speed-up can be trusted"
    if not busiest <= _BUSY:
        verdict = f"more than {_BUSY}: the speed-up is too low, repeat it"
    table = tables.threads_table(report.records, arguments.n_jobs)
    return f"{table}\n\nOther processes kept {busiest:.2f} processors busy; {verdict}."


def run_quality(arguments, documents, report):
    questions = load_word_analogies(arguments.analogies)
    pairs = {
        Path(path).name: load_word_similarities(path) for path in arguments.similarities
    }
    words = []

    def evaluate(trained):
        # One order for all: words of equal count are ranked differently, which would
        # let different words into the most frequent.
        words[:] = words or trained.words
        word_vectors = WordVectors(trained.vectors_of(words), words)
        return score(word_vectors, questions, pairs, arguments.top_words)

    train_in_turn(
        documents, arguments, report, both(arguments.n_jobs), arguments.seeds, evaluate
    )
    runs = tables.runs_table(report.records)
    coverage = report.records[0]["quality"]["coverage"]
    shown = ", ".join(f"{name} {percent:.1f} %" for name, percent in coverage.items())
    summary = tables.quality_table(report.records)
    seconds = tables.markdown(*speed(arguments, report))
    return f"Coverage: {shown}\n\n{runs}\n\n{summary}\n\n{seconds}"


def score(word_vectors, questions, pairs, n_top):
    """All that is known about how good the vectors are, in percent."""
    scores = score_analogies(word_vectors, questions, n_top)
    coverage = {"analogies": scores.pop("coverage")}
    correlations = {}
    for name, pairs_of_set in pairs.items():
        correlations[name], coverage[name] = score_similarities(
            word_vectors, pairs_of_set
        )
    return {
        **scores,
        "similarity": mean(correlations.values()),
        "correlations": correlations,
        "coverage": coverage,
    }


def run_memory(arguments, documents, report):
    if sys.platform != "linux":
        sys.exit("memory reads /proc, which only Linux has")
    runs = product(arguments.sizes, arguments.modes, both(arguments.n_jobs))
    for size, mode, (library, n_jobs) in runs:
        setting = Setting(mode, size, arguments.epochs, n_jobs)
        memory = measure_peak(library, arguments.corpus, arguments.max_tokens, setting)
        report.add({"library": library, **setting._asdict(), "memory": memory})
    return tables.memory_table(report.records)


def make_parser():
    parser = argparse.ArgumentParser(
        description=_SUMMARY,
        epilog=_DETAILS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    first = list(MODES)[:1]
    for name, run, defaults in (
        ("speed", run_speed, {"sizes": [100, 300]}),
        ("end-to-end", run_end_to_end, {"modes": first, "epochs": 5}),
        ("text", run_text, {"modes": first}),
        ("threads", run_threads, {"modes": first, "n_jobs": 2}),
        ("quality", run_quality, {"epochs": 5}),
        ("memory", run_memory, {"modes": first}),
    ):
        command = commands.add_parser(
            name, formatter_class=argparse.ArgumentDefaultsHelpFormatter
        )
        command.set_defaults(run=run)
        add_common_arguments(command, name, **defaults)
    return parser


def add_common_arguments(
    command, name, *, sizes=(100,), modes=tuple(MODES), epochs=1, n_jobs=1
):
    add = command.add_argument
    optional = {"nargs": "?"} if name in _SAVED else {}
    add("corpus", **optional, type=existing_file, help="a text file, a document a line")
    add("--max-tokens", type=int, default=3_500_000, help="0 takes the whole corpus")
    add("--sizes", type=positive, nargs="+", default=sizes, help="vector sizes")
    add("--modes", choices=MODES, nargs="+", default=modes, help="what to train")
    add("--epochs", type=positive, default=epochs, help="passes over the corpus")
    add("--n-jobs", type=positive, default=n_jobs, help="threads")
    add("--json", help="file for the numbers of every single run")
    if name == "quality":
        add("--analogies", type=existing_file, required=True, help="questions-words")
        add("--similarities", type=existing_file, nargs="+", required=True)
        add("--seeds", type=int, nargs="+", default=[1, 2], help="a model for each")
        add("--top-words", type=positive, default=30_000, help="for the analogies")
    elif name != "memory":
        add("--rounds", type=positive, default=3, help="both in turn, so many times")
    if name in _SAVED:
        add_save(command)


def read_corpus(path, max_tokens):
    """Token lists, their number, and a description of the corpus."""
    if path is None:
        lines, description = docstring_lines()
        documents = [line.split() for line in lines]
        return documents, sum(map(len, documents)), description
    return *read_token_lists(path, max_tokens), describe_file(path)


def main():
    arguments = make_parser().parse_args()
    arguments.max_tokens = arguments.max_tokens or None
    limit_blas()
    documents, n_tokens, data = read_corpus(arguments.corpus, arguments.max_tokens)
    machine = describe()
    corpus = {
        "documents": len(documents),
        "n_tokens": n_tokens,
        "beyond gensim's longest document": tokens_gensim_skips(documents),
    }
    shown = {k: v for k, v in vars(arguments).items() if k != "run"}
    for title, entries in {
        "Machine": machine,
        "Corpus": corpus,
        "Arguments": shown,
    }.items():
        print(f"{title}: " + ", ".join(f"{k} {v}" for k, v in entries.items()))
    report = tables.Report(
        arguments.json, machine=machine, corpus=corpus, data=[data], arguments=shown
    )
    print(f"\n{arguments.run(arguments, documents, report)}")


if __name__ == "__main__":
    main()
