"""Documents to word vectors, token weights and document vectors."""

from skml.text._tfidf import TfidfWeighter
from skml.text._word2vec import Word2VecTransformer

__all__ = ["TfidfWeighter", "Word2VecTransformer"]
