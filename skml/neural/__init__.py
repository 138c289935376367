"""Sequence-to-sequence learning, with PyTorch as an optional extra."""

from skml.neural._seq2seq import Seq2SeqTranslator
from skml.neural._transformer import TransformerTranslator

__all__ = ["Seq2SeqTranslator", "TransformerTranslator"]
