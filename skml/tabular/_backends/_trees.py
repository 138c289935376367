"""What the four backends have in common."""

from typing import NamedTuple

import numpy as np

from skml.tabular._precision import FLOAT32


class Splits(NamedTuple):
    """The splits of all trees, one value a split."""

    feature: np.ndarray  # position of the feature
    gain: np.ndarray  # by how much the split lowers the loss
    missing_left: np.ndarray  # whether missing values go left


class Trees:
    """What a library learned, which nothing changes any more.

    A subclass is a value that can be stored. Beside the methods here it has

    - ``columns``: the `ColumnUnits` of what the library learned, or None;
    - ``learn(task, train, previous)``, a class method: the trees of a `BoostingTask`
      and a `Sample`, after those of an earlier fit if there are some;
    - ``data(X)``: a table that was read, as the library predicts it;
    - ``predict(data, raw, n_threads)``: raw scores, or what they stand for;
    - ``stages(data, n_threads)``: the raw scores after each iteration;
    - ``first(n_iter)``: the trees of the first iterations;
    - ``splits()``; ``n_iter``, ``n_features`` and ``n_outputs``, as the library itself
      counts them.
    """

    precision = FLOAT32
    targets_are_float32 = True
    reports = True  # whether it reports each iteration to callbacks
    predicts_values = False  # whether it applies the inverse link itself
    chooses_sides = True  # whether splits send missing values left or right

    @classmethod
    def check_parameters(cls, parameters):
        """Refuse parameters that the library cannot honour."""

    def check_table(self, reader):
        """Check that the trees are those of a table, where they know its categories."""

    def in_units(self, X):
        """A table in the units that the library learned."""
        return X if self.columns is None else self.columns.apply(X)

    def has_splits(self):
        """Whether any tree has a split."""
        return len(self.splits().feature) > 0

    def cut(self, n_iter):
        """The trees of the first iterations, in the library's own model as well."""
        return self.first(n_iter)

    def treatments(self, treatments, missing_fraction):
        """What is done about missing values, given what boosters usually do."""
        return treatments


def flat(raw):
    """Raw scores in one dimension where there is one a row."""
    return raw.ravel() if raw.ndim == 2 and raw.shape[1] == 1 else raw


def refuse_changed(parameters, defaults):
    """Refuse parameters of another method that are not as they were."""
    for name, default in defaults.items():
        value = getattr(parameters, name)
        if not (value is default or value == default):
            raise ValueError(
                f"method={parameters.method!r} cannot honour {name}={value!r:.60}; "
                f"leave it at {default!r}, or choose the other method."
            )
