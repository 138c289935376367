"""Units of targets and weights in which a library keeps its digits.

The libraries compute in single precision, and some of their limits are absolute: the
least gain of a split. What is far from one is measured in another unit while they
learn; predictions are in that of the user again.
"""

import numpy as np

from skml._codec import show, stored
from skml.tabular._leaf_size import typical_weight
from skml.tabular._precision import FLOAT32, fraction_lost

LOG_LINK = {"poisson", "gamma"}
TYPICAL_WEIGHTS = (1 / 16, 16.0)
# The total squared deviation below which XGBoost's least gain, 1e-6, counts.
LEAST_LOSS = 1e-2
LARGEST_DEVIATION = 1e12
LEAST_STRENGTH = 1e-30  # penalties divided by less are no numbers to a library
# Between which a mean target is as good as one.
MEANS = {"poisson": (1e-4, 1e12), "gamma": (1e-20, 1e20)}


@stored
class Units:
    """What weights are divided by, and targets, after an offset was taken off."""

    weight: float = 1.0
    target: float = 1.0
    offset: float = 0.0

    def check(self):
        """Check that they are finite numbers, and can be divided by."""
        values = self.weight, self.target, self.offset
        if not np.isfinite(values).all() or min(values[:2]) <= 0:
            raise ValueError(f"units are {show(values)}")

    def of_sample(self, sample):
        """A sample as the library learns it."""
        y, weight = sample.y, sample.sample_weight
        if (self.target, self.offset) != (1.0, 0.0):
            y = (y - self.offset) / self.target
        if weight is not None:
            weight = weight / self.weight
        return sample._replace(y=y, sample_weight=weight)

    def of_values(self, values):
        """Predictions in the units of the user."""
        if (self.target, self.offset) == (1.0, 0.0):
            return values
        return values * self.target + self.offset

    def of_raw(self, raw, loss):
        """Raw predictions, which are logarithms where the loss has a log link."""
        if loss in LOG_LINK and self.target != 1.0:
            return raw + np.log(self.target)
        return self.of_values(raw)

    def of_contributions(self, values, base_value, loss):
        """What features add to raw predictions."""
        if loss not in LOG_LINK:
            values = values * self.target
        return values, self.of_raw(base_value, loss)

    def penalties(self, loss):
        """What parameters that are sums over rows are divided by, to be as strong."""
        gradient, hessian = {
            "squared_error": (self.target, 1.0),
            "poisson": (self.target, self.target),
        }.get(loss, (1.0, 1.0))
        strengths = {
            "l2_regularization": self.weight * hessian,
            "l1_regularization": self.weight * gradient,
            "min_impurity_decrease": self.weight * gradient * (gradient / hessian),
        }
        return {name: max(s, LEAST_STRENGTH) for name, s in strengths.items()}


def learn_units(train, loss, targets_are_float32):
    """Choose the units: one and no offset, wherever the library is as good with them.

    Only targets that the library keeps as float32 may need an offset.
    """
    weight = 1.0
    if train.sample_weight is not None:
        typical = typical_weight(train.sample_weight)
        low, high = TYPICAL_WEIGHTS
        weight = 1.0 if low <= typical <= high else typical
    if loss == "log_loss":
        return Units(weight=weight)
    if loss in LOG_LINK:
        return Units(weight=weight, target=unit_of_means(train.y, *MEANS[loss]))
    offset = 0.0
    if targets_are_float32 and fraction_lost(train.y, FLOAT32) > 0:
        offset = float(np.median(train.y))
    target = unit_of_deviations(train.y - offset)
    return Units(weight=weight, target=target, offset=offset)


def unit_of_means(y, low, high):
    """A power of two near the mean, if that is out of bounds."""
    mean = float(np.mean(y / y.max()) * y.max())
    return 1.0 if low <= mean <= high else power_of_two(mean)


def unit_of_deviations(y):
    """A power of two near the standard deviation, if that is out of bounds."""
    largest = float(np.abs(y).max())
    if largest == 0:
        return 1.0
    deviation = float(np.std(y / largest)) * largest
    low = np.sqrt(LEAST_LOSS / len(y))
    if deviation == 0 or (low <= deviation and largest <= LARGEST_DEVIATION):
        return 1.0
    return power_of_two(deviation)


def power_of_two(number):
    """The nearest, so that to divide by it costs no digit."""
    return float(2.0 ** np.clip(np.rint(np.log2(number)), -1020, 1020))
