"""From what was pooled to predictions, losses and their gradients."""

import numpy as np
from scipy import special

from skml._codec import stored
from skml.attention._arrays import check_stored

SMOOTHING = 0.01  # weight of the class proportions among pooled ones


def softmax(scores):
    """Probabilities of scores, row by row."""
    return special.softmax(scores, axis=1)


@stored
class SquaredError:
    """Of regression: the residuals of the keys from their mean u are pooled.

    .. math:: f(x) = u(x) + \\sum_j p_j (y_j - u_j)
    """

    name = "squared_error"

    def values(self, Y, u):
        """What is pooled over the keys."""
        return Y - u

    def output(self, pooled, u):
        """The predictions."""
        return u + pooled

    def loss(self, output, Y, weights):
        """The mean squared error, and its gradient with respect to the output."""
        error = output - Y
        weights = weights[:, None] / (weights.sum() * Y.shape[1])
        return float((weights * np.square(error)).sum()), 2 * weights * error

    def pooled_gradient(self, gradient, pooled):
        """The gradient with respect to what was pooled."""
        return gradient

    def mean_gradient(self, values_gradient):
        """The gradient with respect to u of the keys."""
        return -values_gradient


@stored
class LogLoss:
    """Of classification: class proportions are pooled, and u shifts log-odds.

    .. math:: f_c(x) = u_c(x) + \\log \\sum_j p_j [y_j = c],

    where the proportions of all classes in the training rows are mixed in, so that none
    is zero.
    """

    name = "log_loss"

    floor: np.ndarray  # (n_classes,), what is mixed in

    def check(self):
        """Check that what is mixed in is positive."""
        check_stored("floor", self.floor, (self.floor.size,))
        if (self.floor <= 0).any():
            raise ValueError("floor is not positive")

    def values(self, Y, u):
        """What is pooled over the keys."""
        return Y

    def output(self, pooled, u):
        """The logarithms of the probabilities, but for a shift."""
        return u + np.log(pooled + self.floor.astype(pooled.dtype))

    def loss(self, output, Y, weights):
        """The mean log loss, and its gradient with respect to the output."""
        probabilities = softmax(output)
        weights = weights[:, None] / weights.sum()
        of_label = (probabilities * Y).sum(axis=1)
        tiny = np.finfo(output.dtype).tiny
        loss = -(weights[:, 0] * np.log(np.maximum(of_label, tiny))).sum()
        return float(loss), weights * (probabilities - Y)

    def pooled_gradient(self, gradient, pooled):
        """The gradient with respect to what was pooled."""
        return gradient / (pooled + self.floor.astype(pooled.dtype))

    def mean_gradient(self, values_gradient):
        """The gradient with respect to u of the keys, which are pooled as they are."""
        return np.zeros_like(values_gradient)


def learn_log_loss(Y, weights):
    """The log loss that mixes in the proportions of the classes of training rows."""
    return LogLoss(floor=SMOOTHING * np.average(Y, axis=0, weights=weights))
