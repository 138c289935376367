"""Trees of LightGBM."""

from dataclasses import replace

import numpy as np
from scipy import sparse

from skml._codec import File, fields_from_data, stored
from skml._compat.lightgbm import (
    aliases,
    errors,
    messages_come_back,
    smallest_leaf,
    splits_of,
    stop_training,
)
from skml._table._containers import as_dense
from skml.tabular._backends._names import LIGHTGBM, names_of
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
from skml.tabular._precision import LIGHTGBM as PRECISION

REFUSED_IN_NAMES = '[]{}":,\\ '
OBJECTIVES = {
    "squared_error": "regression",
    "absolute_error": "regression_l1",
    "quantile": "quantile",
    "poisson": "poisson",
    "gamma": "gamma",
}
SHARED = (
    "learning_rate",
    "min_samples_leaf",
    "l2_regularization",
    "l1_regularization",
    "min_impurity_decrease",
    "max_features",
    "subsample",
    "max_bins",
)
MOST_LEAVES = 131_072  # LightGBM's own limit
# LightGBM's own least rows of a group of categories, and of one that splits may name.
GROUP_SIZE, CAT_SMOOTH = 100, 10
POOL_SIZE = 1024  # megabytes of histograms, where the number of leaves has no limit


@stored
class LightGBMTrees(Trees):
    """A booster of LightGBM, and how tables became those that it was trained on.

    `missing_codes` has the code that missing values have in columns of categories where
    some were missing. LightGBM never sends missing categories left, and so cannot learn
    from them where the categories are many and rare.
    """

    precision = PRECISION

    predicts_values = True

    booster: object
    n_iter: int  # of its first iterations
    columns: ColumnUnits | None
    missing_codes: dict

    @classmethod
    def check_parameters(cls, parameters):
        """Refuse parameters of the library that it does not know, or that clash."""
        if parameters.library_params:
            table = aliases()
            known = table and {name for names in table.values() for name in names}
            check_library_params(parameters, known, all_names(), "LightGBM")

    @classmethod
    def learn(cls, task, train, previous):
        """Learn the trees of a task, after those of an earlier fit."""
        import lightgbm

        layout = cls(
            booster=None,
            n_iter=0,
            columns=task.draft.columns,
            missing_codes=(previous.missing_codes if previous else {})
            | codes_of_missing(task),
        )
        n_before = previous.n_iter if previous else 0
        params = native_params(task, train, n_before)
        names = native_names(task.reader.names, REFUSED_IN_NAMES, "Column_")
        data = lightgbm.Dataset(
            layout.data(train.X),
            label=train.y,
            weight=train.sample_weight,
            feature_name=names or "auto",
            categorical_feature=np.flatnonzero(task.reader.is_categorical).tolist(),
            params={"verbosity": -1},
        )
        with openmp_limit("lightgbm", task.n_threads), messages_come_back():
            booster = lightgbm.train(
                params,
                data,
                num_boost_round=task.parameters.n_estimators - n_before,
                init_model=previous.cut(n_before).booster if previous else None,
                callbacks=[IterationCallback(task, layout)],
            )
        booster.best_iteration = 0
        booster.best_score = {}
        if can_break(task.parameters, task.draft.loss, train.sample_weight):
            n_rows = smallest_leaf(booster, n_before * task.draft.n_outputs)
            warn_of_small_leaf(task.parameters, n_rows, "LightGBM")
        return layout.with_booster(booster)

    def with_booster(self, booster):
        """The same layout with all trees of a booster."""
        return replace(self, booster=booster, n_iter=booster.current_iteration())

    @property
    def n_features(self):
        """The number of features."""
        return self.booster.num_feature()

    def data(self, X):
        """A table as the library predicts it: missing is one more category."""
        X = self.in_units(X)
        if not self.missing_codes:
            return sparse.csr_matrix(X) if sparse.issparse(X) else X
        X = X.copy()
        for j, code in self.missing_codes.items():
            X[np.isnan(X[:, j]), j] = code
        return X

    def predict(self, data, raw, n_threads):
        """Raw scores, or what they stand for."""
        with openmp_limit("lightgbm", n_threads):
            return self.booster.predict(data, raw_score=raw, num_iteration=self.n_iter)

    def stages(self, data, n_threads):
        """The raw scores after each iteration."""
        # LightGBM keeps the range of iterations in the booster: another thread that
        # predicts meanwhile would get that of this one.
        booster = read_booster(self._text(self.n_iter))
        raw = 0.0
        for iteration in range(self.n_iter):
            with openmp_limit("lightgbm", n_threads):
                raw = raw + booster.predict(
                    data, raw_score=True, start_iteration=iteration, num_iteration=1
                )
            yield raw

    def _text(self, n_iter):
        with openmp_limit("lightgbm", 1):
            return self.booster.model_to_string(num_iteration=n_iter)

    def first(self, n_iter):
        """The trees of the first iterations, of the same booster.

        To cut goes through text, which takes its time.
        """
        return replace(self, n_iter=min(n_iter, self.n_iter))

    def cut(self, n_iter):
        """The trees of the first iterations, in a booster that has no more."""
        if n_iter >= self.booster.current_iteration():
            return self
        return self.with_booster(read_booster(self._text(n_iter)))

    def has_splits(self):
        """Whether any tree has a split."""
        return bool(self.booster.feature_importance("split").any())

    def splits(self):
        """The splits of all trees."""
        return Splits(*splits_of(self.booster, self.n_iter))

    def contributions(self, data, n_threads):
        """What features add to raw scores, in the shape (rows, features + 1, ...)."""
        with openmp_limit("lightgbm", n_threads):
            values = self.booster.predict(
                as_dense(data), pred_contrib=True, num_iteration=self.n_iter
            )
        n_outputs = values.shape[1] // (self.n_features + 1)
        if n_outputs == 1:
            return values
        return values.reshape(len(values), n_outputs, -1).transpose(0, 2, 1)

    def treatments(self, treatments, missing_fraction):
        """What is done about missing values."""
        return [
            "separate category"
            if j in self.missing_codes and missing_fraction[j] < 1
            else treatment
            for j, treatment in enumerate(treatments)
        ]

    def to_data(self):
        """The library's own file, and the rest."""
        content = self._text(self.n_iter).encode()
        return {**vars(self), "booster": File("booster.txt", content)}

    @classmethod
    def from_data(cls, data):
        """Let the library read its own file."""
        text = data["booster"].content.decode()
        try:
            booster = read_booster(text)
        except errors() as error:
            raise ValueError(f"LightGBM cannot read its file: {error}") from error
        return fields_from_data(cls, data | {"booster": booster})

    def check(self):
        """Check that the numbers are those of the booster."""
        if self.n_iter != self.booster.current_iteration():
            raise ValueError(f"n_iter is {self.n_iter}")
        for j, code in self.missing_codes.items():
            if {type(j), type(code)} != {int} or not 0 <= j < self.n_features:
                raise ValueError(f"missing_codes has {j!r:.60}")


class IterationCallback:
    """Reports each iteration of `lightgbm.train`."""

    order = 30

    def __init__(self, task, layout):
        self.task = task
        self.layout = layout
        self.samples = [layout.data(sample.X) for sample in task.samples]
        self.n_seen = 0
        self.raw = [0.0] * len(self.samples)

    def __call__(self, env):
        n_new = env.model.current_iteration() - self.n_seen
        if n_new > 0:  # none where no split is left to make
            self._add(env.model, n_new)

        def copied():
            return self.layout.with_booster(read_booster(env.model.model_to_string()))

        if self.task.end_iteration(env.iteration + 1, copied, self.raw):
            stop_training(env.iteration)

    def _add(self, model, n_new):
        for i, X in enumerate(self.samples):
            self.raw[i] = self.raw[i] + model.predict(
                X,
                raw_score=True,
                start_iteration=self.n_seen,
                num_iteration=n_new,
            )
        self.n_seen += n_new


def read_booster(text):
    """A booster from the model as text."""
    import lightgbm

    with openmp_limit("lightgbm", 1):
        return lightgbm.Booster(model_str=text)


def all_names():
    """Our names by those of LightGBM, each under all its aliases."""
    table, names = aliases() or {}, names_of(LIGHTGBM)
    return {
        alias: ours for name, ours in names.items() for alias in table.get(name, [name])
    }


def codes_of_missing(task):
    """The code of missing values in each column of categories that has some."""
    has_missing = ~task.draft.table.is_complete
    columns = np.flatnonzero(task.reader.is_categorical & has_missing)
    return {j: len(task.reader.categories[j]) for j in columns.tolist()}


def native_params(task, train, n_before):
    """The parameters in LightGBM's own vocabulary."""
    own, given = task.parameters, task.library_params
    params = task.translate(SHARED, LIGHTGBM) | {
        **objective_of(task),
        "num_leaves": own.max_leaf_nodes or most_leaves(own, len(train.y)),
        "max_depth": own.max_depth or -1,
        # Else categories need so many rows whatever a leaf needs.
        "min_data_per_group": min(own.min_samples_leaf, GROUP_SIZE),
        "cat_smooth": min(own.min_samples_leaf, CAT_SMOOTH),
        "bagging_freq": int(own.subsample < 1),
        "seed": task.draft.seed + n_before,  # random sampling continues
        "num_threads": 0,  # what OpenMP allows
        "verbosity": -1,
        "deterministic": True,  # else it chooses its way of counting by the clock
    }
    if not given.get("force_row_wise"):
        params["force_col_wise"] = True
    if few_are_heavy(train.sample_weight):
        params |= leaf_by_weight(task, train)
    if own.max_leaf_nodes is None:
        params["histogram_pool_size"] = POOL_SIZE
    monotonic, interactions = task.constraints()
    if monotonic is not None:
        params["monotone_constraints"] = monotonic.tolist()
    if interactions is not None:
        params["interaction_constraints"] = interactions
    return params | given


def leaf_by_weight(task, train):
    """The size of a leaf by its weight, which the few heavy rows do not change."""
    n_outputs = task.draft.n_outputs
    softmax = n_outputs / max(n_outputs - 1, 1)
    hessian = typical_hessian(task.draft.loss, train, softmax=softmax)
    of_a_row = hessian * typical_weight(train.sample_weight)
    return {
        "min_data_in_leaf": 0,
        "min_sum_hessian_in_leaf": task.parameters.min_samples_leaf * of_a_row,
    }


def most_leaves(parameters, n_rows):
    """What a tree can have, for LightGBM takes memory for each."""
    n_leaves = min(MOST_LEAVES, n_rows // parameters.min_samples_leaf)
    if parameters.max_depth is not None:
        n_leaves = min(n_leaves, 2 ** min(parameters.max_depth, 30))
    return max(2, n_leaves)


def objective_of(task):
    """The objective, and what belongs to it."""
    draft = task.draft
    if draft.n_outputs > 1:
        return {"objective": "multiclass", "num_class": draft.n_outputs}
    if draft.loss == "log_loss":
        return {"objective": "binary"}
    of_objective = {} if draft.loss != "quantile" else {"alpha": draft.quantile}
    return {"objective": OBJECTIVES[draft.loss]} | of_objective
