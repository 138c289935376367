#!/usr/bin/env bash
# fastText's quantize(cutoff=) keeps the labels, and makes the probabilities far too sure.
#
# Expected: a model of fewer words and n-grams knows less of a text, and its probabilities
# are no more extreme than before.
# Seen: what was left out no longer counts in the mean of a text, so that the few vectors
# that stay, which are the longest ones, are divided by a smaller number: accuracy is nearly
# the same, and the mean log loss on unseen texts is half as large again, or more.
# Quantisation without a cutoff does not change it.
#
# Exits with 0 while that is so. Needs Python 3.11 as python3.11.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet fasttext-wheel==0.9.2 "numpy==1.26.4"
cd "$folder"
"$folder/venv/bin/python" - 2>/dev/null <<'PYTHON'
import random
import sys

import fasttext
import numpy as np

random.seed(0)
words = [f"w{i}" for i in range(3000)]
# Of each word, how much more often it is in texts of one class.
tilt = [random.uniform(0.25, 0.75) for _ in words]


def text():
    label = random.random() < 0.5
    chosen = []
    while len(chosen) < 20:
        i = random.randrange(len(words))
        if random.random() < (tilt[i] if label else 1 - tilt[i]):
            chosen.append(words[i])
    return " ".join(chosen), "a" if label else "b"


with open("train.txt", "w") as file:
    for _ in range(3000):
        line, label = text()
        file.write(f"__label__{label} {line}\n")
test = [text() for _ in range(1000)]


def quality(model):
    """Accuracy and mean log loss."""
    labels, probabilities = model.predict([line for line, _ in test], k=2)
    right = [
        p[list(names).index(f"__label__{label}")]
        for names, p, (_, label) in zip(labels, probabilities, test)
    ]
    return np.mean(np.array(right) > 0.5), -np.log(np.clip(right, 1e-6, 1)).mean()


def learned():
    return fasttext.train_supervised(
        "train.txt", dim=16, epoch=10, lr=0.3, wordNgrams=2, bucket=50000, thread=1,
        verbose=0,
    )


whole = quality(learned())
quantized, pruned = learned(), learned()
quantized.quantize(input="train.txt", qnorm=True)
pruned.quantize(input="train.txt", cutoff=1000, qnorm=True)
quantized, pruned = quality(quantized), quality(pruned)
print("fasttext-wheel 0.9.2")
print("expected: accuracy and log loss of a pruned model near those of the whole one")
print(
    "seen:     whole {:.3f}, {:.2f}; quantised {:.3f}, {:.2f}; and pruned {:.3f}, "
    "{:.2f}".format(*whole, *quantized, *pruned)
)
sys.exit(
    not (
        pruned[0] > whole[0] - 0.06
        and pruned[1] > 1.5 * whole[1]
        and quantized[1] < 1.1 * whole[1]
    )
)
PYTHON
