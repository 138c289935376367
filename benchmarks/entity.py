"""Compare entity scores of this package and of seqeval, lenient and strict.

Run it with ::

    python benchmarks/entity.py [CORPUS] [--column -1] [--n-sequences 20000]
        [--length 25] [--share .05] [--rounds 5] [--save]

where CORPUS is a file in CoNLL's format: a token and its tag in columns, BIO, with
blank lines between sequences. Without one, the tags are made at random. Predictions are
the true tags of which a --share is exchanged at random. Both score the same lists
in turn, and their results are compared before anything is timed.
"""

import argparse
from functools import partial
from itertools import product
from statistics import median

import numpy as np
from _arguments import existing_file, positive
from _machine import describe, now, since
from _results import add_save, describe_file, save
from _word2vec_report import markdown
from seqeval import metrics as seqeval
from seqeval.scheme import IOB2

from skml.metrics import entity_classification_report, entity_f1_score

READINGS = {
    "lenient": ({}, {}),
    "strict": (
        {"scheme": "BIO", "mode": "strict"},
        {"scheme": IOB2, "mode": "strict"},
    ),
}
IN_REPORT = {"output_dict": True, "zero_division": 0}
SCORES = {
    "F1, micro": (entity_f1_score, seqeval.f1_score),
    "report": (
        partial(entity_classification_report, **IN_REPORT),
        partial(seqeval.classification_report, **IN_REPORT),
    ),
}


def read_tags(path, column):
    """The tags of each sequence of a file."""
    sequences = [[]]
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                sequences[-1].append(line.split()[column])
            elif sequences[-1]:
                sequences.append([])
    return [tags for tags in sequences if tags]


def make_tags(n_sequences, length):
    """About one token in five is of an entity, of one to three tokens."""
    rng = np.random.default_rng(0)
    kinds = ["PER", "LOC", "ORG", "MISC"]
    sequences = []
    for _ in range(n_sequences):
        tags = []
        while len(tags) < length:
            kind = kinds[rng.integers(len(kinds))]
            entity = [f"B-{kind}", *[f"I-{kind}"] * rng.integers(3)]
            tags += entity if rng.random() < 0.12 else ["O"]
        sequences.append(tags[:length])
    return sequences


def exchange(sequences, share):
    """Put other tags of the corpus, each as likely, in the place of some."""
    rng = np.random.default_rng(1)
    others = sorted({tag for tags in sequences for tag in tags})
    return [
        [others[rng.integers(len(others))] if rng.random() < share else t for t in tags]
        for tags in sequences
    ]


def check_same(ours, peer):
    if isinstance(ours, dict):
        assert ours.keys() == peer.keys()
        for name, row in ours.items():
            assert np.allclose(
                list(row.values()), list(peer[name].values()), atol=1e-12
            )
    else:
        assert abs(ours - peer) < 1e-12


def measure(runs, rounds):
    """CPU seconds of both, round by round."""
    check_same(*(run() for run in runs))
    spent = []
    for _ in range(rounds):
        spent.append([])
        for run in runs:
            moment = now()
            run()
            spent[-1].append(since(moment))
    return spent


def row(name, mode, spent):
    """A line of the table: medians, and the ratios of the rounds."""
    ratios = [peer.cpu / ours.cpu for ours, peer in spent]
    seconds = [
        f"{median(step.cpu for step in steps):.3f}"
        for steps in zip(*spent, strict=True)
    ]
    return [
        name,
        mode,
        *seconds,
        f"**{median(ratios):.1f}** ({min(ratios):.1f} to {max(ratios):.1f})",
        f"{median(peer.wall / ours.wall for ours, peer in spent):.1f}",
        f"{max(step.others_per_second for steps in spent for step in steps):.2f}",
    ]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpus", nargs="?", type=existing_file)
    parser.add_argument("--column", type=int, default=-1)
    parser.add_argument("--n-sequences", type=positive, default=20_000)
    parser.add_argument("--length", type=positive, default=25)
    parser.add_argument("--share", type=float, default=0.05)
    parser.add_argument("--rounds", type=positive, default=5)
    add_save(parser)
    arguments = parser.parse_args()
    machine = describe("seqeval")
    for title, entries in {"Machine": machine, "Arguments": vars(arguments)}.items():
        print(f"{title}: " + ", ".join(f"{k} {v}" for k, v in entries.items()))
    if arguments.corpus is None:
        y_true = make_tags(arguments.n_sequences, arguments.length)
    else:
        y_true = read_tags(arguments.corpus, arguments.column)
    y_pred = exchange(y_true, arguments.share)
    n_tags = sum(map(len, y_true))
    f1 = entity_f1_score(y_true, y_pred)
    print(f"Corpus: {len(y_true)} sequences, {n_tags} tags, F1 {f1:.4f}")
    rows = []
    for (name, scores), (mode, readings) in product(SCORES.items(), READINGS.items()):
        runs = [
            partial(score, y_true, y_pred, **reading)
            for score, reading in zip(scores, readings, strict=True)
        ]
        rows.append(row(name, mode, measure(runs, arguments.rounds)))
    header = ["score", "mode", "skml, CPU s", "seqeval, CPU s", "x CPU", "x wall"]
    header.append("others")
    print("\n" + markdown(header, rows))
    if arguments.save:
        path = arguments.corpus
        data = [] if path is None else [describe_file(path)]
        title = f"{len(y_true)} sequences, {n_tags} tags, one thread"
        save("entity", machine, data, {title: (header, rows)})


if __name__ == "__main__":
    main()
