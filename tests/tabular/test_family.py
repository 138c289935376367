"""One family: parameters of one name have one default, and one text."""

import re
from inspect import getdoc, signature

import numpy as np
import pytest

from skml.tabular import (
    GBDTClassifier,
    GBDTRegressor,
    LightGBMClassifier,
    LightGBMRegressor,
    XGBoostClassifier,
    XGBoostRegressor,
)

FAMILY = [
    XGBoostClassifier,
    XGBoostRegressor,
    LightGBMClassifier,
    LightGBMRegressor,
    GBDTClassifier,
    GBDTRegressor,
]
# What a library counts, or a task allows, in its own way; the names of its parameters.
OWN = {"min_samples_leaf", "monotonic_cst", "library_params", "method"}
OWN_ATTRIBUTES = {"booster_", "estimator_"}


def texts(cls):
    """The types and texts of parameters and attributes, by name."""
    sections = getdoc(cls).partition("Parameters\n")[2].partition("\nNotes\n")[0]
    entries = re.split(r"^(\w+) : ", sections, flags=re.M)[1:]
    return {
        name: " ".join(text.partition("\n\n")[0].replace("\\\n", "").split())
        for name, text in zip(entries[::2], entries[1::2], strict=True)
    }


def test_shared_parameters_have_one_text_and_one_default():
    shared = {}
    for cls in FAMILY:
        of_class = texts(cls)
        assert set(signature(cls).parameters) < set(of_class)
        for name in of_class.keys() - OWN - OWN_ATTRIBUTES:
            shared.setdefault(name, []).append((cls, of_class[name]))
    assert len(shared) > 30
    for name, found in shared.items():
        first = min((text for _, text in found), key=len)
        for cls, text in found:
            # One of two methods may have a limit of its own.
            own = cls.__name__.startswith("GBDT") and r"( (At most|They|Only) .*\.)?"
            assert re.fullmatch(re.escape(first) + (own or ""), text), (cls, name)
    for name in shared.keys() - {name for name in shared if name.endswith("_")}:
        classes = [cls for cls in FAMILY if name in signature(cls).parameters]
        defaults = {repr(signature(cls).parameters[name].default) for cls in classes}
        assert len(defaults) == 1, name


@pytest.mark.parametrize("cls", FAMILY[::2])
def test_auto_stops_early_where_there_are_many_samples(cls):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(10_001, 1))
    y = rng.integers(2, size=10_001)
    model = cls(n_estimators=2, early_stopping="auto", max_leaf_nodes=2)
    assert hasattr(model.fit(X, y), "validation_score_")
    assert not hasattr(model.fit(X[1:], y[1:]), "validation_score_")
