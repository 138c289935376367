"""What boosting tells while it runs: a line of text, and scikit-learn's callbacks."""


class Progress:
    """Reports each iteration of a fit.

    Parameters
    ----------
    estimator : estimator
        What is fitted.
    context : CallbackContext
        That of the fit.
    data : dict
        What `fit` got, as callbacks know it: X and y.
    """

    def __init__(self, estimator, context, data):
        self.estimator = estimator
        self.context = context
        self.data = data
        self.context.call_on_fit_task_begin(estimator=estimator, **data)

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
        if self.estimator.verbose:
            self._print(n_iter, monitor)
        task = self.context.subcontext(task_name="iteration")
        task.call_on_fit_task_begin(estimator=self.estimator, **self.data)
        return task.call_on_fit_task_end(
            estimator=self.estimator, reconstruction_attributes=learned, **self.data
        )

    def end(self):
        """Report the end of the fit."""
        self.context.call_on_fit_task_end(estimator=self.estimator, **self.data)

    def _print(self, n_iter, monitor):
        if monitor is None:
            print(f"[{n_iter}] of {self.estimator.n_estimators}")
        else:
            print(
                f"[{n_iter}] train {monitor.train_score[-1]:.5f} "
                f"validation {monitor.validation_score[-1]:.5f}"
            )
