"""Text checks of good input: the result depends on the documents and nothing else."""

import io
import pickle
import tempfile
from pathlib import Path

import joblib
import numpy as np

from skml.utils._text_checks_data import (
    EMPTY,
    UNKNOWN,
    as_array,
    assert_same,
    documents,
    fitted,
    fresh,
    new_documents,
    outputs,
    table_libraries,
    target,
    tolerance,
)


def check_text_subset_invariance(name, estimator_orig, kind="text"):
    """Check that documents one by one give what they give together."""
    X = new_documents(kind)
    estimator = fitted(estimator_orig, kind)
    together = outputs(estimator, X)
    pieces = [outputs(estimator, X[i : i + 1]) for i in range(len(X))]
    for method, output in together.items():
        one_by_one = np.concatenate([as_array(piece[method]) for piece in pieces])
        what = f"{name} on documents one by one"
        assert_same({method: one_by_one}, {method: output}, what, tolerance(output))


def check_text_order_invariance(name, estimator_orig, kind="text"):
    """Check that the order of the documents changes only the order of the result."""
    X = new_documents(kind)
    estimator = fitted(estimator_orig, kind)
    forward, backward = outputs(estimator, X), outputs(estimator, X[::-1])
    for method, output in forward.items():
        what = f"{name} on the documents in reverse"
        turned = as_array(backward[method])[::-1]
        assert_same({method: turned}, {method: output}, what, tolerance(output))


def check_text_pickle(name, estimator_orig, kind="text"):
    """Check that pickle and joblib keep an estimator, fitted or not, exactly."""
    X, X_new = documents(kind), new_documents(kind)
    estimator = fitted(estimator_orig, kind)
    expected = outputs(estimator, X_new)
    for how, copy in {"pickle": _pickled, "joblib": _dumped}.items():
        assert_same(outputs(copy(estimator), X_new), expected, f"{name} after {how}")
        again = copy(fresh(estimator_orig)).fit(X, target(estimator))
        assert_same(outputs(again, X_new), expected, f"{name} fitted after {how}")


def _pickled(estimator):
    return pickle.loads(pickle.dumps(estimator))


def _dumped(estimator):
    file = io.BytesIO()
    joblib.dump(estimator, file)
    file.seek(0)
    return joblib.load(file)


def check_text_readonly(name, estimator_orig, kind="text"):
    """Check that arrays that cannot be written, and memory maps, are taken."""
    expected = outputs(fitted(estimator_orig, kind), new_documents(kind))
    dresses = {"a read-only object array": _frozen_objects}
    if kind == "text":
        dresses["a read-only str array"] = _frozen_strings
        dresses["a memory-mapped str array"] = _memory_map
    for what, dress in dresses.items():
        estimator = fresh(estimator_orig)
        estimator.fit(dress(documents(kind)), target(estimator))
        actual = outputs(estimator, new_documents(kind), dress)
        assert_same(actual, expected, f"{name} on {what}")


def _frozen_objects(X):
    array = object_array(X)
    array.flags.writeable = False
    return array


def _frozen_strings(X):
    array = np.array(X)
    array.flags.writeable = False
    return array


def _memory_map(X):
    # A mapped file that is removed stays readable until it is closed.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        path = Path(folder, "documents.npy")
        np.save(path, np.array(X))
        return np.load(path, mmap_mode="r")


def object_array(X):
    """Documents in an array of objects, lists of tokens as the lists they are."""
    array = np.empty(len(X), dtype=object)
    array[:] = X
    return array


def check_text_containers(name, estimator_orig, kind="text"):
    """Check that the container of the documents, or of their tokens, is no matter."""
    X, X_new = documents(kind), new_documents(kind)
    expected = outputs(fitted(estimator_orig, kind), X_new)
    for what, dress in _containers(kind).items():
        estimator = fresh(estimator_orig).fit(dress(X), target(estimator_orig))
        actual = outputs(estimator, X_new, dress)
        assert_same(actual, expected, f"{name} on {what}")


def _containers(kind):
    containers = {"a tuple": tuple, "an object array": object_array}
    if kind == "text":
        containers["a str array"] = np.array
        containers["a StringDType array"] = _string_dtype_array
    else:
        containers["tuples of tokens"] = lambda X: [tuple(tokens) for tokens in X]
        containers["arrays of tokens"] = lambda X: [np.array(t, str) for t in X]
    return containers | _series(kind)


def _string_dtype_array(X):
    return np.array(X, dtype=np.dtypes.StringDType())


def _series(kind):
    series, libraries = {}, table_libraries()
    if "pandas" in libraries:
        Series = libraries["pandas"].Series
        # The labels of the rows are not their positions.
        series["a pandas Series"] = lambda X: Series(X, range(len(X), 0, -1), object)
        if kind == "text":
            series["a pandas Series of strings"] = lambda X: Series(X, dtype="string")
    if "polars" in libraries:
        series["a polars Series"] = libraries["polars"].Series
    return series


def check_text_generator(name, estimator_orig, kind="text"):
    """Check that a generator gives what a list gives, or is refused as a generator.

    An estimator that needs several passes over the documents may refuse it.
    """
    X_new = new_documents(kind)
    estimator = fitted(estimator_orig, kind)
    expected = outputs(estimator, X_new)
    once = fresh(estimator_orig)
    try:
        once.fit(iter(documents(kind)), target(once))
        actual = outputs(once, X_new, iter)
    except (ValueError, TypeError) as error:
        if "generator" in str(error) or "iterator" in str(error):
            return
        raise AssertionError(
            f"{name} refuses a generator, but the error does not say so: {error}"
        ) from error
    assert_same(actual, expected, f"{name} on a generator")


def check_text_empty_document(name, estimator_orig, kind="text"):
    """Check that a document that is empty, or wholly unknown, has a finite result."""
    X = new_documents(kind)
    estimator = fitted(estimator_orig, kind)
    for positions in ([EMPTY], [UNKNOWN], range(len(X))):
        batch = [X[i] for i in positions]
        for method, output in outputs(estimator, batch).items():
            values = as_array(output)
            what = f"{name}.{method} on {len(batch)} document(s)"
            assert len(values) == len(batch), f"{what} gives {len(values)} row(s)."
            assert values.dtype.kind not in "fc" or _is_sound(values, method), (
                f"{what}, an empty one or one without a known word among them, "
                "gives values that are not finite."
            )


def _is_sound(values, method):
    # The logarithm of a probability of zero is as it should be.
    sound = np.isfinite(values) | (method == "predict_log_proba") & np.isneginf(values)
    return bool(sound.all())
