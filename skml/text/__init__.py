"""Documents to phrases, word vectors, token weights, document vectors and classes."""

from skml.text._embedding import EmbeddingTransformer
from skml.text._fasttext import FastTextClassifier
from skml.text._line_documents import LineDocuments
from skml.text._phrases import PhraseTransformer
from skml.text._tfidf import TfidfWeighter
from skml.text._word2vec import Word2VecTransformer
from skml.text._word_vectors import WordVectors

__all__ = [
    "EmbeddingTransformer",
    "FastTextClassifier",
    "LineDocuments",
    "PhraseTransformer",
    "TfidfWeighter",
    "Word2VecTransformer",
    "WordVectors",
]
