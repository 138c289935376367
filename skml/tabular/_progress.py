"""What boosting tells of each iteration."""

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
            Returns a dict of the attributes of an estimator that stops here.
        """
        return super().report(self.line(n_iter, monitor), learned)

    def show(self, n_iter, monitor):
        """Print an iteration, where callbacks are not told of it."""
        if self.estimator.verbose:
            print(self.line(n_iter, monitor))

    def line(self, n_iter, monitor):
        """What is printed: the iteration, its scores, the seconds since the start."""
        scores = "" if monitor is None else f" {monitor.describe()}"
        seconds = time.perf_counter() - self.began
        return f"[{n_iter}/{self.estimator.n_estimators}]{scores} ({seconds:.2f} s)"
