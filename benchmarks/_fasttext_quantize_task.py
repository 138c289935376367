"""Quantise a model with fastText, in an environment of its own (NumPy below 2).

Reads a task as JSON from standard input, and writes what came of it to standard output:
for each number of features, the CPU seconds, the bytes of the file, and the
probabilities of the labels of documents.
"""

import contextlib
import json
import sys
from pathlib import Path
from time import process_time

PREFIX = "__label__"


def quantize(task, n_features):
    import fasttext

    model = fasttext.load_model(task["model"])
    start = process_time()
    model.quantize(cutoff=n_features or 0, qnorm=True, dsub=task["dsub"], thread=1)
    seconds = process_time() - start
    path = Path(task["model"]).with_suffix(".ftz")
    model.save_model(str(path))
    answers = [model.predict(text, k=-1) for text in task["documents"]]
    return {
        "seconds": seconds,
        "bytes": path.stat().st_size,
        "probabilities": [
            {
                label.removeprefix(PREFIX): float(p)
                for label, p in zip(*answer, strict=True)
            }
            for answer in answers
        ],
    }


def main():
    import fasttext

    # It prints what was changed between its versions.
    fasttext.FastText.eprint = lambda text: None
    task = json.load(sys.stdin)
    with contextlib.redirect_stdout(sys.stderr):
        answer = [quantize(task, n) for n in task["n_features"]]
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
