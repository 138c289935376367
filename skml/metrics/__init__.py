"""Scores, higher is better, and the files that hold what to score against."""

from skml.metrics._answers import answer_exact_match_score, answer_f1_score
from skml.metrics._bleu import (
    bleu_from_statistics,
    bleu_score,
    bleu_statistics,
    sentence_bleu_score,
)
from skml.metrics._bootstrap import paired_bootstrap
from skml.metrics._chrf import chrf_from_statistics, chrf_score, chrf_statistics
from skml.metrics._entity import (
    entity_f1_score,
    entity_precision_recall_fscore_support,
    entity_precision_score,
    entity_recall_score,
)
from skml.metrics._entity_report import entity_classification_report
from skml.metrics._entity_tags import extract_entities
from skml.metrics._scorers import (
    answer_exact_match_scorer,
    answer_f1_scorer,
    bleu_scorer,
    chrf_scorer,
    classification_scorers,
    entity_f1_scorer,
    get_scorer,
    get_scorer_names,
)
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
    "answer_exact_match_score",
    "answer_exact_match_scorer",
    "answer_f1_score",
    "answer_f1_scorer",
    "bleu_from_statistics",
    "bleu_score",
    "bleu_scorer",
    "bleu_statistics",
    "chrf_from_statistics",
    "chrf_score",
    "chrf_scorer",
    "chrf_statistics",
    "classification_scorers",
    "entity_classification_report",
    "entity_f1_score",
    "entity_f1_scorer",
    "entity_precision_recall_fscore_support",
    "entity_precision_score",
    "entity_recall_score",
    "extract_entities",
    "get_scorer",
    "get_scorer_names",
    "load_word_analogies",
    "load_word_similarities",
    "make_word_analogy_scorer",
    "make_word_similarity_scorer",
    "paired_bootstrap",
    "sentence_bleu_score",
    "word_analogy_score",
    "word_similarity_score",
]
