"""Quantise a FastTextClassifier here and with fastText: accuracy, size and CPU time.

Run it with ::

    python benchmarks/quantized.py FOLDER --peer PYTHON [--features 20000 5000]

where PYTHON is the interpreter of an environment with fasttext-wheel 0.9.2 and NumPy
below 2, and FOLDER holds the sets that `_classified.py` reads. The classifier is
trained here once; both quantise the same vectors, in one thread. benchmarks/README.md
says what the numbers mean.
"""

import copy
import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

import numpy as np
from _arguments import positive
from _classified import SETS, parse_sets, parser_beside_fasttext, split
from _machine import describe, limit_blas
from sklearn.metrics import log_loss

from skml.text import FastTextClassifier


def quantize_here(model, documents, features, arguments, path):
    results = []
    for n in features:
        small = copy.copy(model)
        start = process_time()
        small.quantize(n, subvector_size=arguments.subvector)
        seconds = process_time() - start
        small.to_fasttext(path.with_suffix(".ftz"))
        results.append(
            {
                "seconds": seconds,
                "bytes": path.with_suffix(".ftz").stat().st_size,
                "probabilities": small.predict_proba(documents),
            }
        )
    return results


def quantize_there(model, documents, features, arguments, path):
    model.to_fasttext(path)
    task = {
        "model": str(path),
        "n_features": features,
        "dsub": arguments.subvector,
        "documents": documents,
    }
    peer = Path(__file__).with_name("_fasttext_quantize_task.py")
    run = subprocess.run(
        [arguments.peer, "-I", str(peer)],
        input=json.dumps(task),
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        sys.exit(f"fastText failed:\n{run.stderr}")
    results = json.loads(run.stdout)
    for result in results:
        columns = [
            [answer.get(label, 0) for label in model.classes_]
            for answer in result["probabilities"]
        ]
        result["probabilities"] = np.array(columns)
    return results


def score(model, probabilities, y):
    """The accuracy in percent, and the mean logarithm of the loss."""
    accuracy = np.mean(model.classes_[probabilities.argmax(axis=1)] == np.array(y))
    sums = probabilities.sum(axis=1, keepdims=True)
    loss = log_loss(y, probabilities / sums, labels=model.classes_)
    return f"{100 * accuracy:.2f}", f"{loss:.3f}"


def compare(name, arguments):
    X, y, X_test, y_test = split(*SETS[name](arguments.folder))
    model = FastTextClassifier(
        arguments.size,
        n_buckets=arguments.buckets,
        token_pattern=r"\S+",
        lowercase=False,
        random_state=0,
    )
    model.fit(X, y)
    features = [None, *arguments.features]
    with TemporaryDirectory() as folder:
        path = Path(folder, "model.bin")
        there = quantize_there(model, X_test, features, arguments, path)
        n_bytes = path.stat().st_size
        here = quantize_here(model, X_test, features, arguments, path)
    before = score(model, model.predict_proba(X_test), y_test)
    print_row(name, "not quantised", *before, n_bytes, 0, "", "", n_bytes, 0)
    for n, one, other in zip(features, here, there, strict=True):
        print_row(
            name,
            "all" if n is None else f"{n:,}",
            *score(model, one["probabilities"], y_test),
            one["bytes"],
            one["seconds"],
            *score(model, other["probabilities"], y_test),
            other["bytes"],
            other["seconds"],
        )


def print_row(name, n, score, loss, size, seconds, *others):
    other_score, other_loss, other_size, other_seconds = others
    cells = name, n, score, other_score, loss, other_loss
    sizes = f"{size / 1e6:.2f}", f"{other_size / 1e6:.2f}"
    times = (f"{seconds:.1f}", f"{other_seconds:.1f}") if seconds else ("", "")
    print("| " + " | ".join((*cells, *sizes, *times)) + " |", flush=True)


def main():
    parser = parser_beside_fasttext(__doc__)
    add = parser.add_argument
    add("--features", nargs="+", type=positive, default=[20_000, 5000])
    add("--subvector", type=positive, default=2, help="dimensions of a byte")
    add("--buckets", type=positive, default=200_000)
    arguments = parse_sets(parser)
    limit_blas()
    print(", ".join(f"{k} {v}" for k, v in describe("joblib").items()))
    print(
        "\n| set | words and n-grams | accuracy, skml | accuracy, fastText |"
        " log loss, skml | log loss, fastText | MB, skml | MB, fastText |"
        " CPU s, skml | CPU s, fastText |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    )
    for name in arguments.sets:
        compare(name, arguments)


if __name__ == "__main__":
    main()
