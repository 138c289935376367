"""scikit-learn's scorers and searches from the inside, as in its versions 1.7 to 1.9.

A name that is gone makes the import of :mod:`skml.metrics` or
:mod:`skml.model_selection` fail, and nothing else.
"""

from sklearn.metrics import _scorer

MultimetricScorer = _scorer._MultimetricScorer

_PLAN = "_skml_plan"


class ClassesScorer(_scorer._Scorer):
    """Scores what `predict` returns by a function that gets the classes, too."""

    def _score(self, method_caller, estimator, X, y_true, **kwargs):
        y_pred = method_caller(estimator, "predict", X)
        classes = getattr(estimator, "classes_", None)
        if isinstance(classes, list):
            # Of several outputs, each has its own.
            classes = None
        return self._score_func(
            y_true, y_pred, classes=classes, **{**self._kwargs, **kwargs}
        )


def scorers_of(scorer):
    """The scorers of a `MultimetricScorer`, by name."""
    return scorer._scorers


class PlannedSearchMixin:
    """Lets a search evaluate other candidates than it asks for.

    A subclass provides `_replace_scorers`, which gets what the search scores with;
    `_plan`, which gets the candidates, and returns any value and the parameters of what
    is evaluated; and `_carry_out`, which gets that value and the results, and returns
    the parameters and the results of the candidates.
    """

    def _get_scorers(self):
        scorers, refit_metric = super()._get_scorers()
        return self._replace_scorers(scorers), refit_metric

    def _run_search(self, evaluate_candidates, *, callback_ctx=None):
        def evaluate_plan(candidates, **options):
            plan, params = self._plan(list(candidates))
            return evaluate_candidates(params, more_results={_PLAN: plan}, **options)

        # Only scikit-learn >= 1.9 knows it.
        context = {} if callback_ctx is None else {"callback_ctx": callback_ctx}
        super()._run_search(evaluate_plan, **context)

    def _format_results(self, candidate_params, n_splits, out, more_results=None):
        plan = more_results.pop(_PLAN)
        # In place: `fit` goes on to read the same lists.
        candidate_params[:], out[:] = self._carry_out(plan, out)
        return super()._format_results(candidate_params, n_splits, out, more_results)
