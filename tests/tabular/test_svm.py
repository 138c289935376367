"""SVMs against pipelines of scikit-learn."""

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn import config_context
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_iris,
    load_wine,
    make_moons,
)
from sklearn.impute import KNNImputer, MissingIndicator, SimpleImputer
from sklearn.kernel_approximation import Nystroem, RBFSampler
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC, SVR, LinearSVC, LinearSVR
from sklearn.utils.estimator_checks import parametrize_with_checks

from skml.tabular import _svm_base, _svm_model
from skml.tabular._svm_base import warn_of_many_rows
from skml.tabular._svm_classifier import SVMClassifier
from skml.tabular._svm_model import kernel_scales, merge_equal_rows
from skml.tabular._svm_regressor import SVMRegressor

# The checks' data have a class with a single row, which cannot be held out.
CANNOT_BE_CALIBRATED = dict.fromkeys(
    [
        "check_dict_unchanged",
        "check_dont_overwrite_parameters",
        "check_f_contiguous_array_estimator",
        "check_fit2d_predict1d",
        "check_methods_sample_order_invariance",
        "check_methods_subset_invariance",
        "check_sample_weight_equivalence_on_dense_data",
        "check_sample_weight_equivalence_on_sparse_data",
    ],
    "calibration holds out rows of each class, and a class has a single row",
)


# Exact SVMs are checked with all estimators of tables.
@parametrize_with_checks(
    [SVMClassifier(approximation="nystroem", n_components=20, calibration="sigmoid")],
    expected_failed_checks=lambda estimator: CANNOT_BE_CALIBRATED,
)
def test_scikit_learn_checks_of_calibration(estimator, check):
    check(estimator)


def with_missing(X, fraction=0.2, seed=0):
    X = X.copy()
    X[np.random.default_rng(seed).random(X.shape) < fraction] = np.nan
    return X


def distinct(X, y):
    """Rows that are all distinct, so that the front door leaves them as they are."""
    rows = np.sort(np.unique(X, axis=0, return_index=True)[1])
    return X[rows], y[rows]


def preparation_of_scikit_learn():
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    return make_union(numbers, MissingIndicator())


@pytest.mark.parametrize("kernel", ["rbf", "linear", "poly", "sigmoid"])
@pytest.mark.parametrize("load", [load_iris, load_breast_cancer, load_wine])
def test_without_missing_values_it_is_the_library(load, kernel):
    X, y = distinct(*load(return_X_y=True))
    scaled = StandardScaler().fit_transform(X)
    gamma = 0.1 if kernel != "linear" else "scale"
    native = SVC(kernel=kernel, gamma=gamma).fit(scaled, y)
    model = SVMClassifier(kernel=kernel, gamma=gamma).fit(X, y)
    assert_array_equal(model.decision_function(X), native.decision_function(scaled))
    assert_array_equal(model.predict(X), native.predict(scaled))
    assert_array_equal(model.support_, native.support_)


def test_without_missing_values_the_regressor_is_the_library():
    X, y = load_diabetes(return_X_y=True)
    native = SVR(C=10, gamma=0.1).fit(X, y)
    model = SVMRegressor(C=10, gamma=0.1, scale=False, scale_target=False).fit(X, y)
    assert_array_equal(model.predict(X), native.predict(X))
    scaled = (y - y.mean()) / y.std()
    native.fit(X, scaled)
    model.set_params(scale_target=True).fit(X, y)
    assert_allclose(model.predict(X), native.predict(X) * y.std() + y.mean())


def test_equals_a_pipeline_of_scikit_learn():
    X, y = load_wine(return_X_y=True)
    X = with_missing(X)
    X, y = X[:-10], y[:-10]
    twin = make_pipeline(preparation_of_scikit_learn(), SVC(tol=1e-10))
    model = SVMClassifier(tol=1e-10).fit(X, y)
    other = with_missing(X, seed=1)
    assert_allclose(
        model.decision_function(other),
        twin.fit(X, y).decision_function(other),
        atol=1e-8,
    )
    assert_allclose(model.estimator_.gamma, twin[-1]._gamma)


def test_gamma_is_that_of_scikit_learn_on_centred_data():
    X, y = load_wine(return_X_y=True)
    scaled = StandardScaler().fit_transform(X)
    native = SVC().fit(scaled, y)
    assert_allclose(SVMClassifier().fit(X, y).estimator_.gamma, native._gamma)
    model = SVMClassifier(gamma="auto").fit(X, y)
    assert model.estimator_.gamma == 1 / X.shape[1]


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
def test_gamma_of_kernels_is_weighted(container):
    X = np.array([[1.0, 0.0], [4.0, 2.0], [0.0, 5.0]])
    weights = np.array([1, 2, 3])
    expected = 2 * np.repeat(X, weights, axis=0).var()
    scales = kernel_scales(container(X), weights.astype(float))
    assert_allclose(scales["scale"], expected)
    assert scales["auto"] == 2
    assert_allclose(kernel_scales(container(X))["scale"], 2 * X.var())


def test_gamma_of_kernels_of_sparse_tables_is_that_of_centred_columns():
    X = np.array([[1.0, 0.0], [4.0, 2.0], [0.0, 5.0]])
    centred = X - [X[:, 0].mean(), 0]
    scale = kernel_scales(sparse.csr_array(X), n_centred=1)["scale"]
    assert_allclose(scale, kernel_scales(centred)["scale"])


def test_scale_with_categories_is_that_of_scikit_learn():
    X, y = load_wine(return_X_y=True)
    table = pd.DataFrame(X[:, :3]).assign(kind=np.array(list("abc"))[y])
    table.columns = table.columns.astype(str)
    prepared = make_column_transformer(
        (StandardScaler(), ["0", "1", "2"]), (OneHotEncoder(), ["kind"])
    ).fit_transform(table)
    native = SVC().fit(prepared, y)
    model = SVMClassifier().fit(table, y)
    assert_allclose(model.estimator_.gamma, native._gamma)
    assert_allclose(
        model.decision_function(table), native.decision_function(prepared), atol=1e-8
    )


def test_one_support_vector_a_side_by_construction():
    """Points at -1 and 1, a linear kernel: the score of x is x, both alphas are 1/2."""
    model = SVMClassifier(kernel="linear", scale=False, tol=1e-9).fit(
        [[-1.0], [1.0]], ["left", "right"]
    )
    assert_allclose(model.decision_function([[0.0], [3.0]]), [0.0, 3.0], atol=1e-9)
    assert_allclose(np.abs(model.estimator_.dual_coef_), [[0.5, 0.5]])
    assert model.predict([[0.1], [-9.0]]).tolist() == ["right", "left"]


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("approximation", [None, "nystroem", "rff"])
@pytest.mark.parametrize("estimator", [SVMClassifier(), SVMRegressor()])
def test_weights_are_repeated_rows_to_the_last_bit(estimator, approximation, container):
    X, y = load_wine(return_X_y=True)
    X = with_missing(X)
    weights = np.random.default_rng(0).integers(0, 4, len(y))
    repeated_X, repeated_y = np.repeat(X, weights, 0), np.repeat(y, weights)
    mixed = np.random.default_rng(1).permutation(len(repeated_y))
    model = clone(estimator).set_params(approximation=approximation, random_state=0)
    weighted = clone(model).fit(container(X), y, weights)
    repeated = clone(model).fit(container(repeated_X[mixed]), repeated_y[mixed])
    method = "predict" if isinstance(estimator, SVMRegressor) else "decision_function"
    assert_allclose(
        getattr(weighted, method)(container(X)),
        getattr(repeated, method)(container(X)),
        rtol=1e-10,
        atol=1e-12,
    )


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
def test_equal_rows_are_merged(container):
    X = np.array([[1.0, np.nan], [0.0, 2.0], [1.0, np.nan], [-0.0, 2.0], [0.0, 2.0]])
    y = np.array([1.0, 0.0, 1.0, 0.0, 1.0])
    merged_X, merged_y, weights, rows = merge_equal_rows(container(X), y, None)
    assert sorted(rows) == [0, 1, 4]
    weight_of_row = {int(r): float(w) for r, w in zip(rows, weights, strict=True)}
    assert weight_of_row == {0: 2.0, 1: 2.0, 4: 1.0}
    assert_array_equal(merged_y, y[rows])
    merged_X = merged_X.toarray() if sparse.issparse(merged_X) else merged_X
    assert_array_equal(merged_X, X[rows])


def test_distinct_rows_stay_in_their_order():
    X, y = np.random.default_rng(0).random((20, 3)), np.arange(20) % 2
    for weights in (None, np.ones(20)):
        same_X, same_y, no_weights, rows = merge_equal_rows(X, y, weights)
        assert same_X is X
        assert same_y is y
        assert no_weights is None
        assert_array_equal(rows, np.arange(20))


def test_support_are_rows_of_the_table():
    X, y = make_moons(60, noise=0.2, random_state=0)
    weights = np.arange(60) % 3
    model = SVMClassifier(scale=False).fit(X, y, weights)
    assert np.all(weights[model.support_] > 0)
    assert_allclose(X[model.support_], model.estimator_.support_vectors_)


@pytest.mark.parametrize("kernel", ["rbf", "linear"])
def test_sparse_predicts_as_dense(kernel):
    """Up to libsvm's 32-bit kernel values, which are larger without centring."""
    X, y = load_wine(return_X_y=True)
    X = with_missing(np.where(np.median(X, axis=0) < X, X, 0.0))
    for estimator, method in (
        (SVMClassifier(kernel=kernel, tol=1e-9), "decision_function"),
        (SVMRegressor(kernel=kernel, tol=1e-9), "predict"),
    ):
        dense = clone(estimator).fit(X, y)
        of_sparse = clone(estimator).fit(sparse.csc_array(X), y)
        assert isinstance(
            of_sparse.preparation_.transform(sparse.csr_array(X)), sparse.csr_array
        )
        assert_allclose(
            getattr(of_sparse, method)(sparse.csr_array(X)),
            getattr(dense, method)(X),
            atol=1e-6 if kernel == "rbf" else 2e-4,
        )


@pytest.mark.parametrize("fitted", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("kernel", ["rbf", "linear", "poly", "sigmoid"])
@pytest.mark.parametrize("approximation", [None, "nystroem", "rff"])
def test_what_is_fitted_to_one_kind_of_table_predicts_of_the_other(
    fitted, kernel, approximation
):
    if (approximation == "rff" and kernel != "rbf") or (approximation, kernel) == (
        *("nystroem", "linear"),
    ):
        pytest.skip("refused")
    X, y = load_wine(return_X_y=True)
    X = with_missing(np.where(np.median(X, axis=0) < X, X, 0.0))
    model = SVMClassifier(
        kernel=kernel,
        approximation=approximation,
        n_components=40,
        calibration="sigmoid",
        random_state=0,
    ).fit(fitted(X), y)
    for method in (model.predict_proba, model.decision_function):
        assert_array_equal(method(sparse.coo_array(X)), method(X))


@pytest.mark.parametrize("method", ["predict_proba", "predict_log_proba"])
def test_without_calibration_an_error_says_what_probabilities_need(method):
    model = SVMClassifier().fit([[0.0], [1.0]], [0, 1])
    with pytest.raises(AttributeError, match=f"no attribute '{method}'") as caught:
        getattr(model, method)
    assert "pass calibration='sigmoid'" in str(caught.value.__cause__)
    assert hasattr(model.set_params(calibration="sigmoid"), method)


def test_class_weight_is_a_weight_of_rows():
    X, y = load_breast_cancer(return_X_y=True)
    weights = np.where(y == 1, 0.25, 2.0)
    by_class = SVMClassifier(class_weight={0: 2.0, 1: 0.25}).fit(X, y)
    by_row = SVMClassifier().fit(X, y, weights)
    assert_array_equal(by_class.decision_function(X), by_row.decision_function(X))


def test_scaled_target_makes_units_meaningless():
    X, y = load_diabetes(return_X_y=True)
    model = SVMRegressor(tol=1e-8)
    small, large = clone(model).fit(X, y), clone(model).fit(X, 1e6 * y + 5e8)
    assert_allclose(1e6 * small.predict(X) + 5e8, large.predict(X), rtol=1e-6)
    assert large.score(X, 1e6 * y + 5e8) > 0.4
    with pytest.warns(UserWarning, match=r"learned nothing.*scale_target=True"):
        raw = SVMRegressor(scale_target=False).fit(X, 1e6 * y)
    assert raw.score(X, 1e6 * y) < 0.1
    assert (raw.target_mean_, raw.target_scale_) == (0.0, 1.0)


@pytest.mark.parametrize("unit", [1e-300, 1e-200, 1e200, 1e300])
def test_target_in_any_unit(unit):
    X, y = load_diabetes(return_X_y=True)
    expected = SVMRegressor().fit(X, y).predict(X) * unit
    assert_allclose(SVMRegressor().fit(X, y * unit).predict(X), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("model", "advice"),
    [
        (SVMRegressor(epsilon=9.0), "Lower epsilon=9"),
        (SVMClassifier(C=1e-12, kernel="linear"), "Raise C=1e-12"),
    ],
)
def test_a_fit_that_learned_nothing_explains_why(model, advice):
    X, y = load_breast_cancer(return_X_y=True)
    with pytest.warns(UserWarning, match=f"learned nothing.*{advice}") as caught:
        model.fit(X, y)
    assert [warning.filename for warning in caught] == [__file__]


def test_constant_target():
    model = SVMRegressor().fit([[1.0], [2.0], [3.0]], [4.0, 4.0, 4.0])
    assert_allclose(model.predict([[9.0]]), [4.0])


@pytest.mark.parametrize("approximation", [None, "nystroem"])
def test_a_single_class_is_a_constant(approximation):
    model = SVMClassifier(calibration="sigmoid", approximation=approximation)
    model.fit([[1.0], [2.0], [np.nan]], ["a", "a", "a"])
    assert model.predict([[5.0], [np.nan]]).tolist() == ["a", "a"]
    assert_array_equal(model.predict_proba([[5.0]]), [[1.0]])
    assert_array_equal(model.decision_function([[5.0]]), [0.0])
    assert not hasattr(model, "support_")


def test_feature_map_and_linear_svm_are_those_of_the_library():
    X, y = load_breast_cancer(return_X_y=True)
    scaled = StandardScaler().fit_transform(X)
    for name, native_map in (
        ("nystroem", Nystroem(gamma=0.03, n_components=40, random_state=7)),
        ("rff", RBFSampler(gamma=0.03, n_components=40, random_state=7)),
    ):
        common = {
            "approximation": name,
            "n_components": 40,
            "gamma": 0.03,
            "random_state": 7,
        }
        features = native_map.fit_transform(scaled)
        native = LinearSVC(dual=False, tol=1e-3, random_state=7).fit(features, y)
        model = SVMClassifier(**common).fit(X, y)
        assert_array_equal(
            model.decision_function(X), native.decision_function(features)
        )
        native = LinearSVR(
            loss="squared_epsilon_insensitive", dual=False, epsilon=0.1, tol=1e-3
        ).fit(features, y)
        model = SVMRegressor(scale_target=False, **common).fit(X, y)
        assert_array_equal(model.predict(X), native.predict(features))


def test_more_components_approximate_better():
    X, y = make_moons(600, noise=0.25, random_state=0)
    exact = SVMClassifier(C=10).fit(X[::2], y[::2]).score(X[1::2], y[1::2])
    model = SVMClassifier(C=10, approximation="nystroem", random_state=0)
    scores = [
        model.set_params(n_components=n).fit(X[::2], y[::2]).score(X[1::2], y[1::2])
        for n in (1, 300)
    ]
    assert scores[0] < scores[1] - 0.05
    assert abs(scores[1] - exact) < 0.03


def test_predictions_by_batches_are_the_same(monkeypatch):
    X, y = load_breast_cancer(return_X_y=True)
    model = SVMClassifier(approximation="rff", random_state=0).fit(X, y)
    expected = model.decision_function(X)
    monkeypatch.setattr("skml._table._preparation.ROWS_AT_ONCE", 100)
    assert_allclose(model.decision_function(X), expected, atol=1e-10)


def test_many_rows_warn_with_figures(monkeypatch):
    monkeypatch.setattr(_svm_base, "MANY_ROWS", 50)
    X, y = make_moons(60, random_state=0)
    message = "faces 60 rows.*about 0.0 minutes.*approximation='nystroem'"
    for model in (SVMClassifier(), SVMRegressor()):
        with pytest.warns(UserWarning, match=message):
            model.fit(X, y)
    SVMClassifier(approximation="nystroem").fit(X, y)


def test_estimate_of_the_time_counts_the_fits_of_calibration():
    with pytest.warns(UserWarning, match="faces 50000 rows.* about 2.1 minutes"):
        warn_of_many_rows("SVMClassifier", 50_000)
    with pytest.warns(UserWarning, match="about 8.8 minutes"):
        warn_of_many_rows("SVMClassifier", 50_000, n_folds=5)


def test_probabilities_need_calibration():
    X, y = load_iris(return_X_y=True)
    model = SVMClassifier().fit(X, y)
    assert not hasattr(model, "predict_proba")
    with pytest.raises(AttributeError) as caught:
        model.predict_proba(X)
    assert "calibration='sigmoid'" in str(caught.value.__cause__)


@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
@pytest.mark.parametrize("load", [load_iris, load_breast_cancer])
def test_calibration_is_that_of_scikit_learn_over_a_pipeline(load, method):
    """The preparation is fitted anew in each fold, so that nothing leaks."""
    X, y = distinct(*load(return_X_y=True))
    weights = np.random.default_rng(0).uniform(0.5, 2, len(y))
    svm = SVMClassifier(gamma=0.1, tol=1e-9)
    folds = StratifiedKFold(5, shuffle=True, random_state=3)
    twin = CalibratedClassifierCV(svm, method=method, cv=folds, ensemble=False)
    twin.fit(with_missing(X), y, weights)
    model = clone(svm).set_params(calibration=method, random_state=3)
    model.fit(with_missing(X), y, weights)
    predicted = model.predict_proba(X)
    assert_allclose(predicted, twin.predict_proba(X), atol=1e-6)
    assert_array_equal(model.predict(X), model.classes_[predicted.argmax(axis=1)])
    assert_allclose(np.exp(model.predict_log_proba(X)), predicted)
    scores = svm.fit(with_missing(X), y, weights).decision_function(X)
    assert_allclose(model.decision_function(X), scores, atol=1e-6)


def test_calibrated_probabilities_are_calibrated():
    X, y = make_moons(2000, noise=0.4, random_state=0)
    model = SVMClassifier(calibration="sigmoid", random_state=0).fit(X[::2], y[::2])
    predicted = model.predict_proba(X[1::2])
    assert log_loss(y[1::2], predicted) < 0.4
    assert abs(predicted[:, 1].mean() - y[1::2].mean()) < 0.02


def test_calibration_under_metadata_routing():
    X, y = load_iris(return_X_y=True)
    model = SVMClassifier(calibration="sigmoid", random_state=0)
    expected = model.fit(X, y, np.ones(len(y))).predict_proba(X)
    with config_context(enable_metadata_routing=True):
        predicted = clone(model).fit(X, y, np.ones(len(y))).predict_proba(X)
    assert_array_equal(predicted, expected)


def test_calibration_of_a_class_of_one_row_is_refused():
    with pytest.raises(ValueError, match="class 'rare' has a single row"):
        SVMClassifier(calibration="sigmoid").fit(
            [[1.0], [2.0], [3.0]], ["often", "rare", "often"]
        )


def test_statistics_come_from_the_training_rows(monkeypatch):
    """What the preparation learns in a fold does not know the rows held out."""
    seen = []

    def spy(X, *args, **parameters):
        seen.append(len(X))
        return learn_preparation(X, *args, **parameters)

    learn_preparation = _svm_model.learn_preparation
    monkeypatch.setattr(_svm_model, "learn_preparation", spy)
    X, y = make_moons(100, noise=0.2, random_state=0)
    SVMClassifier(calibration="sigmoid", random_state=0).fit(X, y)
    assert sorted(seen) == [80] * 5 + [100]


def test_missing_value_in_a_single_fold_is_imputed():
    X, y = make_moons(50, noise=0.2, random_state=0)
    X[3, 0] = np.nan
    model = SVMClassifier(calibration="sigmoid", random_state=0).fit(X, y)
    assert np.isfinite(model.predict_proba(X)).all()


def test_mixed_frame():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "age": rng.normal(40, 10, 200),
            "port": pd.Categorical(rng.choice(list("SCQ"), 200)),
        }
    )
    y = np.where(frame["age"] + 20 * (frame["port"] == "C") > 43, "yes", "no")
    frame.loc[::7, "age"] = np.nan
    frame.loc[::11, "port"] = np.nan
    model = SVMClassifier(calibration="isotonic", random_state=0).fit(frame, y)
    assert model.score(frame, y) > 0.85
    assert model.prepared_feature_names_.tolist() == [
        *("age", "port_C", "port_Q", "port_S"),
        *("missingindicator_age", "missingindicator_port"),
    ]
    frame["port"] = frame["port"].cat.add_categories("Z").fillna("Z")
    assert_array_equal(
        model.predict_proba(frame[["age", "port"]][::11]),
        model.predict_proba(frame.assign(port=None)[::11]),
    )


def test_grid_search_over_a_nested_imputer():
    X, y = load_iris(return_X_y=True)
    search = GridSearchCV(
        SVMClassifier(imputation=KNNImputer()),
        {"imputation__n_neighbors": [1, 5]},
        cv=3,
    ).fit(with_missing(X), y)
    assert search.best_score_ > 0.8
    scores = cross_val_score(SVMRegressor(), *load_diabetes(return_X_y=True))
    assert scores.mean() > 0.4


@pytest.mark.parametrize("calibration", [None, "sigmoid"])
@pytest.mark.parametrize("approximation", [None, "nystroem"])
def test_clone_and_pickle(approximation, calibration):
    X, y = load_iris(return_X_y=True)
    model = SVMClassifier(approximation=approximation, calibration=calibration)
    model = clone(model).fit(with_missing(X), y)
    again = pickle.loads(pickle.dumps(model))
    assert_array_equal(again.decision_function(X), model.decision_function(X))
    assert_array_equal(again.predict(X), model.predict(X))


def test_refit_forgets_what_the_last_fit_left():
    X, y = load_iris(return_X_y=True)
    model = SVMClassifier(calibration="sigmoid").fit(X, y)
    model.set_params(calibration=None, approximation="nystroem").fit(X, y)
    assert not hasattr(model, "predict_proba")
    assert not hasattr(model, "support_")


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"degree": 2}, "kernel='rbf' cannot honour degree=2; leave it at 3"),
        ({"coef0": 1.0}, "kernel='rbf' cannot honour coef0=1.0"),
        ({"kernel": "linear", "gamma": 1.0}, "kernel='linear' cannot honour gamma=1.0"),
        (
            {"approximation": "rff", "kernel": "poly"},
            "approximation='rff' knows kernel='rbf' only",
        ),
        (
            {"approximation": "nystroem", "kernel": "linear"},
            "cannot honour kernel='linear'.*LRClassifier",
        ),
        (
            {"approximation": "rff", "cache_size": 100},
            "approximation='rff' cannot honour cache_size=100; leave it at 200",
        ),
        ({"fill_value": 1.0}, "fill_value=1.0 belongs to imputation='constant'"),
        ({"library_params": {"colour": 2}}, "'colour', which SV[CR] does not know"),
        ({"library_params": {"C": 2.0}}, "'C' of SV[CR]; use C"),
        (
            {"approximation": "rff", "library_params": {"shrinking": True}},
            "'shrinking', which LinearSV[CR] does not know",
        ),
        ({"library_params": {"shrinking": "x"}}, "'shrinking' parameter of SV[CR]"),
        ({"kernel": "cosine"}, "'kernel' parameter of SVM"),
        ({"max_iter": 0}, "'max_iter' parameter of SVM"),
    ],
)
@pytest.mark.parametrize("estimator", [SVMClassifier(), SVMRegressor()])
def test_bad_parameters_are_refused(estimator, parameters, message):
    with pytest.raises(ValueError, match=message):
        clone(estimator).set_params(**parameters).fit([[1.0], [2.0]], [0, 1])


def test_scores_of_pairs_cannot_be_calibrated():
    shape = {"decision_function_shape": "ovo"}
    X, y = load_iris(return_X_y=True)
    model = SVMClassifier(library_params=shape).fit(X, y)
    assert model.decision_function(X).shape == (150, 3)
    with pytest.raises(ValueError, match="cannot honour decision_function_shape='ovo'"):
        model.set_params(calibration="sigmoid").fit(X, y)


@pytest.mark.parametrize("estimator", [SVMClassifier(), SVMRegressor()])
@pytest.mark.parametrize(
    ("X", "y", "sample_weight", "message"),
    [
        ([[1.0], [np.inf]], [0, 1], None, "infinity.*row 1, column 0"),
        ([[1.0], [2.0]], [0, np.nan], None, "y contains NaN"),
        ([[1.0], [2.0]], [0, 1], [1.0, -1.0], "sample_weight of row 1 is -1.0"),
        ([[1.0], [2.0]], [0, 1], [1.0, np.nan], "sample_weight of row 1 is nan"),
        ([[1.0], [2.0]], [0, 1], [0.0, 0.0], "all values of sample_weight are zero"),
    ],
)
def test_bad_data_is_refused(estimator, X, y, sample_weight, message):
    with pytest.raises(ValueError, match=message):
        clone(estimator).fit(X, y, sample_weight)


def test_newly_missing_warns_once_and_is_the_median():
    X, y = load_diabetes(return_X_y=True)
    model = SVMRegressor().fit(X, y)
    row, filled = X[[0]].copy(), X[[0]].copy()
    row[0, 2], filled[0, 2] = np.nan, np.median(X[:, 2])
    with pytest.warns(UserWarning, match="column 2 had no missing values") as caught:
        predicted = model.predict(row)
    assert len(caught) == 1
    assert_array_equal(predicted, model.predict(filled))


def test_a_subclass_may_have_fewer_parameters():
    class Short(SVMClassifier):
        def __init__(self, C=2.0):
            super().__init__(C=C, kernel="linear")

    X, y = load_iris(return_X_y=True)
    expected = SVMClassifier(2.0, kernel="linear").fit(X, y).decision_function(X)
    model = Short().fit(X, y)
    assert_array_equal(model.decision_function(X), expected)
    model.gamma = 1.0
    with pytest.raises(ValueError, match=r"gamma=1\.0; leave it at 'scale'"):
        model.fit(X, y)
