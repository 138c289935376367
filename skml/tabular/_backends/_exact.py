"""Trees of scikit-learn's exact gradient boosting, over a complete table."""

from dataclasses import replace
from itertools import islice

import numpy as np
from sklearn.base import is_classifier

from skml._codec import fields_from_data, stored
from skml._compat.sklearn_boosting import (
    exact_from_data,
    exact_to_data,
    first_exact,
)
from skml._table._preparation import (
    TablePreparation,
    learn_preparation,
    predict_by_batches,
)
from skml.tabular._backends._names import EXACT, names_of
from skml.tabular._backends._trees import Splits, Trees, flat, refuse_changed
from skml.tabular._column_units import ColumnUnits, learn_column_units
from skml.tabular._library_params import check_library_params
from skml.tabular._precision import EXACT as PRECISION

# What only histograms can honour, and the value that asks for nothing.
OTHERS = {
    "l2_regularization": 0.0,
    "max_bins": 255,
    "monotonic_cst": None,
    "interaction_cst": None,
}
SHARED = (
    "n_estimators",
    "learning_rate",
    "max_leaf_nodes",
    "max_depth",
    "min_samples_leaf",
    "max_features",
    "subsample",
    "warm_start",
)


@stored
class ExactTrees(Trees):
    """A GradientBoosting, and how tables became those that it was fitted to."""

    method = "exact"
    precision = PRECISION
    targets_are_float32 = False
    chooses_sides = False

    native: object
    preparation: TablePreparation
    columns: ColumnUnits | None  # of the prepared table

    @classmethod
    def check_parameters(cls, parameters):
        """Refuse what only histograms can honour, and unknown names."""
        refuse_changed(parameters, OTHERS)
        if getattr(parameters, "loss", None) in {"poisson", "gamma"}:
            raise ValueError(
                f"method='exact' cannot honour loss={parameters.loss!r}; choose "
                "method='hist'."
            )
        if parameters.library_params:
            native = class_of(is_classifier(parameters))
            known = native._parameter_constraints
            check_library_params(parameters, known, names_of(EXACT), native.__name__)

    @classmethod
    def learn(cls, task, train, previous):
        """Learn the trees of a task, after those of an earlier fit, in one thread."""
        if previous:
            trees = previous.first(previous.n_iter)  # a copy, to which trees are added
            X = trees.prepare(train.X)
        else:
            trees, X = cls._prepared(task, train)
        trees.native.set_params(**native_params(task))
        monitor = IterationMonitor(task, trees)
        trees.native.fit(X, train.y, train.sample_weight, monitor=monitor)
        return trees

    @classmethod
    def _prepared(cls, task, train):
        """No trees yet, but how to prepare tables, and the one to learn from."""
        # Values are imputed in the units of the user.
        preparation, X = learn_preparation(
            train.X,
            task.reader,
            train.sample_weight,
            imputation=task.parameters.imputation,
            scale=False,
            random_state=task.draft.seed,
        )
        are_codes = np.zeros(X.shape[1], dtype=bool)
        trees = cls(
            native=class_of(task.draft.loss == "log_loss")(),
            preparation=preparation,
            columns=learn_column_units(X, are_codes, PRECISION),
        )
        return trees, trees.in_units(X)

    @property
    def n_iter(self):
        """The number of iterations."""
        return self.native.n_estimators_

    @property
    def n_features(self):
        """The number of features."""
        return len(self.preparation.treatments)

    def data(self, X):
        """A table as it is: it is prepared in batches."""
        return X

    def prepare(self, X):
        """Complete numbers, in the units that the library learned."""
        return self.in_units(self.preparation.transform(X))

    def check_table(self, reader):
        """Check that the trees are those of a table."""
        self.preparation.check_table(reader)

    def predict(self, X, raw, n_threads):
        """Raw scores, of a table that is prepared in batches."""
        predict = getattr(self.native, self._method)
        return predict_by_batches(lambda X: predict(self.prepare(X)), X)

    def stages(self, X, n_threads):
        """The raw scores after each iteration."""
        stages = getattr(self.native, f"staged_{self._method}")
        return map(flat, stages(self.prepare(X)))

    @property
    def _method(self):
        return "decision_function" if is_classifier(self.native) else "predict"

    def first(self, n_iter):
        """The trees of the first iterations."""
        return replace(self, native=first_exact(self.native, n_iter))

    def splits(self):
        """The splits of all trees, by the features before they were prepared."""
        features, gains = [], []
        for tree in (t.tree_ for t in self.native.estimators_.ravel()):
            impurity = tree.impurity * tree.weighted_n_node_samples
            split = np.flatnonzero(tree.children_left >= 0)
            left, right = tree.children_left[split], tree.children_right[split]
            features.append(self.preparation.feature_of_output[tree.feature[split]])
            gains.append(impurity[split] - impurity[left] - impurity[right])
        feature = np.concatenate(features).astype(np.intp)
        return Splits(
            feature, np.concatenate(gains), np.zeros(len(feature), dtype=bool)
        )

    def treatments(self, treatments, missing_fraction):
        """What is done about missing values."""
        return self.preparation.treatments

    def to_data(self):
        """The model as arrays, and the rest."""
        return {**vars(self), "native": exact_to_data(self.native)}

    @classmethod
    def from_data(cls, data):
        """Make the model of arrays again, each index checked."""
        native, preparation = data["native"], data["preparation"]
        model = class_of(native["classes"] is not None)
        n_outputs = len(preparation.feature_names_out)
        native = exact_from_data(model, native, n_outputs)
        return fields_from_data(cls, data | {"native": native})


class IterationMonitor:
    """Reports each iteration of a GradientBoosting."""

    def __init__(self, task, trees):
        self.task = task
        self.trees = trees
        self.tables = [sample.X for sample in task.samples[1:]]
        self.stages = None

    def __call__(self, iteration, native, variables):
        raw = []
        if self.task.samples:
            raw = [flat(variables["raw_predictions"]), *self._of_validation(iteration)]
        return self.task.end_iteration(
            iteration + 1, lambda: self.trees.first(iteration + 1), raw
        )

    def _of_validation(self, iteration):
        if self.stages is None:  # it looks at each tree when the tree is there
            self.stages = [
                islice(self.trees.stages(X, 1), iteration, None) for X in self.tables
            ]
        return map(next, self.stages)


def class_of(is_classifier):
    """scikit-learn's class for a task."""
    from sklearn import ensemble

    if is_classifier:
        return ensemble.GradientBoostingClassifier
    return ensemble.GradientBoostingRegressor


def native_params(task):
    """The parameters in GradientBoosting's own vocabulary."""
    params = task.translate(SHARED)
    params["random_state"] = task.draft.seed
    # An impurity is a mean over rows: the unit of weights is no part of it.
    gain = task.penalties["min_impurity_decrease"] / task.draft.units.weight
    params["min_impurity_decrease"] = task.parameters.min_impurity_decrease / gain
    params |= task.library_params
    if task.draft.loss != "log_loss":
        params["loss"] = task.draft.loss
    if task.draft.quantile:
        params["alpha"] = task.draft.quantile
    return params
