"""Train and apply fastText's classifier, in an environment of its own (NumPy below 2).

Reads a task as JSON from standard input, and writes what came of it to standard output.
"""

import contextlib
import json
import sys
from time import process_time

PREFIX = "__label__"
N_PREDICT = 3  # the quickest of so many calls counts


def main():
    import fasttext

    task = json.load(sys.stdin)
    with contextlib.redirect_stdout(sys.stderr):
        start = process_time()
        model = fasttext.train_supervised(task["train"], **task["parameters"])
        fit, predict = process_time() - start, []
        for _ in range(N_PREDICT):
            start = process_time()
            labels, _ = model.predict(task["documents"])
            predict.append(process_time() - start)
    answer = {
        "fit": fit,
        "predict": min(predict),
        "labels": [label[0].removeprefix(PREFIX) for label in labels],
    }
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
