"""Searches that fit once what differs only in the number of trees."""

from skml.model_selection._staged_search import (
    StagedGridSearchCV,
    StagedRandomizedSearchCV,
)

__all__ = ["StagedGridSearchCV", "StagedRandomizedSearchCV"]
