"""Calls of the boosters' own libraries, written out by hand."""

import json

import lightgbm
import numpy as np
import xgboost
from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from threadpoolctl import threadpool_limits

LEARNED = {
    "learning_rate": 0.1,
    "max_leaf_nodes": 31,
    "max_depth": None,
    "min_samples_leaf": 20,
    "l2_regularization": 0.0,
    "l1_regularization": 0.0,
    "min_impurity_decrease": 0.0,
    "max_features": 1.0,
    "subsample": 1.0,
    "max_bins": 255,
    "monotonic": None,
    "interactions": None,
    "loss": "squared_error",
    "quantile": None,
}


class Native:
    """What a library predicts: raw scores, and values."""

    def __init__(self, model, raw, value):
        self.model = model
        self.raw = raw
        self.value = value


def fit_xgboost(task, X, y, weight, categorical, n_trees, seed, **parameters):
    p = LEARNED | parameters
    objective = {
        "binary": "binary:logistic",
        "multiclass": "multi:softprob",
        "squared_error": "reg:squarederror",
        "absolute_error": "reg:absoluteerror",
        "quantile": "reg:quantileerror",
        "poisson": "count:poisson",
        "gamma": "reg:gamma",
    }[p["loss"] if task == "regression" else task]
    hessian = 1.0  # of a row, before the first tree; the weights here are 1 and more
    if task in {"binary", "multiclass"}:
        shares = np.bincount(y, weight) / (len(y) if weight is None else weight.sum())
        hessian = np.mean(shares * (1 - shares)) * (1 if task == "binary" else 2)
    if p["loss"] == "poisson":
        hessian = np.average(y, weights=weight) * np.exp(0.7)
    native = {
        "objective": objective,
        "eta": p["learning_rate"],
        "grow_policy": "lossguide" if p["max_leaf_nodes"] else "depthwise",
        "max_leaves": p["max_leaf_nodes"] or 0,
        "max_depth": p["max_depth"] or 0,
        "min_child_weight": p["min_samples_leaf"] * hessian,
        "lambda": p["l2_regularization"],
        "alpha": p["l1_regularization"],
        "gamma": p["min_impurity_decrease"],
        "colsample_bynode": p["max_features"],
        "subsample": p["subsample"],
        "max_bin": p["max_bins"],
        "seed": seed,
        "nthread": 1,
    }
    if task == "multiclass":
        native["num_class"] = len(np.unique(y))
    if p["loss"] == "absolute_error" and float(xgboost.__version__[:3]) >= 3.4:
        native |= {"objective": "reg:quantileerror", "quantile_alpha": 0.5}
    if p["quantile"]:
        native["quantile_alpha"] = p["quantile"]
    if p["monotonic"]:
        native["monotone_constraints"] = f"({','.join(map(str, p['monotonic']))})"
    if p["interactions"]:
        native["interaction_constraints"] = json.dumps(p["interactions"])

    def data(X, **arguments):
        types = ["c" if j in categorical else "q" for j in range(X.shape[1])]
        return xgboost.QuantileDMatrix(
            X.astype(np.float32),
            max_bin=p["max_bins"],
            feature_types=types,
            enable_categorical=True,
            nthread=1,
            **arguments,
        )

    train = data(X, label=y, weight=weight)
    model = xgboost.train(native, train, num_boost_round=n_trees)

    def predict(X, margin):
        types = ["c" if j in categorical else "q" for j in range(X.shape[1])]
        rows = xgboost.DMatrix(
            X.astype(np.float32), feature_types=types, enable_categorical=True
        )
        return model.predict(rows, output_margin=margin).astype(np.float64)

    return Native(model, lambda X: predict(X, True), lambda X: predict(X, False))


def fit_lightgbm(task, X, y, weight, categorical, n_trees, seed, **parameters):
    p = LEARNED | parameters
    native = {
        "objective": {
            "squared_error": "regression",
            "absolute_error": "regression_l1",
            "quantile": "quantile",
            "poisson": "poisson",
            "gamma": "gamma",
        }[p["loss"]]
        if task == "regression"
        else task,
        "learning_rate": p["learning_rate"],
        "num_leaves": p["max_leaf_nodes"] or len(y),
        "max_depth": p["max_depth"] or -1,
        "min_data_in_leaf": p["min_samples_leaf"],
        "min_data_per_group": min(p["min_samples_leaf"], 100),
        "cat_smooth": min(p["min_samples_leaf"], 10),
        "lambda_l2": p["l2_regularization"],
        "lambda_l1": p["l1_regularization"],
        "min_gain_to_split": p["min_impurity_decrease"],
        "feature_fraction_bynode": p["max_features"],
        "bagging_fraction": p["subsample"],
        "bagging_freq": 1 if p["subsample"] < 1 else 0,
        "max_bin": p["max_bins"],
        "seed": seed,
        "num_threads": 1,
        "deterministic": True,
        "force_col_wise": True,
        "verbosity": -1,
    }
    if task == "multiclass":
        native["num_class"] = len(np.unique(y))
    if p["quantile"]:
        native["alpha"] = p["quantile"]
    if p["monotonic"]:
        native["monotone_constraints"] = p["monotonic"]
    if p["interactions"]:
        native["interaction_constraints"] = p["interactions"]
    data = lightgbm.Dataset(
        X, label=y, weight=weight, categorical_feature=list(categorical)
    )
    model = lightgbm.train(native, data, num_boost_round=n_trees)
    return Native(
        model,
        lambda X: model.predict(X, raw_score=True),
        lambda X: model.predict(X),
    )


def fit_hist(task, X, y, weight, categorical, n_trees, seed, **parameters):
    """With categories in front, where scikit-learn moves them and counts from."""
    others = [j for j in range(X.shape[1]) if j not in categorical]
    order = [*categorical, *others]
    p = LEARNED | parameters
    names = "learning_rate max_leaf_nodes max_depth min_samples_leaf l2_regularization"
    native = {name: p[name] for name in [*names.split(), "max_features", "max_bins"]}
    native |= {
        "max_iter": n_trees,
        "early_stopping": False,
        "random_state": seed,
        "categorical_features": list(range(len(categorical))) or None,
        "monotonic_cst": p["monotonic"] and [p["monotonic"][j] for j in order],
        "interaction_cst": p["interactions"]
        and [[order.index(j) for j in group] for group in p["interactions"]],
    }
    if task == "regression":
        model = HistGradientBoostingRegressor(
            loss=p["loss"], quantile=p["quantile"], **native
        )
    else:
        model = HistGradientBoostingClassifier(**native)
    with threadpool_limits(1, user_api="openmp"):
        model.fit(X[:, order], y, weight)
    return of_scikit_learn(model, task, lambda X: X[:, order])


def fit_exact(task, X, y, weight, categorical, n_trees, seed, **parameters):
    """Of integer weights; columns that hold categories have no missing values."""
    p = LEARNED | parameters
    names = "learning_rate max_leaf_nodes max_depth min_samples_leaf subsample"
    native = {name: p[name] for name in [*names.split(), "max_features"]} | {
        "min_impurity_decrease": p["min_impurity_decrease"],
        "n_estimators": n_trees,
        "random_state": seed,
    }
    numeric = [j for j in range(X.shape[1]) if j not in categorical]
    holed = [j for j in numeric if np.isnan(X[:, j]).any()]
    repeated = X if weight is None else np.repeat(X, weight.astype(int), axis=0)
    medians = np.nanmedian(repeated[:, numeric], axis=0)

    def prepare(T):
        numbers = np.where(np.isnan(T[:, numeric]), medians, T[:, numeric])
        blocks = [numbers]
        for j in categorical:
            blocks.append(T[:, [j]] == np.unique(X[:, j]))
        blocks.append(np.isnan(T[:, holed]))
        return np.hstack(blocks).astype(np.float64)

    if task == "regression":
        loss = {"loss": p["loss"]}
        if p["quantile"]:
            loss["alpha"] = p["quantile"]
        model = GradientBoostingRegressor(**loss, **native)
    else:
        model = GradientBoostingClassifier(**native)
    model.fit(prepare(X), y, weight)
    return of_scikit_learn(model, task, prepare)


def of_scikit_learn(model, task, prepare):
    if task == "regression":
        return Native(model, None, lambda X: model.predict(prepare(X)))

    def value(X):
        probabilities = model.predict_proba(prepare(X))
        return probabilities[:, 1] if task == "binary" else probabilities

    return Native(model, lambda X: model.decision_function(prepare(X)), value)
