"""Which text classifier for which data: accuracy, and CPU time of fit and predict.

Documents of each set are drawn at random, and two thirds of them train. Every model
has its defaults, but for what its name says. Run it with ::

    python benchmarks/text_classifiers.py SET [SET ...] [--tokens SET [SET ...]]
        [--bert FOLDER] [--n-documents N] [--n-seeds R]

where SET is a text file in UTF-8 with one document a line, its label before a tab, and
FOLDER holds a pre-trained BERT of transformers, with its tokenizer. Documents of the
sets behind --tokens are tokens with blanks between, such as Chinese characters.
"""

import argparse
from functools import partial
from pathlib import Path
from time import process_time

import numpy as np
from _arguments import existing_file, existing_folder, positive
from _machine import describe
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline

from skml import (
    BertTransformer,
    FastTextClassifier,
    TfidfWeighter,
    Word2VecTransformer,
)


def read_set(path):
    """The documents, and their labels."""
    lines = Path(path).read_text(encoding="utf-8").split("\n")
    pairs = (line.split("\t", 1) for line in lines if line)
    labels, documents = zip(*pairs, strict=True)
    return list(documents), np.array(labels)


def same(document):
    return document


def logistic(transformer):
    return make_pipeline(transformer, LogisticRegression(max_iter=1000))


def tuned():
    grid = {
        "tfidfweighter__ngram_range": [(1, 1), (1, 2)],
        "logisticregression__C": [1, 10, 100],
    }
    return GridSearchCV(logistic(TfidfWeighter()), grid, cv=3)


def models(bert, seed):
    """Functions that make the models, by name; BERT takes no ready tokens."""
    made = {
        "TfidfWeighter, words": lambda: logistic(TfidfWeighter()),
        "1-2-grams": lambda: logistic(TfidfWeighter(ngram_range=(1, 2))),
        "1-2-grams, nb": lambda: logistic(
            TfidfWeighter(scheme="nb", ngram_range=(1, 2))
        ),
        "tuned": tuned,
        "FastTextClassifier": partial(FastTextClassifier, random_state=seed),
        "Word2VecTransformer": lambda: logistic(Word2VecTransformer(random_state=seed)),
    }
    if bert:
        made["BertTransformer"] = lambda: logistic(BertTransformer(bert))
    return made


def measure(model, train, test):
    """The accuracy, and the CPU seconds of fit and predict."""
    start = process_time()
    accuracy = model.fit(*train).score(*test)
    return accuracy, process_time() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="+", type=existing_file)
    parser.add_argument("--tokens", nargs="*", default=[], type=existing_file)
    parser.add_argument("--bert", type=existing_folder)
    parser.add_argument("--n-documents", type=positive, default=6000)
    parser.add_argument("--n-seeds", type=positive, default=3)
    arguments = parser.parse_args()
    print(describe())
    for path in arguments.sets + arguments.tokens:
        documents, labels = read_set(path)
        cut = str.split if path in arguments.tokens else same
        found = {}
        for seed in range(arguments.n_seeds):
            drawn = np.random.default_rng(seed).permutation(len(documents))
            drawn = drawn[: arguments.n_documents]
            X, y = [documents[i] for i in drawn], labels[drawn]
            rest, held_out, of_rest, of_held_out = train_test_split(
                X, y, test_size=1 / 3, random_state=seed
            )
            for name, make in models(arguments.bert, seed).items():
                read = same if name == "BertTransformer" else cut
                train, test = [*map(read, rest)], [*map(read, held_out)]
                result = measure(make(), (train, of_rest), (test, of_held_out))
                found.setdefault(name, []).append(result)
        n_classes = len(set(labels.tolist()))
        print(f"\n{Path(path).stem}: {len(X)} documents, {n_classes} classes")
        for name, results in found.items():
            accuracy, seconds = np.mean(results, axis=0)
            spread = np.std(results, axis=0)[0]
            print(
                f"  {name:21s} {accuracy:.3f} ({spread:.3f})  {seconds:7.1f} CPU-s",
                flush=True,
            )


if __name__ == "__main__":
    main()
