"""Whether the boosters predict what their libraries do, bit by bit, on real tables.

Run it with ::

    python benchmarks/prove_tables.py DATA_FOLDER [--trees 100]

The numeric columns of each table, holes included, and whether the target is above its
median, or is the most frequent class, go to `xgboost.train`, to `lightgbm.train`, to
scikit-learn's HistGradientBoostingClassifier and to the estimators here, with equal
parameters; probabilities are compared bit by bit, on rows that were held out, but for
those with a hole where the training rows have none: there the median stands in.
"""

import argparse

import numpy as np
import pandas as pd
from _arguments import existing_folder, positive
from _tables import LOADERS
from _word2vec_report import markdown
from table_speed import GBDT, LightGBM, Ours, XGBoost


def binary(y):
    """Make two classes of a target, about equally frequent if it has numbers."""
    y = pd.Series(y)
    if pd.api.types.is_numeric_dtype(y) and y.nunique() > 2:
        return (y > y.median()).to_numpy().astype(int)
    return (y == y.mode()[0]).to_numpy().astype(int)


def compare(native, X, y, n_trees):
    """The number of probabilities that differ."""
    native = native(n_trees)
    ours = Ours(native)
    train, test = X[::2], X[1::2]
    is_complete = ~np.isnan(train).any(axis=0)
    test = test[~np.isnan(test[:, is_complete]).any(axis=1)]
    expected = native.predict(native.fit(train, y[::2]), test)
    found = ours.estimator().fit(train, y[::2]).predict_proba(test)[:, 1]
    return int((found != expected.astype(np.float64)).sum())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=existing_folder)
    parser.add_argument("--trees", type=positive, default=100)
    arguments = parser.parse_args()
    rows = []
    for name, load in LOADERS.items():
        frame, target, _ = load(arguments.folder)
        X = frame.select_dtypes("number").to_numpy(dtype=np.float64)
        different = [
            compare(native, X, binary(target), arguments.trees)
            for native in (XGBoost, LightGBM, GBDT)
        ]
        size = f"{X.shape[0]} x {X.shape[1]}"
        rows.append([name, size, f"{np.isnan(X).mean():.1%}", *map(str, different)])
    header = ["table", "numbers", "missing", "xgboost", "lightgbm", "gbdt"]
    print("Probabilities that differ:\n")
    print(markdown(header, rows))


if __name__ == "__main__":
    main()
