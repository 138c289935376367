"""The formulas of BLEU, from statistics to a score."""

import math
from typing import NamedTuple

import numpy as np

# The values of Chen and Cherry; the other methods have none.
_SMOOTH_VALUES = {"floor": 0.1, "add-k": 1}


class _Formula(NamedTuple):
    """How a score is made of statistics."""

    weights: list | None
    smooth_method: str
    smooth_value: float | None
    effective_order: bool
    is_textbook: bool

    def score(self, statistics):
        """The score, the precisions and the brevity penalty of summed statistics.

        The first two from 0 to 100: only the operations of sacrebleu, in its order,
        give its floating-point numbers.
        """
        length, reference_length, *counts = statistics.tolist()
        max_order = len(counts) // 2
        counts, totals = counts[:max_order], counts[max_order:]
        penalty = _brevity_penalty(length, reference_length)
        if not any(counts):
            return 0.0, [0.0] * max_order, penalty
        precisions = self._precisions(counts, totals)
        n_used = len(precisions) if self.effective_order else max_order
        precisions += [0.0] * (max_order - len(precisions))
        score = penalty * self._mean(precisions[:n_used])
        return min(score, 100.0), precisions, penalty  # rounding may bring it above

    def _precisions(self, counts, totals):
        """The precisions up to the first order that has no n-gram."""
        precisions, halvings = [], 1.0
        for order, (n_right, n_all) in enumerate(zip(counts, totals, strict=True)):
            if self.smooth_method == "add-k" and order > 0:
                n_right += self.smooth_value
                n_all += self.smooth_value
            if n_all == 0:
                break
            if n_right > 0:
                precision = 100.0 * n_right / n_all
            elif self.smooth_method == "exp":
                halvings *= 2
                precision = 100.0 / (halvings * n_all)
            elif self.smooth_method == "floor":
                precision = 100.0 * self.smooth_value / n_all
            else:
                precision = 0.0
            precisions.append(precision)
        return precisions

    def _mean(self, precisions):
        """The weighted geometric mean."""
        if self.is_textbook:
            powers = (
                (p / 100) ** 0.5**order for order, p in enumerate(precisions, start=1)
            )
            return 100 * math.prod(powers)
        if self.weights is None:
            if 0.0 in precisions:
                return 0.0
            return math.exp(sum(math.log(p) for p in precisions) / len(precisions))
        used = [(w, p) for w, p in zip(self.weights, precisions, strict=False) if w > 0]
        if not used or any(p == 0.0 for _, p in used):
            return 0.0
        return math.exp(sum(w * math.log(p) for w, p in used) / sum(w for w, _ in used))


def _brevity_penalty(length, reference_length):
    if length >= reference_length:
        return 1.0
    return math.exp(1 - reference_length / length) if length > 0 else 0.0


def make_formula(
    max_order, weights, smooth_method, smooth_value, effective_order, formula
):
    """Check the options together."""
    is_textbook = formula == "textbook"
    if is_textbook and smooth_method == "exp":
        smooth_method = "none"
    for name, value, default in (
        ("weights", weights, None),
        ("smooth_method", smooth_method, "none"),
    ):
        if is_textbook and value is not default and not value == default:
            raise ValueError(
                f'formula="textbook" knows no {name}; got {value!r:.60}. Leave it out, '
                'or choose formula="papineni".'
            )
    if smooth_value is None:
        smooth_value = _SMOOTH_VALUES.get(smooth_method)
    elif smooth_method not in _SMOOTH_VALUES:
        raise ValueError(
            f"smooth_value={smooth_value} has no effect with "
            f"smooth_method={smooth_method!r}; leave it out, or choose "
            '"floor" or "add-k".'
        )
    weights = _check_weights_of_orders(weights, max_order)
    return _Formula(weights, smooth_method, smooth_value, effective_order, is_textbook)


def _check_weights_of_orders(weights, max_order):
    if weights is None:
        return None
    weights = np.asarray(weights, dtype=float)
    if weights.shape != (max_order,):
        raise ValueError(
            f"weights must have {max_order} numbers, one for each order of n-grams; "
            f"got the shape {weights.shape}."
        )
    if not (weights >= 0).all():
        raise ValueError(f"weights must not be negative; got {weights.tolist()}.")
    if not math.isclose(weights.sum(), 1, abs_tol=1e-9):
        raise ValueError(
            f"weights must sum to 1; {weights.tolist()} sum to {weights.sum():.10g}."
        )
    return weights.tolist()
