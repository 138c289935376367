"""Plots of fitted estimators, as Displays like those of scikit-learn."""

from skml.plotting._attention_display import AttentionDisplay
from skml.plotting._learning_history_display import LearningHistoryDisplay
from skml.plotting._missing_values_display import MissingValuesDisplay
from skml.plotting._staged_search_display import StagedSearchDisplay
from skml.plotting._word_vectors_display import WordVectorsDisplay

__all__ = [
    "AttentionDisplay",
    "LearningHistoryDisplay",
    "MissingValuesDisplay",
    "StagedSearchDisplay",
    "WordVectorsDisplay",
]
