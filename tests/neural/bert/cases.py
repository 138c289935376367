"""Small data, and small models that learn them in a moment."""

from copy import copy
from dataclasses import replace

import numpy as np

from skml.neural import BertClassifier, BertRegressor
from skml.neural._bert_fitted import BertNetwork
from tests.neural.bert.models import SENTENCES, SMALL, tiny_model

TASKS = [BertClassifier, BertRegressor]
CLASSES = np.array(["zoo", "zoo", "lab", "lab", "zoo", "lab", "lab", "lab"])
NUMBERS = np.array([2.0, 3.5, -1.0, 0.0, 2.5, 7.0, 1.0, -4.0])
TARGETS = {BertClassifier: CLASSES, BertRegressor: NUMBERS}
LONG = " ".join(SENTENCES)


def small(cls=BertClassifier, **parameters):
    """A model that is soon fitted, and has learned next to nothing."""
    model = parameters.pop("model", tiny_model(n_layers=1))
    return cls(model, **{**SMALL, "batch_size": 4, **parameters})


def fit(cls=BertClassifier, X=SENTENCES, y=None, sample_weight=None, **parameters):
    y = TARGETS[cls] if y is None else y
    return small(cls, **parameters).fit(X, y, sample_weight)


def outputs(model, X=SENTENCES):
    """What a model says, as fine as it says it."""
    method = "predict_proba" if isinstance(model, BertClassifier) else "predict"
    return getattr(model, method)(X)


def with_networks(model, networks):
    """A copy of a model whose ensemble has these networks."""
    changed, fitted = copy(model), model._fitted
    architecture = fitted.networks[0].architecture
    networks = [BertNetwork(architecture, network) for network in networks]
    changed._publish(replace(fitted, networks=networks))
    return changed


def weights_of(model):
    """The weights of all networks, by name."""
    networks = getattr(model, "estimators_", None) or [model.network_]
    return {
        f"{number}/{name}": w.numpy()
        for number, network in enumerate(networks)
        for name, w in network.state_dict().items()
    }


def assert_same_weights(one, other):
    one, other = weights_of(one), weights_of(other)
    assert one.keys() == other.keys()
    for name, w in one.items():
        np.testing.assert_array_equal(w, other[name], strict=True)


def are_same_weights(one, other):
    pairs = zip(weights_of(one).values(), weights_of(other).values(), strict=True)
    return all(np.array_equal(*pair) for pair in pairs)
