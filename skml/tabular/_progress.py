"""What boosting tells of each iteration."""

from skml._fitting import Progress


class BoostingProgress(Progress):
    """Reports each iteration of boosting, with the scores of a monitor."""

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
        line = f"[{n_iter}] of {self.estimator.n_estimators}"
        if monitor is not None:
            line = (
                f"[{n_iter}] train {monitor.train_score[-1]:.5f} "
                f"validation {monitor.validation_score[-1]:.5f}"
            )
        return super().report(line, learned)
