"""A callback of scikit-learn that keeps what it is told."""

import pytest

from skml._compat.sklearn import CallbackSupportMixin

needs_callbacks = pytest.mark.skipif(
    not hasattr(CallbackSupportMixin, "set_callbacks"),
    reason="scikit-learn has callbacks since version 1.9",
)


class Recording:
    """Keeps what models of one task look like, and stops after so many of them.

    Parameters
    ----------
    task_name : str
        The tasks that are looked at.
    look : callable
        What is kept of a fitted estimator, given it, X and y.
    stop_after : int, default=None
        After how many of the tasks the fit is stopped.
    """

    def __init__(self, task_name, look, stop_after=None):
        self.task_name = task_name
        self.look = look
        self.stop_after = stop_after
        self.tasks, self.seen = [], []
        self.is_done = False

    def setup(self, estimator, context):
        self.max_subtasks = context.max_subtasks

    def teardown(self, estimator, context):
        self.is_done = True

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context, *, X, y, fitted_estimator):
        self.tasks.append(context.task_name)
        if context.task_name == self.task_name:
            self.seen.append(self.look(fitted_estimator, X, y))
            return len(self.seen) == self.stop_after
        return False
