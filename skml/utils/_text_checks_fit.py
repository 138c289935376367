"""Text checks of `fit`: what it learns, what it leaves alone, what decides it."""

import os
import pickle
import random
import subprocess
import sys
import tempfile
from copy import deepcopy
from inspect import signature
from pathlib import Path

import joblib
import numpy as np

from skml.utils._text_checks_data import (
    assert_refused,
    assert_same,
    documents,
    fitted,
    fresh,
    kinds_of,
    needs_target,
    new_documents,
    outputs,
    target,
)

try:  # what joblib itself sends work to other processes with
    import cloudpickle
except ImportError:  # joblib < 1.6 carries a copy
    from joblib.externals import cloudpickle


def check_text_fit_returns_self(name, estimator_orig, kind="text"):
    """Check that `fit` returns the estimator."""
    estimator = fresh(estimator_orig)
    returned = estimator.fit(documents(kind), target(estimator))
    assert returned is estimator, (
        f"{name}.fit returns {returned!r:.60} instead of the estimator itself."
    )


def check_text_fit_takes_y(name, estimator_orig):
    """Check that `y` is the second parameter, and optional where it is not needed."""
    for method in ("fit", "fit_transform", "fit_predict", "score"):
        if hasattr(estimator_orig, method):
            parameters = list(signature(getattr(estimator_orig, method)).parameters)
            assert parameters[1:2] == ["y"], (
                f"The second parameter of {name}.{method} must be y; the parameters "
                f"are {parameters}."
            )
    if not needs_target(estimator_orig):
        fresh(estimator_orig).fit(documents("text"))


def check_text_fit_attributes(name, estimator_orig, kind="text"):
    """Check that `fit` adds only names that end, or begin, with an underscore."""
    estimator = fresh(estimator_orig)
    before = set(vars(estimator))
    estimator.fit(documents(kind), target(estimator))
    added = [
        attribute
        for attribute in set(vars(estimator)) - before
        if not (attribute.startswith("_") or attribute.endswith("_"))
    ]
    assert not added, (
        f"{name}.fit adds {sorted(added)}; what fit learns ends with an underscore."
    )


def check_text_n_iter(name, estimator_orig, kind="text"):
    """Check that an estimator with `max_iter` says how many iterations it made."""
    estimator = fitted(estimator_orig, kind)
    n_iter = getattr(estimator, "n_iter_", None)
    assert n_iter is not None, f"{name} has max_iter, but learns no n_iter_."
    low, high = np.min(n_iter), np.max(n_iter)
    is_given = not isinstance(estimator.max_iter, str)  # such as "auto"
    assert 1 <= low <= high <= (estimator.max_iter if is_given else np.inf), (
        f"{name}: n_iter_={n_iter!r} is not between 1 and "
        f"max_iter={estimator.max_iter!r}."
    )


def check_text_parameters_untouched(name, estimator_orig, kind="text"):
    """Check that no parameter, and no estimator in a parameter, is changed."""
    estimator = fresh(estimator_orig)
    before = estimator.get_params()
    hashes = {key: _hash(value) for key, value in before.items()}
    estimator.fit(documents(kind), target(estimator))
    outputs(estimator, new_documents(kind))
    after = estimator.get_params()
    changed = [
        key
        for key in before
        if after.get(key) is not before[key] or _hash(after[key]) != hashes[key]
    ]
    assert not changed, f"{name} changes its parameters {changed} in fit or later."


def _hash(value):
    # A function has no state, and one without a name of its own cannot be hashed.
    return id(value) if callable(value) else joblib.hash(value)


def check_text_arguments_untouched(name, estimator_orig, kind="text"):
    """Check that documents and targets are the same afterwards."""
    X, X_new, y = documents(kind), new_documents(kind), target(estimator_orig)
    before = deepcopy((X, X_new, y.tolist()))
    estimator = fresh(estimator_orig).fit(X, y)
    outputs(estimator, X_new)
    for what, now, then in zip(
        ("the documents of fit", "the documents given after fit", "y"),
        (X, X_new, y.tolist()),
        before,
        strict=True,
    ):
        assert now == then, f"{name} changes {what}."


def check_text_fit_idempotent(name, estimator_orig, kind="text"):
    """Check that a second fit on the same documents changes nothing."""
    X, X_new = documents(kind), new_documents(kind)
    estimator = fitted(estimator_orig, kind)
    expected = outputs(estimator, X_new)
    estimator.fit(X, target(estimator))
    assert_same(outputs(estimator, X_new), expected, f"{name} fitted twice")


def check_text_refit(name, estimator_orig, kind="text"):
    """Check that a fit forgets an earlier fit on other documents."""
    X, X_new, y = documents(kind), new_documents(kind), target(estimator_orig)
    estimator = fresh(estimator_orig).fit([*X[:24], *X_new], y[: 24 + len(X_new)])
    estimator.fit(X, y)
    expected = outputs(fitted(estimator_orig, kind), X_new)
    what = f"{name} fitted before on other documents"
    assert_same(outputs(estimator, X_new), expected, what)


def check_text_random_state(name, estimator_orig, kind="text"):
    """Check that the same seed, as a number or a generator, gives the same result."""
    X, X_new, y = documents(kind), new_documents(kind), target(estimator_orig)
    for make_seed in (lambda: 0, lambda: np.random.RandomState(0)):
        one, two = (
            outputs(fresh(estimator_orig, make_seed()).fit(X, y), X_new)
            for _ in range(2)
        )
        assert_same(one, two, f"{name} with random_state={make_seed()!r:.20}, twice")


def check_text_global_generators(name, estimator_orig, kind="text"):
    """Check that the generators shared by a whole process are not drawn from."""
    kept = np.random.get_state(), random.getstate()  # noqa: NPY002
    # One draw, so that a seed that an earlier call may have set shows as well.
    np.random.rand(), random.random()  # noqa: NPY002
    try:
        before = _global_state()
        outputs(fitted(estimator_orig, kind), new_documents(kind))
        after = _global_state()
    finally:
        np.random.set_state(kept[0])  # noqa: NPY002
        random.setstate(kept[1])
    for module in before:
        assert before[module] == after[module], (
            f"{name} draws from, or seeds, the global generator of {module} although "
            "random_state is set."
        )


def _global_state():
    numpy_state = pickle.dumps(np.random.get_state())  # noqa: NPY002
    return {"numpy.random": numpy_state, "random": random.getstate()}


def check_text_failed_fit(name, estimator_orig, kind="text"):
    """Check that a fit that fails leaves a fitted estimator as it was."""
    X_new, y = new_documents(kind), target(estimator_orig)
    estimator = fitted(estimator_orig, kind)
    expected, attributes = outputs(estimator, X_new), set(vars(estimator))
    bad_inputs = {
        # Other documents first: what is learned before the error would show.
        "whose last document is None": [*documents(kind)[:3:-1], *[None] * 4],
        "without documents": [],
    }
    for what, X in bad_inputs.items():
        assert_refused(lambda X=X: estimator.fit(X, y[: len(X)]), f"{name}.fit {what}")
        message = f"{name} after a fit {what} failed"
        assert set(vars(estimator)) == attributes, f"{message}: attributes differ."
        assert_same(outputs(estimator, X_new), expected, message)


_CHILD = """
import pickle, sys
with open(sys.argv[1], "rb") as file:
    sys.path[:] = pickle.load(file)
    run, estimator = pickle.load(file)
with open(sys.argv[2], "wb") as file:
    pickle.dump(run(estimator), file)
"""


def check_text_hash_seed(name, estimator_orig):
    """Check that the result does not hang on the order of sets of strings."""
    # The hashes of this process are any but those of the other one.
    seed = "1" if os.environ.get("PYTHONHASHSEED") == "0" else "0"
    expected = _fit_and_apply(estimator_orig)
    actual = _in_child(_fit_and_apply, estimator_orig, {"PYTHONHASHSEED": seed})
    for kind in expected:
        what = f"{name} in a process with PYTHONHASHSEED={seed}"
        assert_same(actual[kind], expected[kind], what)


def _fit_and_apply(estimator_orig):
    return {
        kind: outputs(fitted(estimator_orig, kind), new_documents(kind))
        for kind in kinds_of(estimator_orig)
    }


def _in_child(run, estimator, environment):
    """What run(estimator) returns in another process."""
    with tempfile.TemporaryDirectory() as folder:
        request, answer = Path(folder, "request"), Path(folder, "answer")
        request.write_bytes(
            pickle.dumps(sys.path) + cloudpickle.dumps((run, estimator))
        )
        child = subprocess.run(
            [sys.executable, "-c", _CHILD, str(request), str(answer)],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert child.returncode == 0, f"Fitting in a process failed:\n{child.stderr}"
        return pickle.loads(answer.read_bytes())
