"""What fits do beside learning: warnings, progress."""

import sys
import warnings
from time import perf_counter

from skml._estimator import published


def warn_user(message):
    """Warn, at the line that called this package."""
    frame, level = sys._getframe(), 1
    while frame.f_back and _package_of(frame) in {"skml", "sklearn"}:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, UserWarning, stacklevel=level)


def _package_of(frame):
    return frame.f_globals.get("__name__", "").partition(".")[0]


class Progress:
    """Reports each iteration of a fit, whose X and y callbacks get as `data`."""

    def __init__(self, estimator, context, data):
        self.estimator = estimator
        self.context = context
        self.data = data
        self._task = None
        self._began = perf_counter()
        self.context.call_on_fit_task_begin(estimator=estimator, **data)

    def seconds(self):
        """The seconds since the start of the fit."""
        return perf_counter() - self._began

    def begin(self, task_name="iteration"):
        """Report that an iteration begins; without this, `report` does."""
        self._task = self.context.subcontext(task_name=task_name)
        self._task.call_on_fit_task_begin(estimator=self.estimator, **self.data)

    def report(self, line, learned, *, task_name="iteration"):
        """Report an iteration; whether a callback wants the fit to stop.

        `line` is for verbose estimators; `learned` returns the `Fitted` value so far.
        """
        if self.estimator.verbose:
            print(line)
        if self._task is None:
            self.begin(task_name)
        task, self._task = self._task, None
        return task.call_on_fit_task_end(
            estimator=self.estimator,
            reconstruction_attributes=lambda: published(learned()),
            **self.data,
        )

    def end(self):
        """Report the end of the fit."""
        self.context.call_on_fit_task_end(estimator=self.estimator, **self.data)
