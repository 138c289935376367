"""How boosting reports each iteration."""

import time

from skml._fitting import Progress


class BoostingProgress(Progress):
    """Reports each iteration of boosting, with the scores of a monitor."""

    def __init__(self, estimator, context, data):
        super().__init__(estimator, context, data)
        self.began = time.perf_counter()

    def report(self, n_iter, monitor, learned):
        """Report an iteration; whether a callback wants the fit to stop.

        Parameters
        ----------
        n_iter : int
            The number of iterations so far.
        monitor : StageMonitor or None
            Has the scores, if there are some.
        learned : callable
            Returns what was learned so far, a `FittedBoosting`.
        """
        return super().report(self.line(n_iter, monitor), learned)

    def show(self, n_iter, monitor):
        """Print an iteration that callbacks do not get."""
        if self.estimator.verbose:
            print(self.line(n_iter, monitor))

    def line(self, n_iter, monitor):
        """What is printed: the iteration, its scores, the seconds since the start."""
        scores = "" if monitor is None else f" {monitor.describe()}"
        seconds = time.perf_counter() - self.began
        return f"[{n_iter}/{self.estimator.n_estimators}]{scores} ({seconds:.2f} s)"
