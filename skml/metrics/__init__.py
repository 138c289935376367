"""Scores, higher is better, and the files that hold what to score against."""

from skml.metrics._word_analogies import (
    load_word_analogies,
    make_word_analogy_scorer,
    word_analogy_score,
)
from skml.metrics._word_similarities import (
    load_word_similarities,
    make_word_similarity_scorer,
    word_similarity_score,
)

__all__ = [
    "load_word_analogies",
    "load_word_similarities",
    "make_word_analogy_scorer",
    "make_word_similarity_scorer",
    "word_analogy_score",
    "word_similarity_score",
]
