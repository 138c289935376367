"""Documents to word vectors, token weights and document vectors."""

from skml.text._embedding import EmbeddingTransformer
from skml.text._line_documents import LineDocuments
from skml.text._tfidf import TfidfWeighter
from skml.text._word2vec import Word2VecTransformer
from skml.text._word_vectors import WordVectors

__all__ = [
    "EmbeddingTransformer",
    "LineDocuments",
    "TfidfWeighter",
    "Word2VecTransformer",
    "WordVectors",
]
