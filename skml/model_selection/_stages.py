"""Which candidates of a search share a fit, and what the scores of each of them are."""

import pickle
from copy import copy
from numbers import Integral
from traceback import format_exc
from typing import NamedTuple

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from skml._compat.sklearn_search import MultimetricScorer, scorers_of

_PARAMETER = "n_estimators"


class Stages(int):
    """The largest of several numbers of trees, which knows the others.

    As the value of a parameter it reaches what scores the fitted estimator, wherever
    and in whichever process that happens: nothing else that a search hands to a fit
    does. To the fit itself it is a number.
    """

    def __new__(cls, stages):
        value = super().__new__(cls, max(stages))
        value.stages = sorted({int(stage) for stage in stages})
        return value

    def __getnewargs__(self):
        return (self.stages,)


class SharedFit(NamedTuple):
    """A fit, and the candidates that it serves."""

    params: dict  # what is fitted
    name: str | None  # of the parameter in which they differ, if they are several
    candidates: dict  # of position among all -> params

    def stage(self, position):
        """The number of trees that the candidate has, None for all that there are."""
        return self.name and self.candidates[position][self.name]


class Score(NamedTuple):
    """The name of one of the scores of a fit."""

    stage: int | None
    metric: str | None

    def __str__(self):
        # A search prints it, if `verbose` is 3 or more.
        metric = "score" if self.metric is None else self.metric
        return metric if self.stage is None else f"{metric} at {self.stage} trees"


def _last_step(estimator):
    """The estimator at the end of a Pipeline, and the prefix of its parameters."""
    prefix = ""
    while isinstance(estimator, Pipeline):
        name, estimator = estimator.steps[-1]
        prefix += f"{name}__"
    return estimator, prefix


def _at_stage(estimator, stage):
    """A fitted booster, or a Pipeline that ends in one, with the first trees only."""
    if not isinstance(estimator, Pipeline):
        return estimator._at_stage(stage)
    name, last = estimator.steps[-1]
    # A copy: a Pipeline made anew would be without what fit and its callers left on it.
    staged = copy(estimator)
    staged.steps = [*estimator.steps[:-1], (name, _at_stage(last, stage))]
    return staged


def _identity(value):
    """The same for two values of a parameter only if they are the same.

    Samplers make numbers anew for each candidate; other objects are those of the grid.
    """
    if type(value) in (bool, int, float, str) or isinstance(value, np.generic):
        # Unlike ==, it tells True from 1 and -0.0 from 0.0.
        return pickle.dumps(value)
    return id(value)


def _is_stage(value):
    """Whether it is a number of trees; what is not is left to the fit to refuse."""
    return isinstance(value, Integral) and not isinstance(value, bool) and value >= 1


def _stage_parameter(estimator, params):
    """The name of the candidate's parameter that counts the trees of its last step."""
    if not any(name.rpartition("__")[2] == _PARAMETER for name in params):
        return None
    # Set as the search sets them: a candidate may replace the steps themselves.
    candidate = clone(estimator).set_params(**clone(params, safe=False))
    last, prefix = _last_step(candidate)
    name = prefix + _PARAMETER
    if name not in params:
        return None
    # Also of the class, as a wrapper that lends the methods of what it wraps would lend
    # this one, which returns the wrapped estimator.
    if not (hasattr(type(last), "_at_stage") and hasattr(last, "_at_stage")):
        raise TypeError(
            f"{type(last).__name__} cannot be scored at several values of {name!r} "
            "after one fit; expected a gradient booster of skml.tabular, such as "
            "LightGBMClassifier, with parameters that allow it, or a Pipeline that "
            "ends in one. Use scikit-learn's own search, which fits every candidate."
        )
    return name


def shared_fits(estimator, candidates):
    """The fits that the candidates need, in the order of the first of each."""
    groups = {}
    for position, params in enumerate(candidates):
        name = _stage_parameter(estimator, params)
        key = position
        if name is not None and _is_stage(params[name]):
            without = {**params, name: None}
            key = name, *((key, _identity(value)) for key, value in without.items())
        groups.setdefault(key, (name, []))[1].append(position)
    fits = []
    for name, positions in groups.values():
        served = {position: candidates[position] for position in positions}
        params = candidates[positions[0]]
        if len(positions) == 1:
            name = None
        else:
            params = {**params, name: Stages([c[name] for c in served.values()])}
        fits.append(SharedFit(params, name, served))
    return fits


class StagedScorer(MultimetricScorer):
    """Scores a fitted estimator at all the stages that its candidates ask for.

    It returns a dict of `Score` to number. As a scorer of several metrics it may hold
    the text of an error instead, which scikit-learn then treats by `error_score`.
    """

    def __init__(self, scorer, *, raise_exc):
        several = isinstance(scorer, MultimetricScorer)
        super().__init__(
            scorers=scorers_of(scorer) if several else {None: scorer},
            raise_exc=raise_exc,
        )
        self.scorer = scorer
        # What a scorer of several metrics does not catch is raised in any case.
        self._catches = not (several or raise_exc)

    def __call__(self, estimator, *args, **kwargs):
        n_estimators = getattr(_last_step(estimator)[0], _PARAMETER, None)
        if not isinstance(n_estimators, Stages):
            return self._score_stage(None, estimator, *args, **kwargs)
        scores = {}
        for stage in n_estimators.stages:
            staged = _at_stage(estimator, stage)
            scores.update(self._score_stage(stage, staged, *args, **kwargs))
        return scores

    def _score_stage(self, stage, estimator, *args, **kwargs):
        try:
            scores = self.scorer(estimator, *args, **kwargs)
        except Exception:
            if not self._catches:
                raise
            scores = format_exc()
        if not isinstance(scores, dict):
            scores = {None: scores}
        return {Score(stage, metric): score for metric, score in scores.items()}


def _scores_at(scores, stage):
    """What the scorer of the search returned for one stage: a dict, or a number."""
    at_stage = {s.metric: scores[s] for s in scores if s.stage == stage}
    return at_stage[None] if list(at_stage) == [None] else at_stage


def _result_at(result, stage, n_candidates):
    """The result of one fit as that of one of its candidates."""
    staged = {**result, "score_time": result["score_time"] / n_candidates}
    if result["fit_error"] is None:
        for key in {"test_scores", "train_scores"} & result.keys():
            staged[key] = _scores_at(result[key], stage)
    return staged


def _insert_error_scores(results, error_score):
    """Give those whose fit failed the same metrics as those that have scores."""
    # There are some: if all fits fail, the search ends before.
    scores = next(r["test_scores"] for r in results if r["fit_error"] is None)
    if isinstance(scores, dict):
        error_score = dict.fromkeys(scores, error_score)
    for result in results:
        if result["fit_error"] is not None:
            for key in {"test_scores", "train_scores"} & result.keys():
                result[key] = copy(error_score)


def spread_results(fits, out, error_score):
    """All candidates, in their order, and the results of each to each split.

    `out` are those of the fits, as scikit-learn keeps them, the splits of a fit
    together.
    """
    n_splits = len(out) // len(fits)
    candidates, results = {}, {}
    for index, fit in enumerate(fits):
        of_fit = out[index * n_splits : (index + 1) * n_splits]
        candidates.update(fit.candidates)
        for position in fit.candidates:
            results[position] = [
                _result_at(result, fit.stage(position), len(fit.candidates))
                for result in of_fit
            ]
    order = sorted(candidates)
    results = [result for position in order for result in results[position]]
    _insert_error_scores(results, error_score)
    return [candidates[position] for position in order], results
