"""Train tiny models with fastText, or ask models, in an environment of its own.

    PYTHON _fasttext_models.py train FOLDER
    PYTHON _fasttext_models.py ask FOLDER QUESTIONS

needs fasttext-wheel 0.9.2 and NumPy below 2. `train` reads the corpora ``few.txt``,
``many.txt`` and ``plain.txt`` of the folder; `ask` writes the answers of each model to
``NAME.json`` and ``NAME.npz``.
"""

import json
import sys
from itertools import product
from pathlib import Path

import fasttext
import numpy as np

_COMMON = {"thread": 1, "verbose": 0}
_UNSUPERVISED = {
    "skip-gram": {"model": "skipgram", "bucket": 20_000},
    "cbow": {"model": "cbow", "bucket": 500, "minn": 1, "maxn": 3},
    "cbow-whole-words": {"model": "cbow", "maxn": 0, "loss": "hs"},
}
_NGRAMS = {
    "words": {"bucket": 3000},
    "pairs": {"bucket": 3000, "wordNgrams": 2},
    "characters": {"bucket": 3000, "wordNgrams": 3, "minn": 2, "maxn": 4},
}
_QUANTISED = {
    "norms": {"qnorm": True},
    "odd": {"dsub": 3},
    "output": {"qnorm": True, "qout": True},
    "pruned": {"cutoff": 1500},
    "pruned-norms": {"cutoff": 1000, "qnorm": True},
}
# A quantised output needs so many labels.
_LEAST_LABELS = 256


def train(folder):
    for name, parameters in _UNSUPERVISED.items():
        corpus = str(folder / "plain.txt")
        parameters = {"dim": 12, "epoch": 3, "minCount": 2, **parameters}
        model = fasttext.train_unsupervised(corpus, **parameters, **_COMMON)
        model.save_model(str(folder / f"{name}.bin"))
    for corpus, loss, ngrams in product(
        ("few", "many"), ("softmax", "hs", "ova", "ns"), _NGRAMS
    ):
        model = _classifier(folder, corpus, loss=loss, **_NGRAMS[ngrams])
        model.save_model(str(folder / f"{corpus}-{loss}-{ngrams}.bin"))
    for corpus, kind, ngrams in product(("few", "many"), _QUANTISED, _NGRAMS):
        model = _classifier(folder, corpus, **_NGRAMS[ngrams])
        options = _QUANTISED[kind]
        if "qout" in options and len(model.get_labels()) < _LEAST_LABELS:
            continue
        model.quantize(**options, thread=1)
        model.save_model(str(folder / f"{corpus}-{kind}-{ngrams}.ftz"))


def _classifier(folder, corpus, **parameters):
    path = str(folder / f"{corpus}.txt")
    return fasttext.train_supervised(path, dim=10, epoch=5, **parameters, **_COMMON)


def ask(folder, questions):
    questions = json.loads(Path(questions).read_text("utf-8"))
    for path in sorted([*folder.glob("*.bin"), *folder.glob("*.ftz")]):
        model = fasttext.load_model(str(path))
        words = model.get_words()
        asked = words[1 : questions["n_neighbours"] + 1] + questions["unseen"][:3]
        names = {
            "words": words,
            "neighbours": {w: model.get_nearest_neighbors(w, k=10) for w in asked},
        }
        numbers = {
            "vectors": _vectors(model, words),
            "unseen": _vectors(model, questions["unseen"]),
        }
        if path.name.startswith(("few", "many", "learned")):
            texts = questions["texts"]
            names["labels"] = model.get_labels()
            numbers["probabilities"] = _probabilities(model, texts)
            numbers["sentences"] = np.array([*map(model.get_sentence_vector, texts)])
        path.with_name(f"{path.name}.json").write_text(json.dumps(names))
        np.savez(path.with_name(f"{path.name}.npz"), **numbers)


def _vectors(model, words):
    return np.array([model.get_word_vector(word) for word in words])


def _probabilities(model, texts):
    """A column for each label; 0 for what is left out."""
    columns = {label: i for i, label in enumerate(model.get_labels())}
    found = np.zeros((len(texts), len(columns)))
    for row, text in zip(found, texts, strict=True):
        labels, proba = model.predict(text, k=-1)
        row[[columns[label] for label in labels]] = proba
    return found


if __name__ == "__main__":
    # It prints what was changed between its versions.
    fasttext.FastText.eprint = lambda text: None
    task, folder, *rest = sys.argv[1:]
    {"train": train, "ask": ask}[task](Path(folder), *rest)
