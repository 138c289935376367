"""Trees of XGBoost."""

import json
from dataclasses import replace

import numpy as np

from skml._codec import File, fields_from_data, stored
from skml._compat.xgboost import (
    absolute_error_is_smooth,
    errors,
    leaves_of,
    refuse_unknown,
    splits_of,
)
from skml._table._containers import as_dense
from skml.tabular._backends._names import XGBOOST, names_of
from skml.tabular._backends._trees import Splits, Trees
from skml.tabular._column_units import ColumnUnits
from skml.tabular._leaf_size import (
    can_break,
    few_are_heavy,
    typical_hessian,
    typical_weight,
    warn_of_small_leaf,
)
from skml.tabular._library_params import check_library_params, native_names
from skml.tabular._openmp import openmp_limit

REFUSED_IN_NAMES = "[]<"
OBJECTIVES = {
    "squared_error": "reg:squarederror",
    "absolute_error": "reg:absoluteerror",
    "quantile": "reg:quantileerror",
    "poisson": "count:poisson",
    "gamma": "reg:gamma",
}
SHARED = (
    "learning_rate",
    "l2_regularization",
    "l1_regularization",
    "min_impurity_decrease",
    "max_features",
    "subsample",
    "max_bins",
)
MOST_LEAVES = 1_000_000  # rows times iterations, where the rows of leaves are counted


@stored
class XGBoostTrees(Trees):
    """A booster of XGBoost, and the units of the columns that it was trained on."""

    predicts_values = True

    booster: object
    columns: ColumnUnits | None

    @classmethod
    def check_parameters(cls, parameters):
        """Refuse parameters of the library that it does not know, or that clash."""
        if parameters.library_params:
            check_library_params(parameters, None, names_of(XGBOOST), "XGBoost")
            refuse_unknown(parameters.library_params)

    @classmethod
    def learn(cls, task, train, previous):
        """Learn the trees of a task, after those of an earlier fit."""
        import xgboost

        columns = task.draft.columns
        n_before = previous.n_iter if previous else 0
        params = native_params(task, train, n_before)
        if params.get("tree_method") == "exact":
            check_exact(task)
        layout = Layout(task, cls(booster=None, columns=columns), params)
        with (
            # What the user asks of the library is answered, such as for a device.
            xgboost.config_context(verbosity=1 if task.library_params else 0),
            # A QuantileDMatrix takes more threads than `nthread`.
            openmp_limit("xgboost", params["nthread"]),
        ):
            booster = update(layout, task, train, previous)
            if can_break(task.parameters, task.draft.loss, train.sample_weight):
                n_rows = smallest_leaf(booster, layout.plain(train.X), n_before)
                warn_of_small_leaf(task.parameters, n_rows, "XGBoost")
        booster = as_many_threads_as_allowed(booster.reset())
        return cls(booster=booster, columns=columns)

    @property
    def n_iter(self):
        """The number of iterations."""
        return self.booster.num_boosted_rounds()

    @property
    def n_features(self):
        """The number of features."""
        return self.booster.num_features()

    def data(self, X):
        """A table as the library predicts it."""
        return as_dense(self.in_units(X))

    def predict(self, data, raw, n_threads):
        """Raw scores, or what they stand for."""
        with openmp_limit("xgboost", n_threads):
            values = self.booster.inplace_predict(
                data,
                predict_type="margin" if raw else "value",
                validate_features=False,
            ).astype(np.float64)
        if raw or values.ndim == 1:
            return values
        return values / values.sum(axis=1, keepdims=True)  # they were rounded

    def stages(self, data, n_threads):
        """The raw scores after each iteration."""
        margin = None
        for iteration in range(self.n_iter):
            with openmp_limit("xgboost", n_threads):
                margin = self.booster.inplace_predict(
                    data,
                    predict_type="margin",
                    iteration_range=(iteration, iteration + 1),
                    base_margin=margin,
                    validate_features=False,
                )
            yield margin.astype(np.float64)

    def first(self, n_iter):
        """The trees of the first iterations."""
        return replace(self, booster=as_many_threads_as_allowed(self.booster[:n_iter]))

    def has_splits(self):
        """Whether any tree has a split."""
        return bool(self.booster.get_score(importance_type="weight"))

    def splits(self):
        """The splits of all trees."""
        return Splits(*splits_of(self.booster))

    def contributions(self, data, n_threads):
        """What features add to raw scores, in the shape (rows, features + 1, ...)."""
        import xgboost

        columns = {
            "feature_names": self.booster.feature_names,
            "feature_types": self.booster.feature_types,
        }
        matrix = xgboost.DMatrix(
            data, nthread=n_threads, enable_categorical=True, **columns
        )
        with openmp_limit("xgboost", n_threads):
            values = self.booster.predict(matrix, pred_contribs=True)
        values = values.astype(np.float64)
        # Of several classes: (n_samples, n_classes, n_features + 1)
        return values.transpose(0, 2, 1) if values.ndim == 3 else values

    def to_data(self):
        """The library's own file, and the rest."""
        content = bytes(self.booster.save_raw("json"))
        return {**vars(self), "booster": File("booster.json", content)}

    @classmethod
    def from_data(cls, data):
        """Let the library read its own file."""
        import xgboost

        booster = xgboost.Booster()
        try:
            booster.load_model(bytearray(data["booster"].content))
        except errors() as error:
            raise ValueError(f"XGBoost cannot read its file: {error}") from error
        booster = as_many_threads_as_allowed(booster)
        return fields_from_data(cls, data | {"booster": booster})


class Layout:
    """How tables become matrices of XGBoost, in bins or as they are."""

    def __init__(self, task, trees, params):
        reader = task.reader
        self.task = task
        self.data = trees.data
        self.params = params
        self.arguments = {
            "nthread": params["nthread"],
            "feature_names": native_names(reader.names, REFUSED_IN_NAMES, "f"),
            "feature_types": ["c" if c else "q" for c in reader.is_categorical],
            "enable_categorical": True,
        }

    def plain(self, X):
        """Rows as they are."""
        import xgboost

        return xgboost.DMatrix(self.data(X), **self.arguments)

    def matrix(self, sample, reference=None):
        """A sample as it is learned or scored: in bins, or as it is."""
        import xgboost

        X, weight = self.data(sample.X), sample.sample_weight
        arguments = self.arguments | {"label": sample.y}
        if self.params.get("tree_method", "hist") not in {"hist", "auto"}:
            return xgboost.DMatrix(X, weight=weight, **arguments)
        if not few_are_heavy(weight):
            # Else the few heavy rows would have nearly all bins as well.
            arguments["weight"] = weight
        max_bin = self.task.parameters.max_bins
        matrix = xgboost.QuantileDMatrix(X, max_bin=max_bin, ref=reference, **arguments)
        if weight is not None:
            matrix.set_weight(weight)
        return matrix


def native_params(task, train, n_before):
    """The parameters in XGBoost's own vocabulary."""
    own = task.parameters
    # What a row is in the sum of second derivatives, which XGBoost counts.
    hessian = typical_hessian(task.draft.loss, train, softmax=2.0)
    if train.sample_weight is not None:  # a weight of 3 may stand for three rows
        hessian *= min(1.0, typical_weight(train.sample_weight))
    params = task.translate(SHARED, XGBOOST) | {
        **objective_of(task),
        "max_leaves": own.max_leaf_nodes or 0,
        "grow_policy": "lossguide" if own.max_leaf_nodes else "depthwise",
        "max_depth": own.max_depth or 0,
        "min_child_weight": own.min_samples_leaf * hessian,
        "seed": task.draft.seed + n_before,  # random sampling continues
        "nthread": task.n_threads,
        "disable_default_eval_metric": True,
    }
    monotonic, interactions = task.constraints()
    if monotonic is not None:
        params["monotone_constraints"] = tuple(monotonic.tolist())
    if interactions is not None:
        # A list would have to be of names.
        params["interaction_constraints"] = json.dumps(interactions)
    return params | task.library_params


def objective_of(task):
    """The objective, and what belongs to it."""
    draft = task.draft
    if draft.n_outputs > 1:
        return {"objective": "multi:softprob", "num_class": draft.n_outputs}
    if draft.loss == "log_loss":
        return {"objective": "binary:logistic"}
    loss, quantile = draft.loss, draft.quantile
    if loss == "absolute_error" and absolute_error_is_smooth():
        loss, quantile = "quantile", 0.5
    of_objective = {} if quantile is None else {"quantile_alpha": quantile}
    return {"objective": OBJECTIVES[loss]} | of_objective


def update(layout, task, train, previous):
    """Grow the trees, and report each iteration."""
    import xgboost

    matrix = layout.matrix(train)
    scored = [matrix] if task.samples else []
    for sample in task.samples[1:]:
        sample = task.draft.units.of_sample(sample)
        scored.append(layout.matrix(sample, reference=matrix))
    booster = xgboost.Booster(
        layout.params,
        [matrix, *scored[1:]],
        model_file=previous.booster if previous else None,
    )

    def copied():
        copy = as_many_threads_as_allowed(booster.copy())
        return XGBoostTrees(booster=copy, columns=task.draft.columns)

    n_before = previous.n_iter if previous else 0
    for iteration in range(task.parameters.n_estimators - n_before):
        booster.update(matrix, iteration)
        raw = [booster.predict(m, output_margin=True) for m in scored]
        raw = [scores.astype(np.float64) for scores in raw]
        if task.end_iteration(n_before + iteration + 1, copied, raw):
            break
    return booster


def as_many_threads_as_allowed(booster):
    """Let a booster use what OpenMP allows, so that `predict` need not change it."""
    with openmp_limit("xgboost", 1):
        booster.set_param({"nthread": 0})
        booster.num_boosted_rounds()  # which puts the parameter into effect
    return booster


def smallest_leaf(booster, matrix, n_before):
    """The number of rows in the smallest leaf of the new trees; of many, of some."""
    n_rows, n_iter = matrix.num_row(), booster.num_boosted_rounds()
    n_looked_at = max(1, min(n_iter - n_before, MOST_LEAVES // n_rows))
    smallest = n_rows
    for i in np.linspace(n_iter - 1, n_before, n_looked_at).astype(int).tolist():
        for leaf_of_row in leaves_of(booster[i : i + 1], matrix):
            sizes = np.bincount(leaf_of_row)
            smallest = min(smallest, int(sizes[sizes > 0].min()))
    return smallest


def check_exact(task):
    """Refuse what XGBoost's exact method has not."""
    max_leaf_nodes, reader = task.parameters.max_leaf_nodes, task.reader
    if max_leaf_nodes is not None:
        raise ValueError(
            "library_params={'tree_method': 'exact'} cannot honour max_leaf_nodes="
            f"{max_leaf_nodes}; pass max_leaf_nodes=None and a max_depth."
        )
    if reader.is_categorical.any():
        j = int(np.flatnonzero(reader.is_categorical)[0])
        raise ValueError(
            "library_params={'tree_method': 'exact'} knows no categories, which "
            f"{reader.name_of(j)} holds; leave the method, or encode the column."
        )
