"""Compare classifiers of text on five sets: accuracy, and CPU time of fit and predict.

Run it with ::

    python benchmarks/text_classes.py FOLDER [--sets ...] [--models ...] [--rounds 3]

where FOLDER holds the sets that `_classified.py` reads. Each round splits the documents
anew. All have their defaults, but for what `MODELS` says. The table of the
user guide is from it.
"""

import argparse
from statistics import mean
from time import process_time

from _arguments import existing_folder, positive
from _classified import SETS, split
from _machine import limit_blas
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skml.text import FastTextClassifier, TfidfWeighter, Word2VecTransformer

# Characters are words between blanks in these sets.
_ANALYSIS = {"poets": {"token_pattern": r"\S+"}, "languages": {"token_pattern": r"\S+"}}
_C = [1.0, 10.0, 100.0]


def tuned(name):
    """Weights of words and pairs, and a logistic regression whose C is searched for."""
    weighter = TfidfWeighter(
        ngram_range=(1, 2), sublinear_tf=True, min_df=2, **_ANALYSIS.get(name, {})
    )
    model = GridSearchCV(LogisticRegression(max_iter=200), {"C": _C}, cv=3)
    return make_pipeline(weighter, model)


MODELS = {
    "fasttext": lambda name, seed: FastTextClassifier(
        **_ANALYSIS.get(name, {}), random_state=seed
    ),
    "fasttext, characters": lambda name, seed: FastTextClassifier(
        subwords=(3, 6), **_ANALYSIS.get(name, {}), random_state=seed
    ),
    "tf-idf": lambda name, seed: tuned(name),
    "word2vec": lambda name, seed: make_pipeline(
        Word2VecTransformer(
            weighter=TfidfWeighter(), **_ANALYSIS.get(name, {}), random_state=seed
        ),
        LogisticRegression(max_iter=1000),
    ),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=existing_folder)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--rounds", type=positive, default=3)
    arguments = parser.parse_args()
    limit_blas()
    for name in arguments.sets:
        X, y = SETS[name](arguments.folder)
        for model in arguments.models:
            scores, seconds = [], []
            for seed in range(arguments.rounds):
                train, labels, test, truth = split(X, y, seed)
                start = process_time()
                predicted = MODELS[model](name, seed).fit(train, labels).predict(test)
                seconds.append(process_time() - start)
                scores.append(100 * accuracy_score(truth, predicted))
            print(
                f"{name:18} {model:22} {mean(scores):6.2f} ({min(scores):.2f} to "
                f"{max(scores):.2f}), {min(seconds):.1f} CPU s",
                flush=True,
            )


if __name__ == "__main__":
    main()
