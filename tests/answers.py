"""What fitted estimators answer, by method."""

# What a fitted estimator can be asked without a change of its parameters.
QUESTIONS = (
    "predict",
    "predict_proba",
    "decision_function",
    "predict_spans",
    "transform",
    "attention_weights",
)


def answers(model, X):
    """Everything that a fitted estimator says of X, by method."""
    return {name: getattr(model, name)(X) for name in QUESTIONS if hasattr(model, name)}
