"""scikit-learn's own checks, of a choice among embeddings and of the oddest score."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from skml.attention import AttentionPoolingClassifier, AttentionPoolingRegressor

CLASSES = [AttentionPoolingRegressor, AttentionPoolingClassifier]
FEW = {"n_estimators": 1, "hidden_layer_sizes": (4,), "n_components": 2}
ESTIMATORS = [
    *(cls(**FEW, n_bins=4, max_iter=25) for cls in CLASSES),
    AttentionPoolingRegressor(
        "additive", **FEW, embedding="linear", learning_rate=0.05, max_iter=50
    ),
]


@parametrize_with_checks(ESTIMATORS)
def test_scikit_learn_checks(estimator, check):
    check(estimator)
