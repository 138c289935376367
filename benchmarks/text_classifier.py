"""Compare FastTextClassifier with fastText: accuracy, and CPU time of fit and predict.

Run it with ::

    python benchmarks/text_classifier.py [FOLDER] --peer PYTHON [--rounds 3] [--save]

where PYTHON is the interpreter of an environment with fasttext-wheel 0.9.2 and NumPy
below 2, and FOLDER holds the sets that `_classified.py` reads: without it, the set is
that of `load_docstrings`. Both train in turn on the same tokens with the same
parameters and one thread. A round shuffles the documents anew, for both, as fastText
takes no seed. benchmarks/README.md says what the numbers mean.
"""

import json
import random
import subprocess
import sys
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory
from time import process_time

from _arguments import positive
from _classified import (
    SETS,
    describe_sets,
    parse_sets,
    parser_beside_fasttext,
    split,
)
from _fasttext_task import N_PREDICT
from _machine import describe, limit_blas
from _results import add_save, save
from _word2vec_report import markdown

from skml.text import FastTextClassifier

_HEADER = [
    *("set", "documents", "classes", "tokens", "accuracy, skml", "accuracy, fastText"),
    *("fit, CPU s", "x fit", "predict, CPU s", "x predict"),
    "M tokens x epochs a CPU s",
]
_LOSSES = {"softmax": "softmax", "hierarchical-softmax": "hs", "one-vs-rest": "ova"}


def run_skml(train, test, seed, arguments):
    model = FastTextClassifier(
        arguments.size,
        ngram_range=(1, arguments.words),
        subwords=arguments.subwords,
        loss=arguments.loss,
        learning_rate=arguments.rate,
        max_iter=arguments.epochs,
        token_pattern=r"\S+",
        lowercase=False,
        random_state=seed,
    )
    start = process_time()
    model.fit(*train)
    fit, predict = process_time() - start, []
    for _ in range(N_PREDICT):
        start = process_time()
        labels = model.predict(test).tolist()
        predict.append(process_time() - start)
    return {"fit": fit, "predict": min(predict), "labels": labels}


def run_fasttext(train, test, seed, arguments):
    subwords = arguments.subwords or (0, 0)
    with TemporaryDirectory() as folder:
        path = Path(folder, "train.txt")
        lines = [f"__label__{y} {x}\n" for x, y in zip(*train, strict=True)]
        path.write_text("".join(lines), "utf-8")
        parameters = {
            "lr": arguments.rate,
            "dim": arguments.size,
            "epoch": arguments.epochs,
            "wordNgrams": arguments.words,
            "minn": subwords[0],
            "maxn": subwords[1],
            "minCount": 1,
            "loss": _LOSSES[arguments.loss],
            "bucket": 2_000_000,
            "thread": 1,
            "verbose": 0,
        }
        task = {"train": str(path), "parameters": parameters, "documents": test}
        peer = Path(__file__).with_name("_fasttext_task.py")
        run = subprocess.run(
            [arguments.peer, "-I", str(peer)],
            input=json.dumps(task),
            capture_output=True,
            text=True,
            check=False,
        )
    if run.returncode:
        sys.exit(f"fastText failed:\n{run.stderr}")
    return json.loads(run.stdout)


RUN = {"skml": run_skml, "fastText": run_fasttext}


def compare(name, arguments):
    """A line of the table: accuracies of both, and how much time they took."""
    X, y, X_test, y_test = split(*SETS[name](arguments.folder))
    n_tokens = sum(len(x.split()) for x in X)
    n_classes = len(set(y))
    results = {library: [] for library in RUN}
    for seed in range(arguments.rounds):
        order = list(range(len(X)))
        random.Random(seed).shuffle(order)
        train = [X[i] for i in order], [y[i] for i in order]
        for library, run in RUN.items():
            result = run(train, X_test, seed, arguments)
            pairs = zip(result.pop("labels"), y_test, strict=True)
            result["accuracy"] = mean(a == b for a, b in pairs)
            results[library].append(result)
    cells = [name, f"{len(X):,}", f"{n_classes}", f"{n_tokens:,}"]
    for library in RUN:
        scores = [100 * r["accuracy"] for r in results[library]]
        cells.append(f"{mean(scores):.2f} ({min(scores):.2f} to {max(scores):.2f})")
    least = {
        (library, what): min(r[what] for r in results[library])
        for library in RUN
        for what in ("fit", "predict")
    }
    for what in ("fit", "predict"):
        ratio = least["fastText", what] / least["skml", what]
        cells.append(f"{least['skml', what]:.3f}")
        cells.append(f"**{ratio:.1f}**")
    speed = n_tokens * arguments.epochs / least["skml", "fit"] / 1e6
    cells.append(f"{speed:.2f}")
    return cells


def peer_version(python):
    """The version of fastText's package in the environment of an interpreter."""
    code = "from importlib.metadata import version; print(version('fasttext-wheel'))"
    return subprocess.check_output([python, "-I", "-c", code], text=True).strip()


def pair(text):
    low, high = map(int, text.split(","))
    return low, high


def main():
    parser = parser_beside_fasttext(__doc__)
    add = parser.add_argument
    add("--rounds", type=positive, default=3)
    add("--words", type=positive, default=2, help="the longest n-gram of words")
    add("--subwords", type=pair, default=None, help="n-grams of characters, as 3,6")
    add("--epochs", type=positive, default=25)
    add("--rate", type=float, default=0.5, help="the learning rate")
    add("--loss", choices=_LOSSES, default="softmax")
    add_save(parser)
    arguments = parse_sets(parser)
    limit_blas()
    machine = {**describe("joblib"), "fasttext-wheel": peer_version(arguments.peer)}
    print(", ".join(f"{k} {v}" for k, v in machine.items()))
    rows = []
    for name in arguments.sets:
        rows.append(compare(name, arguments))
        print(" ".join(rows[-1]), file=sys.stderr, flush=True)
    print("\n" + markdown(_HEADER, rows))
    if arguments.save:
        data = describe_sets(arguments.sets, arguments.folder)
        title = f"{arguments.epochs} epochs, {arguments.rounds} rounds, one thread"
        save("text_classifier", machine, data, {title: (_HEADER, rows)})


if __name__ == "__main__":
    main()
