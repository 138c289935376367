"""Text checks of bad input: each is refused, with the place and what it was."""

from unittest import SkipTest

import numpy as np
from scipy import sparse
from sklearn.exceptions import NotFittedError
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from skml.utils._text_checks_data import (
    as_array,
    assert_refused,
    assert_refused_everywhere,
    documents,
    fitted,
    fresh,
    is_composition,
    methods_of,
    new_documents,
    table_libraries,
    target,
)
from skml.utils._text_checks_input import object_array

_TWO_DIMENSIONS = r"dimension|column|2-?[dD]"


def check_text_unfitted(name, estimator_orig):
    """Check that what needs a fit says so, and that a fit can be recognised."""
    estimator = fresh(estimator_orig)
    calls = {
        method: (lambda m=method: getattr(estimator, m)(new_documents("text")))
        for method in methods_of(estimator)
    }
    if hasattr(estimator, "get_feature_names_out") and not is_composition(estimator):
        calls["get_feature_names_out"] = lambda: estimator.get_feature_names_out()
    calls["check_is_fitted"] = lambda: check_is_fitted(estimator)
    for what, call in calls.items():
        try:
            call()
        except NotFittedError:
            continue
        except Exception as error:
            raise AssertionError(
                f"{name}, {what} before fit: expected NotFittedError, got {error!r}."
            ) from error
        raise AssertionError(f"{name}, {what} before fit must raise NotFittedError.")
    check_is_fitted(fitted(estimator_orig))


def check_text_bad_container(name, estimator_orig):
    """Check that what is no collection of documents is refused, with its type.

    An estimator with the tag ``input_tags.sparse`` may take counts as well, and so may
    the first step of a composition.
    """
    bad = _bad_containers()
    tags = get_tags(estimator_orig).input_tags
    if not (tags.sparse or is_composition(estimator_orig)):
        n_documents = len(documents("text"))
        counts = np.ones((n_documents, 2))
        bad["a 2-d array of numbers"] = (counts, _TWO_DIMENSIONS)
        bad["a sparse matrix"] = (sparse.csr_array(counts), "sparse")
    estimator = fitted(estimator_orig)
    for what, (X, pattern) in bad.items():
        # What it is, and what was expected.
        patterns = (f"(?i:{pattern})", "(?i:document|text)")
        assert_refused_everywhere(estimator, lambda X=X: X, what, *patterns)


def _bad_containers():
    texts = documents("text")
    bad = {
        "a single str": (texts[0], r"\bstr\b"),
        "bytes": (texts[0].encode(), "bytes"),
        "a dict": (dict(enumerate(texts)), "dict"),
        "a set": (set(texts), r"\bset\b"),
        "None": (None, "None"),
        "a number": (5, r"\bint\b"),
        "NaN": (float("nan"), r"\bfloat\b"),
        "an array without a dimension": (np.array(texts[0]), _TWO_DIMENSIONS),
        "a 2-d array": (np.array(texts)[:, None], _TWO_DIMENSIONS),
    }
    for library, module in table_libraries().items():
        table = module.DataFrame({"text": texts})
        bad[f"a {library} DataFrame"] = (table, _TWO_DIMENSIONS)
    return bad


def check_text_bad_document(name, estimator_orig, kind="text"):
    """Check that the first document that is none is named, with what it is."""
    estimator = fitted(estimator_orig, kind)
    for value in _bad_values():
        X = documents(kind)
        X[3], X[6] = value, object()
        for what, dress in {"list": list, "array": object_array, "it": iter}.items():
            assert_refused_everywhere(
                estimator,
                lambda dress=dress, X=X: dress(X),
                f"{value!r:.30} at position 3 of a {what}",
                r"document 3\b",
                _type_or_value(value),
            )


def _bad_values():
    values = [None, float("nan"), np.float64("nan"), 5, 2.5, b"bytes", {"a": 1}]
    pandas = table_libraries().get("pandas")
    return [*values, pandas.NA, pandas.NaT] if pandas else values


def _type_or_value(value):
    name = type(value).__name__
    return (
        rf"\b{name}\b|{value!r}"
        if isinstance(value, (int, float))
        else (rf"{name}|{value!r}")
    )


def check_text_missing_in_series(name, estimator_orig):
    """Check that a missing document of a Series is named by its position."""
    makers = _series_with_missing()
    if not makers:
        raise SkipTest("Neither pandas nor polars is installed.")
    X, estimator = documents("text"), fitted(estimator_orig)
    X[3] = X[6] = None
    for what, make in makers.items():
        assert_refused_everywhere(
            estimator, lambda make=make: make(X), what, r"document 3\b"
        )


def _series_with_missing():
    makers, libraries = {}, table_libraries()
    if "pandas" in libraries:
        Series = libraries["pandas"].Series
        # The labels start at 100: a message that gives them is of no use.
        for dtype in (object, "string"):
            makers[f"a pandas Series of {dtype!r} with None"] = lambda X, dtype=dtype: (
                Series(X, range(100, 100 + len(X)), dtype)
            )
    if "polars" in libraries:
        makers["a polars Series with null"] = libraries["polars"].Series
    return makers


def check_text_bad_token(name, estimator_orig):
    """Check that the first token that is no str is named, with its document."""
    estimator = fitted(estimator_orig, "tokens")
    for value in (None, 5, 2.5, float("nan"), b"bytes", ["nested"]):
        X = documents("tokens")
        X[3], X[6] = ["the", value, "dog", 7], [8]
        assert_refused_everywhere(
            estimator,
            lambda X=X: X,
            f"the token {value!r}",
            r"document 3\b",
            r"token 1\b",
        )


def check_text_empty_collection(name, estimator_orig):
    """Check that no document at all is an error in `fit`, and one or nothing later.

    After `fit`, a result without rows is as good as a ValueError.
    """
    estimator = fitted(estimator_orig)
    empty = {"an empty list": list, "an exhausted generator": lambda: iter([])}
    empty["an empty array"] = lambda: np.array([], dtype=object)
    for what, make in empty.items():
        y = target(estimator)[:0]
        if get_tags(estimator).requires_fit:
            assert_refused(
                lambda make=make, y=y: fresh(estimator_orig).fit(make(), y),
                f"{name}.fit with {what}",
                "(?i:empty|no document|0 (document|sample)|exhausted|at least)",
            )
        for method in methods_of(estimator):
            _check_nothing(getattr(estimator, method), make(), f"{name}.{method}", what)


def _check_nothing(call, X, method, what):
    try:
        output = as_array(call(X))
    except ValueError:
        return
    except Exception as error:
        raise AssertionError(
            f"{method} with {what}: expected no rows or a ValueError, got {error!r}."
        ) from error
    assert len(output) == 0, f"{method} with {what} gives {len(output)} row(s)."


def check_text_target(name, estimator_orig, kind="text"):
    """Check that an estimator that needs `y` asks for it, of the right length."""
    X, y = documents(kind), target(estimator_orig)
    for what, bad in {"y=None": None, "a y that is too short": y[:-1]}.items():
        assert_refused(
            lambda bad=bad: fresh(estimator_orig).fit(X, bad), f"{name}.fit with {what}"
        )
