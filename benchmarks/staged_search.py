"""Search over the number of trees: this package's staged search and GridSearchCV.

Run it with ::

    python benchmarks/staged_search.py [--rows 10000] [--columns 20] [--rounds 3]
        [--only xgboost lightgbm gbdt] [--refit] [--pipeline] [--save]

Both try 50, 100, ... 300 trees in five folds of the same made table, a tenth of it
missing, in one thread and in turn. That is 1050 trees a fold for GridSearchCV, where
300 are enough: 3.5 times fewer. With --refit both fit the best candidate once more on
all rows, as they do by default, which costs both the same. --pipeline puts a scaler
before the learner. The ratio is GridSearchCV's CPU seconds over ours, round by round:
the median, the least and the greatest. "difference" is the greatest between two scores
of the same candidate and fold; "none" means equal bit by bit.
"""

import argparse
from importlib import import_module
from statistics import median

import lightgbm
import numpy as np
from _arguments import positive
from _machine import describe, limit_blas, now, since
from _made_table import make_table
from _results import add_save, save
from _word2vec_report import markdown
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

_TREES = [50, 100, 150, 200, 250, 300]
_NAMES = {"xgboost": "XGBoost", "lightgbm": "LightGBM", "gbdt": "GBDT"}


def make_searches(name, refit, in_pipeline):
    """Make the staged search and GridSearchCV over the same estimator and folds."""
    tabular = import_module("skml.tabular")
    estimator = getattr(tabular, f"{_NAMES[name]}Classifier")(random_state=0)
    grid = {"n_estimators": _TREES}
    if in_pipeline:
        estimator = Pipeline([("scale", StandardScaler()), ("learn", estimator)])
        grid = {"learn__n_estimators": _TREES}
    staged = import_module("skml.model_selection").StagedGridSearchCV
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    settings = {"cv": folds, "scoring": "neg_log_loss", "refit": refit}
    return [kind(estimator, grid, **settings) for kind in (staged, GridSearchCV)]


def measure(searches, X, y, n_rounds):
    """What both searches took, round by round, in an order that changes."""
    spent = []
    for index in range(n_rounds):
        took = {}
        for search in searches if index % 2 else searches[::-1]:
            moment = now()
            search.fit(X, y)
            took[id(search)] = since(moment)
        spent.append([took[id(search)] for search in searches])
    return spent


def difference(searches):
    """The greatest difference between the scores of folds."""
    staged, grid = (search.cv_results_ for search in searches)
    names = [f"split{i}_test_score" for i in range(searches[0].n_splits_)]
    pairs = [(np.asarray(staged[name]), np.asarray(grid[name])) for name in names]
    if all(np.array_equal(mine, theirs) for mine, theirs in pairs):
        return "none"
    return f"{max(abs(mine - theirs).max() for mine, theirs in pairs):.1e}"


def row(name, searches, spent):
    ratios = [theirs.cpu / mine.cpu for mine, theirs in spent]
    seconds = [median(s.cpu for s in steps) for steps in zip(*spent, strict=True)]
    return [
        name,
        *(f"{number:.2f}" for number in seconds),
        f"**{median(ratios):.2f}** ({min(ratios):.2f} to {max(ratios):.2f})",
        difference(searches),
        f"{max(step.others_per_second for pair in spent for step in pair):.2f}",
    ]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=positive, default=10_000)
    parser.add_argument("--columns", type=positive, default=20)
    parser.add_argument("--rounds", type=positive, default=3)
    parser.add_argument("--only", nargs="+", choices=_NAMES, default=list(_NAMES))
    parser.add_argument("--refit", action="store_true")
    parser.add_argument("--pipeline", action="store_true")
    add_save(parser)
    arguments = parser.parse_args()
    limit_blas()
    machine = {**describe("xgboost"), "lightgbm": lightgbm.__version__}
    for title, entries in {"Machine": machine, "Arguments": vars(arguments)}.items():
        print(f"{title}: " + ", ".join(f"{k} {v}" for k, v in entries.items()))
    X, y = make_table(arguments.rows, max(arguments.columns, 5))
    rows = []
    for name in arguments.only:
        searches = make_searches(name, arguments.refit, arguments.pipeline)
        spent = measure(searches, X, y, arguments.rounds)
        rows.append(row(name, searches, spent))
    header = ["learner", "skml, CPU s", "GridSearchCV, CPU s", "x CPU"]
    header += ["difference", "others"]
    print("\n" + markdown(header, rows))
    if arguments.save:
        title = f"{arguments.rows} rows, {arguments.columns} columns, one thread"
        save("staged_search", machine, [], {title: (header, rows)})


if __name__ == "__main__":
    main()
