"""Estimators for text, tables, attention, translation and BERT, as in scikit-learn."""

from importlib import import_module

__version__ = "0.1.0"

# Every public name and its subpackage. Nothing is loaded until it is used.
_SUBPACKAGE_OF_NAME = {
    "AttentionDisplay": "skml.plotting",
    "AttentionPoolingClassifier": "skml.attention",
    "AttentionPoolingRegressor": "skml.attention",
    "BertClassifier": "skml.neural",
    "BertPretrainer": "skml.neural",
    "BertQuestionAnswerer": "skml.neural",
    "BertRegressor": "skml.neural",
    "BertTokenClassifier": "skml.neural",
    "BertTransformer": "skml.neural",
    "EmbeddingTransformer": "skml.text",
    "FastTextClassifier": "skml.text",
    "GBDTClassifier": "skml.tabular",
    "GBDTRegressor": "skml.tabular",
    "LRClassifier": "skml.tabular",
    "LearningHistoryDisplay": "skml.plotting",
    "LightGBMClassifier": "skml.tabular",
    "LightGBMRegressor": "skml.tabular",
    "LineDocuments": "skml.text",
    "MissingValueReport": "skml.tabular",
    "MissingValuesDisplay": "skml.plotting",
    "SVMClassifier": "skml.tabular",
    "SVMRegressor": "skml.tabular",
    "PhraseTransformer": "skml.text",
    "Seq2SeqTranslator": "skml.neural",
    "StagedGridSearchCV": "skml.model_selection",
    "StagedSearchDisplay": "skml.plotting",
    "StagedRandomizedSearchCV": "skml.model_selection",
    "TfidfWeighter": "skml.text",
    "TransformerTranslator": "skml.neural",
    "Word2VecTransformer": "skml.text",
    "WordVectors": "skml.text",
    "WordVectorsDisplay": "skml.plotting",
    "XGBoostClassifier": "skml.tabular",
    "XGBoostRegressor": "skml.tabular",
    "answer_exact_match_score": "skml.metrics",
    "answer_exact_match_scorer": "skml.metrics",
    "answer_f1_score": "skml.metrics",
    "answer_f1_scorer": "skml.metrics",
    "attention_pooling": "skml.attention",
    "bleu_from_statistics": "skml.metrics",
    "bleu_score": "skml.metrics",
    "bleu_scorer": "skml.metrics",
    "bleu_statistics": "skml.metrics",
    "chrf_from_statistics": "skml.metrics",
    "chrf_score": "skml.metrics",
    "chrf_scorer": "skml.metrics",
    "chrf_statistics": "skml.metrics",
    "classification_scorers": "skml.metrics",
    "entity_classification_report": "skml.metrics",
    "entity_f1_score": "skml.metrics",
    "entity_f1_scorer": "skml.metrics",
    "entity_precision_recall_fscore_support": "skml.metrics",
    "entity_precision_score": "skml.metrics",
    "entity_recall_score": "skml.metrics",
    "extract_entities": "skml.metrics",
    "get_scorer": "skml.metrics",
    "get_scorer_names": "skml.metrics",
    "load_docstrings": "skml.datasets",
    "load_word_analogies": "skml.metrics",
    "load_word_similarities": "skml.metrics",
    "make_word_analogy_scorer": "skml.metrics",
    "make_word_similarity_scorer": "skml.metrics",
    "missing_value_report": "skml.tabular",
    "paired_bootstrap": "skml.metrics",
    "sentence_bleu_score": "skml.metrics",
    "word_analogy_score": "skml.metrics",
    "word_similarity_score": "skml.metrics",
}
_SUBPACKAGES = (
    "attention",
    "datasets",
    "metrics",
    "model_selection",
    "neural",
    "plotting",
    "tabular",
    "text",
    "utils",
)

__all__ = ["__version__", *_SUBPACKAGE_OF_NAME, *_SUBPACKAGES]


def _import_subpackage(name):
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("skml."):
            raise
        raise ImportError(
            f"skml was imported from {__path__[0]}, where {error.name} is not "
            "compiled. Run Python in another folder to import an installed skml, or "
            "install a clone in place: pip install -e ."
        ) from error


def __getattr__(name):
    if name in _SUBPACKAGE_OF_NAME:
        value = getattr(_import_subpackage(_SUBPACKAGE_OF_NAME[name]), name)
    elif name in _SUBPACKAGES:
        value = _import_subpackage(f"skml.{name}")
    else:
        raise AttributeError(f"module 'skml' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__():
    return sorted(__all__)
