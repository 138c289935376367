"""What a backend learns: parameters, what was read before, and whom it reports to."""

from dataclasses import replace

from joblib import effective_n_jobs

from skml._progress import Step
from skml.tabular._constraints import (
    check_monotonic_cst,
    resolve_interaction_cst,
    resolve_monotonic_cst,
)


class BoostingTask:
    """What a backend needs to know to grow trees, and whom it reports iterations to.

    `parameters` is the estimator, on which nothing is written. `samples` are those
    whose raw scores are to be reported.
    """

    def __init__(self, parameters, draft, n_rows, monitor, progress):
        self.parameters = parameters
        self.draft = draft
        self.n_rows = n_rows
        self.monitor = monitor
        self.progress = progress
        self.reader = draft.table.reader
        self.samples = [] if monitor is None else monitor.scored
        self.library_params = parameters.library_params or {}
        self.n_threads = effective_n_jobs(parameters.n_jobs)
        self.penalties = draft.units.penalties(draft.loss)

    def translate(self, names, table=None):
        """Parameters in the units of the library, and by its names, if it has own."""
        params = {}
        for name in names:
            value = getattr(self.parameters, name)
            if name in self.penalties:
                value = value / self.penalties[name]
            params[table[name].split()[0] if table else name] = value
        return params

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

        `copy_trees` returns the trees so far, for callbacks; `raw` has the raw scores
        of each of `samples`.
        """
        is_enough = self.monitor is not None and self.monitor.should_stop(*raw)

        def learned():
            trees = copy_trees()
            return replace(self.draft, trees=trees, n_iter_=trees.n_iter)

        return self.progress.report(self.step(n_iter), learned) or is_enough

    def step(self, n_iter):
        """What is printed of an iteration."""
        return Step(
            "iteration",
            n_iter,
            self.parameters.n_estimators,
            {} if self.monitor is None else self.monitor.last_scores(),
            self.n_rows,
            "rows",
        )
