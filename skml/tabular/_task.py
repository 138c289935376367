"""What a backend learns: parameters, what was read before, and whom it reports to."""

from dataclasses import replace

from joblib import effective_n_jobs

from skml.tabular._constraints import (
    check_monotonic_cst,
    resolve_interaction_cst,
    resolve_monotonic_cst,
)

# Which of the units' penalties a parameter is divided by.
PENALTIES = {
    "l2_regularization": "l2",
    "l1_regularization": "l1",
    "min_impurity_decrease": "gain",
}


class BoostingTask:
    """What a backend needs to know to grow trees.

    Parameters
    ----------
    parameters : estimator
        Has the parameters of the user; nothing is written on it.
    draft : FittedBoosting
        What was learned before the first tree.
    monitor : StageMonitor or None
        Scores the iterations, if anything does.
    progress : BoostingProgress
        What iterations are reported to.
    """

    def __init__(self, parameters, draft, monitor, progress):
        self.parameters = parameters
        self.draft = draft
        self.monitor = monitor
        self.progress = progress
        self.reader = draft.table.reader
        self.has_missing = ~draft.table.is_complete
        self.library_params = parameters.library_params or {}
        self.n_threads = effective_n_jobs(parameters.n_jobs)
        self.penalties = draft.units.penalties(draft.loss)

    @property
    def samples(self):
        """The samples whose raw scores are to be reported."""
        return [] if self.monitor is None else self.monitor.scored

    def values(self, names):
        """Parameters in the units that the library learns."""
        values = {name: getattr(self.parameters, name) for name in names}
        for name, strength in PENALTIES.items():
            if name in values:
                values[name] = values[name] / getattr(self.penalties, strength)
        return values

    def constraints(self):
        """Monotonic and interaction constraints by position."""
        parameters, reader = self.parameters, self.reader
        columns = reader.n_features, reader.names
        monotonic = interactions = None
        if parameters.monotonic_cst is not None:
            monotonic = resolve_monotonic_cst(parameters.monotonic_cst, *columns)
            if monotonic is not None:
                check_monotonic_cst(monotonic, reader, self.draft)
        if parameters.interaction_cst is not None:
            interactions = resolve_interaction_cst(parameters.interaction_cst, *columns)
        return monotonic, interactions

    def end_iteration(self, n_iter, copy_trees, raw):
        """Report an iteration; whether the fit should stop.

        Parameters
        ----------
        n_iter : int
            The number of iterations so far.
        copy_trees : callable
            Returns the trees so far, for callbacks.
        raw : list of ndarray
            The raw scores of each of `samples`.
        """
        is_enough = self.monitor is not None and self.monitor.should_stop(*raw)

        def learned():
            trees = copy_trees()
            return replace(self.draft, trees=trees, n_iter_=trees.n_iter)

        return self.progress.report(n_iter, self.monitor, learned) or is_enough
