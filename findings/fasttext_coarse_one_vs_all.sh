#!/usr/bin/env bash
# fastText's probabilities of loss="ova" are coarse: off by up to .008, and equal in steps.
#
# Expected: with one logistic regression a label (loss="ova"), the probability of a label is
# the logistic function of the product of its vector and the sentence's, to the precision of
# float32, as the softmax of these products is.
# Seen: the logistic function is looked up in a table of 512 steps between -8 and 8, rounded
# down: probabilities are off by up to .0078, and texts whose products differ by .03 have
# the same one. Those of the softmax are exact.
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
words = [f"w{i}" for i in range(40)]
with open("train.txt", "w") as file:
    for _ in range(400):
        chosen = random.choices(words, k=6)
        label = "a" if sum(int(w[1:]) for w in chosen) > 120 else "b"
        file.write(f"__label__{label} {' '.join(chosen)}\n")
texts = [" ".join(random.choices(words, k=6)) for _ in range(1000)]


def largest_error(loss):
    """Of the probabilities of all labels; fastText adds 1e-5 to each."""
    model = fasttext.train_supervised(
        "train.txt", dim=8, epoch=5, lr=0.3, loss=loss, thread=1, verbose=0
    )
    scores = np.array([model.get_sentence_vector(text) for text in texts])
    scores = scores @ model.get_output_matrix().T
    if loss == "ova":
        expected = 1 / (1 + np.exp(-scores))
    else:
        expected = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    labels, found = model.predict(texts, k=2)
    order = model.get_labels()
    return max(
        abs(p - 1e-5 - expected[i, order.index(label)])
        for i in range(len(texts))
        for label, p in zip(labels[i], found[i])
    )


one_vs_all, softmax = largest_error("ova"), largest_error("softmax")
print("fasttext-wheel 0.9.2")
print("expected: probabilities off by at most 1e-6 with either loss")
print(f"seen:     off by {one_vs_all:.4f} with ova, by {softmax:.1e} with softmax")
sys.exit(not (one_vs_all > 0.004 and softmax < 1e-6))
PYTHON
