"""scikit-learn's own checks, on the defaults, the simplest and the oddest attention."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from skml.attention import AttentionPoolingClassifier, AttentionPoolingRegressor

CLASSES = [AttentionPoolingRegressor, AttentionPoolingClassifier]
ESTIMATORS = [
    *(cls() for cls in CLASSES),
    *(cls(embedding="identity") for cls in CLASSES),
    *(
        cls(embedding="linear", attention="additive", n_estimators=1, max_iter=50)
        for cls in CLASSES
    ),
]


@parametrize_with_checks(ESTIMATORS)
def test_scikit_learn_checks(estimator, check):
    check(estimator)
