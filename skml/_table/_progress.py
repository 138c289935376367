"""What a fit tells while it runs: a line of text, and scikit-learn's callbacks."""


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

    def report(self, line, learned, *, task_name="iteration"):
        """Report an iteration; whether a callback wants the fit to stop.

        Parameters
        ----------
        line : str
            What is printed if the estimator is verbose.
        learned : callable
            Returns a dict of the attributes of an estimator that stops here.
        task_name : str, default="iteration"
            What callbacks know the iteration as.
        """
        if self.estimator.verbose:
            print(line)
        task = self.context.subcontext(task_name=task_name)
        task.call_on_fit_task_begin(estimator=self.estimator, **self.data)
        return task.call_on_fit_task_end(
            estimator=self.estimator, reconstruction_attributes=learned, **self.data
        )

    def end(self):
        """Report the end of the fit."""
        self.context.call_on_fit_task_end(estimator=self.estimator, **self.data)
