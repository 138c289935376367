"""Train and apply fastText's classifier, in an environment of its own (NumPy below 2).

Reads a task as JSON from standard input, and writes what came of it to standard output.
"""

import contextlib
import json
import sys
from time import process_time

import fasttext

PREFIX = "__label__"


def main():
    task = json.load(sys.stdin)
    with contextlib.redirect_stdout(sys.stderr):
        start = process_time()
        model = fasttext.train_supervised(task["train"], **task["parameters"])
        trained = process_time()
        labels, _ = model.predict(task["documents"])
        predicted = process_time()
    answer = {
        "fit": trained - start,
        "predict": predicted - trained,
        "labels": [label[0].removeprefix(PREFIX) for label in labels],
    }
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
