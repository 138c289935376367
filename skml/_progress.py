"""Progress of fits: the lines that `verbose` prints, and scikit-learn's callbacks."""

from time import perf_counter
from typing import NamedTuple

from skml._estimator import published


class Step(NamedTuple):
    """What is printed of an epoch or an iteration."""

    unit: str  # "epoch", "iteration" or "step"
    number: int  # from 1
    total: int  # how many there are at most
    scores: dict  # losses and scores by name
    n_items: int  # how many were processed since the report before
    items: str  # what they are: "tokens", "samples" or "rows"
    part: str = ""  # which part of the fit it belongs to
    # How many units the report covers; 0 for one that says nothing of others.
    n_units: int = 1
    n_later: int = 0  # how many units later parts have

    def describe(self):
        """Where the fit is, and its losses and scores."""
        part = f"{self.part}, " if self.part else ""
        scores = ", ".join(f"{name} {show(x)}" for name, x in self.scores.items())
        return f"{part}{self.unit} {self.number}/{self.total}: {scores or 'no loss'}"


class ProgressLines:
    """Prints what a verbose estimator does while it is fitted.

    The clock decides nothing but what is printed.
    """

    def __init__(self, estimator):
        self.verbose = int(estimator.verbose)
        self.name = type(estimator).__name__
        self._n_shown = 0
        self._fit_began = perf_counter()
        self.start()

    def start(self):
        """Begin to measure speed: training starts now."""
        self._training_began = self._last = perf_counter()
        self._n_units = 0

    def announce(self, text):
        """Print what the fit does before it trains."""
        if self.verbose:
            print(f"[{self.name}] {text}", flush=True)

    def show(self, step):
        """Print a step, if it is among those that are printed."""
        now, self._n_shown = perf_counter(), self._n_shown + 1
        self._n_units += step.n_units
        if self._is_due(step):
            speed = step.n_items / max(now - self._last, 1e-9)
            times = f"elapsed {show_time(now - self._fit_began)}"
            if step.n_units:
                n_left = step.total - step.number + step.n_later
                left = n_left * (now - self._training_began) / self._n_units
                times += f", left {show_time(left)}"
            self.announce(f"{step.describe()}, {speed:,.0f} {step.items}/s, {times}")
        self._last = now
        if step.n_units == 0:
            self._training_began = now

    def _is_due(self, step):
        """Whether a step is among each k-th, or the last."""
        if not self.verbose:
            return False
        return self._n_shown % self.verbose == 0 or step.number == step.total


class Progress(ProgressLines):
    """Reports each iteration of a fit, whose X and y callbacks get as `data`."""

    def __init__(self, estimator, context, data):
        super().__init__(estimator)
        self.estimator = estimator
        self.context = context
        self.data = data
        self._task = None
        self.context.call_on_fit_task_begin(estimator=estimator, **data)

    def begin(self, task_name="iteration"):
        """Report that an iteration begins; without this, `report` does."""
        self._task = self.context.subcontext(task_name=task_name)
        self._task.call_on_fit_task_begin(estimator=self.estimator, **self.data)

    def report(self, step, learned, *, task_name="iteration"):
        """Report an iteration; whether a callback wants the fit to stop.

        `step` is printed by verbose estimators; `learned` returns the `Fitted` value so
        far.
        """
        self.show(step)
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


def show(value):
    """A loss or a score with four decimals, or four digits."""
    is_usual = value == 0 or 1e-3 <= abs(value) < 1e5
    return f"{value:.4f}" if is_usual else f"{value:.3e}"


def show_time(seconds):
    """A duration, in units that suit it."""
    if round(seconds, 1) < 60:
        return f"{seconds:.1f} s"
    minutes, seconds = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {seconds:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"
