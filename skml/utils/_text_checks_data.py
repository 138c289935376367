"""What the text checks share: documents, fits, outputs, and how they are compared."""

import re
import warnings
from contextlib import suppress
from importlib import import_module

import numpy as np
from scipy import sparse
from sklearn.base import clone, is_regressor
from sklearn.utils import get_tags

KINDS = ("text", "tokens")
METHODS = (
    "transform",
    "predict",
    "predict_proba",
    "predict_log_proba",
    "decision_function",
    "score_samples",
)
_ANIMALS = (
    "the cat sleeps on the warm mat",
    "a dog and a cat play in the garden",
    "猫 喜欢 温暖 的 花园",
    "The dog sleeps in the warm garden.",
    "狗 和 猫 在 花园 里 玩",
    "这只猫在温暖的花园里睡觉",
    "birds sing; the cat listens to the birds",
    "",
)
_MACHINES = (
    "the computer learns from the data",
    "a model learns words and a computer counts words",
    "机器 学习 需要 数据",
    "The model reads the data in the computer.",
    "计算机 从 数据 中 学习 模型",
    "机器学习从数据中学习",
    "data train the model; words are the data",
    "?!",
)
# Every document three times: the usual least counts of a vocabulary leave words.
_N_COPIES = 3
_NEW = (
    "the dog learns from the garden",
    "猫 学习 数据",
    "ξψω φχ",  # no character of this one is known
    "the cat 😺 sleeps",
    "",
    "computer words, computer data",
    "这只猫在学习",
    "a model sleeps",
)
EMPTY, UNKNOWN = _NEW.index(""), _NEW.index("ξψω φχ")


def documents(kind):
    """Documents to fit on, of two topics in turn: str, or lists of tokens."""
    pairs = zip(_ANIMALS, _MACHINES, strict=True)
    return _of_kind([text for pair in pairs for text in pair] * _N_COPIES, kind)


def new_documents(kind):
    """Documents to apply an estimator to; one is empty, one has no known word."""
    return _of_kind(_NEW, kind)


def _of_kind(texts, kind):
    return [text.split() if kind == "tokens" else text for text in texts]


def target(estimator):
    """What belongs to `documents`: the topics, or numbers for a regressor."""
    n_pairs = len(_ANIMALS) * _N_COPIES
    if is_regressor(estimator):
        return np.arange(2.0 * n_pairs) % 7
    return np.array(["animals", "machines"] * n_pairs)


def is_composition(estimator):
    """Whether an estimator is made of estimators, as a Pipeline or a FeatureUnion is.

    It may have no tag of text, and fits its parameters.
    """
    return hasattr(estimator, "steps") or hasattr(estimator, "transformer_list")


def has_names(estimator_orig):
    """Whether the columns of the result have names, which are optional."""
    if is_composition(estimator_orig):
        # It has the method; its steps may not.
        try:
            fitted(estimator_orig).get_feature_names_out()
        except AttributeError:
            return False
    return hasattr(estimator_orig, "get_feature_names_out")


def needs_target(estimator):
    """Whether an estimator, or a step of it, cannot be fitted without `y`."""
    parts = estimator.get_params().values() if is_composition(estimator) else ()
    return any(
        get_tags(part).target_tags.required
        for part in (estimator, *parts)
        if hasattr(part, "__sklearn_tags__")
    )


def fresh(estimator_orig, seed=0):
    """A clone that is not fitted, with every `random_state` set."""
    estimator = clone(estimator_orig)
    names = [
        name
        for name in estimator.get_params()
        if name == "random_state" or name.endswith("__random_state")
    ]
    return estimator.set_params(**dict.fromkeys(names, seed))


def fitted(estimator_orig, kind="text"):
    """A clone that is fitted on `documents`."""
    return fresh(estimator_orig).fit(documents(kind), target(estimator_orig))


def token_refusal(estimator_orig):
    """The error with which an estimator refuses lists of tokens, or None."""
    try:
        fitted(estimator_orig, "tokens")
    except Exception as error:
        return error
    return None


def kinds_of(estimator_orig):
    """The kinds of documents that an estimator takes; all should take text."""
    return KINDS if token_refusal(estimator_orig) is None else KINDS[:1]


def table_libraries():
    """The installed ones of pandas and polars, by name."""
    libraries = {}
    for name in ("pandas", "polars"):
        with suppress(ImportError):
            libraries[name] = import_module(name)
    return libraries


def methods_of(estimator):
    """The names of the methods that take documents once the estimator is fitted."""
    return [name for name in METHODS if hasattr(estimator, name)]


def outputs(estimator, X, container=lambda X: X):
    """What each method returns for X. `container` wraps X anew for each of them."""
    names = methods_of(estimator)
    assert names, (
        f"{type(estimator).__name__} has none of {', '.join(METHODS)}: "
        "there is nothing to check."
    )
    with warnings.catch_warnings():
        # Of documents without a known word, of which the checks have one.
        warnings.filterwarnings("ignore", "(?s).*no known word", UserWarning)
        return {name: getattr(estimator, name)(container(X)) for name in names}


def as_array(output):
    """An output as a NumPy array, whatever it was; ragged lists as objects."""
    if sparse.issparse(output):
        return output.toarray()
    if isinstance(output, (list, tuple)):
        array = np.empty(len(output), dtype=object)
        array[:] = output
        return array
    return output.to_numpy() if hasattr(output, "to_numpy") else np.asarray(output)


def assert_same(actual, expected, what, rtol=0.0):
    """Check that two results of `outputs` are equal, exactly unless `rtol` is given."""
    assert actual.keys() == expected.keys(), f"{what}: the methods differ."
    for method in expected:
        got, wanted = as_array(actual[method]), as_array(expected[method])
        message = f"{what}: {method} gives another result."
        numeric = wanted.dtype.kind in "fciub"
        assert not numeric or got.dtype == wanted.dtype, (
            f"{message} Its dtype is {got.dtype} instead of {wanted.dtype}."
        )
        if numeric and rtol:
            atol = rtol * np.abs(wanted[np.isfinite(wanted)]).max(initial=0)
            np.testing.assert_allclose(got, wanted, rtol, atol, err_msg=message)
        else:
            np.testing.assert_array_equal(got, wanted, err_msg=message)


def tolerance(output):
    """How far results may differ that are sums of the same terms in another order."""
    output = as_array(output)
    return 1e3 * np.finfo(output.dtype).eps if output.dtype.kind == "f" else 0.0


def assert_refused(call, what, *patterns):
    """Check that a call raises ValueError or TypeError, with each pattern in it."""
    try:
        call()
    except (ValueError, TypeError) as error:
        missing = [text for text in patterns if not re.search(text, str(error))]
        if missing:
            raise AssertionError(
                f"{what}: the error does not say {' nor '.join(missing)}: {error}"
            ) from error
    except Exception as error:
        raise AssertionError(
            f"{what}: expected a ValueError or TypeError, got {error!r}."
        ) from error
    else:
        raise AssertionError(f"{what} is accepted; it must raise a ValueError.")


def assert_refused_everywhere(estimator, make_X, what, *patterns):
    """Check that neither `fit` nor a method of a fitted estimator takes an input.

    The `fit` of an estimator without a state need not look at it. `make_X` makes the
    input anew for each call, so that it may be a generator.
    """
    name = type(estimator).__name__
    y = target(estimator)
    if get_tags(estimator).requires_fit:
        assert_refused(
            lambda: fresh(estimator).fit(make_X(), y),
            f"{name}.fit with {what}",
            *patterns,
        )
    for method in methods_of(estimator):
        assert_refused(
            lambda method=method: getattr(estimator, method)(make_X()),
            f"{name}.{method} with {what}",
            *patterns,
        )
