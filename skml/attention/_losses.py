"""From what was pooled to predictions, losses and their gradients."""

import numpy as np
from scipy import special

SMOOTHING = 0.01  # how much the shares of the classes count among pooled ones


def softmax(scores):
    """Probabilities of scores, row by row."""
    return special.softmax(scores, axis=1)


class SquaredError:
    """Numbers: what is pooled are the residuals of the keys from their mean u.

    .. math:: f(x) = u(x) + \\sum_j p_j (y_j - u_j)
    """

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
        return gradient

    def keys_gradient(self, values_gradient):
        """The gradient with respect to u of the keys."""
        return -values_gradient


class LogLoss:
    """Classes: what is pooled are the shares of the classes, and u shifts log-odds.

    .. math:: f_c(x) = u_c(x) + \\log \\sum_j p_j [y_j = c],

    where the shares of all classes in the training rows are mixed in, so that none is
    zero.
    """

    def __init__(self, Y, weights):
        self.floor = SMOOTHING * np.average(Y, axis=0, weights=weights)

    def values(self, Y, u):
        return Y

    def output(self, pooled, u):
        return u + np.log(pooled + self.floor.astype(pooled.dtype))

    def loss(self, output, Y, weights):
        probabilities = softmax(output)
        weights = weights[:, None] / weights.sum()
        of_label = (probabilities * Y).sum(axis=1)
        tiny = np.finfo(output.dtype).tiny
        loss = -(weights[:, 0] * np.log(np.maximum(of_label, tiny))).sum()
        return float(loss), weights * (probabilities - Y)

    def pooled_gradient(self, gradient, pooled):
        return gradient / (pooled + self.floor.astype(pooled.dtype))

    def keys_gradient(self, values_gradient):
        return np.zeros_like(values_gradient)
