"""The contracts of scikit-learn, restated for estimators that take text.

scikit-learn's own checks feed tables, so that they leave such estimators out. These
feed documents, as str and as lists of tokens, English and Chinese, empty and unknown.
"""

import re
import warnings
from collections.abc import Callable, Iterable
from functools import partial
from typing import Literal
from unittest import SkipTest

from sklearn.base import BaseEstimator, is_classifier
from sklearn.exceptions import EstimatorCheckFailedWarning, SkipTestWarning
from sklearn.utils import estimator_checks as sklearn_checks
from sklearn.utils import get_tags

from skml.utils import _text_checks_api as api
from skml.utils import _text_checks_errors as errors
from skml.utils import _text_checks_fit as fits
from skml.utils import _text_checks_input as inputs
from skml.utils import _text_checks_output as outputs
from skml.utils._text_checks_data import (
    has_names,
    is_composition,
    kinds_of,
    needs_target,
)

__all__ = [
    "check_text_estimator",
    "parametrize_with_text_checks",
    "text_estimator_checks_generator",
]

# Those of scikit-learn's checks that need no documents.
_CHECKS_WITHOUT_DOCUMENTS = (
    sklearn_checks.check_estimator_tags_renamed,
    sklearn_checks.check_valid_tag_types,
    sklearn_checks.check_estimator_repr,
    sklearn_checks.check_no_attributes_set_in_init,
    sklearn_checks.check_do_not_raise_errors_in_init_or_set_params,
    sklearn_checks.check_parameters_default_constructible,
    sklearn_checks.check_mixin_order,
    sklearn_checks.check_get_params_invariance,
    sklearn_checks.check_set_params,
    api.check_text_html_repr,
)
# Checks on documents of a fixed kind, or of both within one check.
_CHECKS_ONCE = (
    api.check_text_token_lists,
    fits.check_text_fit_takes_y,
    errors.check_text_bad_container,
    errors.check_text_missing_in_series,
    errors.check_text_empty_collection,
)
_CHECKS_OF_EACH_KIND = (
    fits.check_text_fit_returns_self,
    fits.check_text_fit_attributes,
    fits.check_text_arguments_untouched,
    fits.check_text_global_generators,
    inputs.check_text_empty_document,
    errors.check_text_bad_document,
)
# Checks that compare results with those of another fit, or another order.
_CHECKS_OF_DETERMINISTIC = (
    fits.check_text_fit_idempotent,
    fits.check_text_refit,
    fits.check_text_random_state,
    inputs.check_text_subset_invariance,
    inputs.check_text_order_invariance,
    inputs.check_text_pickle,
    inputs.check_text_readonly,
    inputs.check_text_containers,
    outputs.check_text_pipeline,
    outputs.check_text_cross_validation,
    outputs.check_text_grid_search,
)
_CHECKS_OF_NAMED_COLUMNS = (
    outputs.check_text_feature_names_out,
    outputs.check_text_set_output,
)


def check_text_estimator(
    estimator: BaseEstimator,
    *,
    expected_failed_checks: dict[str, str] | None = None,
    on_skip: Literal["warn"] | None = "warn",
    on_fail: Literal["raise", "warn"] | None = "raise",
    callback: Callable | None = None,
):
    """Check that an estimator of text keeps scikit-learn's conventions.

    The counterpart of :func:`sklearn.utils.estimator_checks.check_estimator`, for
    estimators whose X is a collection of documents: ``str``, or lists of tokens. A
    :class:`~sklearn.pipeline.Pipeline` or :class:`~sklearn.pipeline.FeatureUnion` of
    such estimators is checked as well, but for its own parameters and tags. An
    estimator without :term:`get_feature_names_out`, and one without a state (the tag
    ``requires_fit`` is False), are spared what they need not have.

    Parameters
    ----------
    estimator : estimator object
        The estimator to check. It must learn something from 48 short documents.
    expected_failed_checks : dict of str to str, default=None
        Names of checks that may fail, each with the reason.
    on_skip : {"warn"} or None, default="warn"
        Whether a check that cannot run, as where pandas and polars are both missing,
        is reported by a :class:`~sklearn.exceptions.SkipTestWarning`.
    on_fail : {"raise", "warn"} or None, default="raise"
        Whether the first failure is raised, or each is reported by an
        :class:`~sklearn.exceptions.EstimatorCheckFailedWarning`, or only returned.
    callback : callable, default=None
        Called after each check with the items of its result as keywords. It cannot be
        given together with ``on_fail="raise"``.

    Returns
    -------
    results : list of dict
        For each check: ``estimator``, ``check_name``, ``exception``, ``status``
        ("passed", "failed", "xfail" or "skipped"), ``expected_to_fail`` and
        ``expected_to_fail_reason``.

    See Also
    --------
    parametrize_with_text_checks : The same checks as tests of pytest.

    Examples
    --------
    >>> from skml.text import TfidfWeighter
    >>> from skml.utils.estimator_checks import check_text_estimator
    >>> results = check_text_estimator(TfidfWeighter())
    >>> {result["status"] for result in results}
    {'passed'}
    """
    if on_fail not in ("raise", "warn", None) or on_skip not in ("warn", None):
        raise ValueError(
            "on_fail must be 'raise', 'warn' or None, and on_skip 'warn' or None; got "
            f"on_fail={on_fail!r} and on_skip={on_skip!r}."
        )
    if on_fail == "raise" and callback is not None:
        raise ValueError(
            "callback cannot be given together with on_fail='raise'; pass "
            "on_fail='warn' or on_fail=None."
        )
    results = []
    for instance, check in text_estimator_checks_generator(estimator):
        result = _run(instance, check, expected_failed_checks or {})
        _report(result, on_skip, on_fail)
        results.append(result)
        if callback is not None:
            callback(**result)
    return results


def _run(estimator, check, expected_failed_checks):
    """The result of one check."""
    check_name = _name_of(check)
    expected = check_name in expected_failed_checks
    try:
        check(estimator)
    except SkipTest as error:
        status, exception = "skipped", error
    except Exception as error:
        status, exception = "xfail" if expected else "failed", error
    else:
        status, exception = "passed", None
    reason = expected_failed_checks.get(check_name, "Check is not expected to fail")
    return {
        "estimator": estimator,
        "check_name": check_name,
        "exception": exception,
        "status": status,
        "expected_to_fail": expected,
        "expected_to_fail_reason": reason,
    }


def _report(result, on_skip, on_fail):
    if result["status"] == "failed" and on_fail == "raise":
        raise result["exception"]
    if result["status"] in ("failed", "xfail") and on_fail == "warn":
        warnings.warn(EstimatorCheckFailedWarning(**result), stacklevel=3)
    if result["status"] == "skipped" and on_skip == "warn":
        warnings.warn(
            f"Skipping check {result['check_name']} for "
            f"{type(result['estimator']).__name__}: {result['exception']}",
            SkipTestWarning,
            stacklevel=3,
        )


def parametrize_with_text_checks(
    estimators: Iterable[BaseEstimator],
    *,
    expected_failed_checks: Callable | None = None,
    xfail_strict: bool | None = None,
):
    """Turn the text checks of some estimators into tests of pytest.

    The counterpart of :func:`sklearn.utils.estimator_checks.parametrize_with_checks`.

    Parameters
    ----------
    estimators : list of estimator objects
        The estimators to check.
    expected_failed_checks : callable, default=None
        Given an estimator, returns a dict: the names of checks that may fail, each
        with the reason. Those tests are marked as xfail.
    xfail_strict : bool, default=None
        Whether a test that is marked and passes is a failure. None leaves it to the
        configuration of pytest.

    Returns
    -------
    decorator : pytest.MarkDecorator
        Give it to a function with the arguments ``estimator`` and ``check``.

    See Also
    --------
    check_text_estimator : Run the checks without pytest.

    Examples
    --------
    >>> from skml.text import TfidfWeighter
    >>> from skml.utils.estimator_checks import parametrize_with_text_checks
    >>> @parametrize_with_text_checks([TfidfWeighter()])
    ... def test_text_estimators(estimator, check):
    ...     check(estimator)
    """
    import pytest

    strict = {} if xfail_strict is None else {"strict": xfail_strict}
    cases = []
    for estimator in estimators:
        expected = expected_failed_checks(estimator) if expected_failed_checks else {}
        for instance, check in text_estimator_checks_generator(estimator):
            marks = ()
            if (name := _name_of(check)) in expected:
                marks = (pytest.mark.xfail(reason=expected[name], **strict),)
            cases.append(pytest.param(instance, check, marks=marks))
    return pytest.mark.parametrize(("estimator", "check"), cases, ids=_id_of)


def text_estimator_checks_generator(estimator: BaseEstimator):
    """Yield the checks that suit an estimator of text.

    Parameters
    ----------
    estimator : estimator object
        The estimator to check. It is fitted once, to see if it takes lists of tokens.

    Yields
    ------
    estimator : estimator object
        The estimator.
    check : callable
        Call it with the estimator; it raises where a contract is broken.

    See Also
    --------
    check_text_estimator : Run all of them.

    Examples
    --------
    >>> from skml.text import TfidfWeighter
    >>> from skml.utils.estimator_checks import text_estimator_checks_generator
    >>> checks = list(text_estimator_checks_generator(TfidfWeighter()))
    >>> for estimator, check in checks[:5]:
    ...     check(estimator)
    """
    if isinstance(estimator, type):
        raise TypeError(
            f"Expected an estimator, got the class {estimator.__name__}. Pass an "
            f"instance: {estimator.__name__}()."
        )
    name, first = type(estimator).__name__, []
    if not is_composition(estimator):
        with warnings.catch_warnings():
            # It has next to no checks for text, and says so: hence this one.
            warnings.simplefilter("ignore", SkipTestWarning)
            first = list(sklearn_checks.estimator_checks_generator(estimator))
    yield from first
    known = {_name_of(check) for _, check in first}
    for check in _yield_text_checks(estimator):
        if _name_of(check) not in known:
            yield estimator, partial(check, name)


def _yield_text_checks(estimator):
    tags, is_whole = get_tags(estimator), not is_composition(estimator)
    yield from _CHECKS_WITHOUT_DOCUMENTS
    if is_whole:
        yield api.check_text_tags
        if tags.requires_fit:
            yield api.check_text_parameter_values
    if is_whole and hasattr(estimator, "_parameter_constraints"):
        # Its X is a table, but parameters are to be refused before X is looked at.
        yield sklearn_checks.check_param_validation
    yield from _CHECKS_ONCE
    if tags.requires_fit:
        yield errors.check_text_unfitted
    if not tags.non_deterministic:
        yield fits.check_text_hash_seed
    kinds = kinds_of(estimator)
    if "tokens" in kinds:
        yield errors.check_text_bad_token
    for kind in kinds:
        for check in _checks_of_each_kind(estimator, tags):
            yield partial(check, kind=kind)


def _checks_of_each_kind(estimator, tags):
    yield from _CHECKS_OF_EACH_KIND
    is_whole = not is_composition(estimator)
    if is_whole:
        yield fits.check_text_parameters_untouched
    if not tags.non_deterministic:
        yield from _CHECKS_OF_DETERMINISTIC
        if is_whole:
            # Between its steps, the documents may be read more than once.
            yield inputs.check_text_generator
        if tags.requires_fit:
            yield fits.check_text_failed_fit
    if hasattr(estimator, "max_iter"):
        yield fits.check_text_n_iter
    if hasattr(estimator, "transform"):
        yield outputs.check_text_fit_transform
    if hasattr(estimator, "transform") and has_names(estimator):
        yield from _CHECKS_OF_NAMED_COLUMNS
    if is_classifier(estimator):
        yield outputs.check_text_classes
    if needs_target(estimator):
        yield errors.check_text_target


def _name_of(check):
    return check.func.__name__ if isinstance(check, partial) else check.__name__


def _id_of(value):
    """The part of a test's name that stands for an estimator or a check."""
    if not isinstance(value, partial):
        return re.sub(r"\s", "", str(value))
    keywords = ",".join(f"{key}={item}" for key, item in value.keywords.items())
    return f"{_name_of(value)}({keywords})" if keywords else _name_of(value)
