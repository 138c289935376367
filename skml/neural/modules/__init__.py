"""Layers of PyTorch for sequence-to-sequence learning; batch first, True = seen."""

from skml.neural.modules._attention import AdditiveAttention, DotProductAttention
from skml.neural.modules._caches import KeyValueCache, TransformerCache
from skml.neural.modules._cross_entropy import linear_cross_entropy
from skml.neural.modules._dropout import Dropout
from skml.neural.modules._multi_head import MultiHeadAttention
from skml.neural.modules._positions import PositionalEncoding
from skml.neural.modules._recurrent_decoder import RecurrentDecoder
from skml.neural.modules._recurrent_encoder import RecurrentEncoder
from skml.neural.modules._recurrent_encoder_decoder import RecurrentEncoderDecoder
from skml.neural.modules._recurrent_state import reorder_state
from skml.neural.modules._transformer_decoder import (
    TransformerDecoder,
    TransformerDecoderLayer,
)
from skml.neural.modules._transformer_encoder import (
    TransformerEncoder,
    TransformerEncoderLayer,
)
from skml.neural.modules._transformer_encoder_decoder import TransformerEncoderDecoder

__all__ = [
    "AdditiveAttention",
    "DotProductAttention",
    "Dropout",
    "KeyValueCache",
    "MultiHeadAttention",
    "PositionalEncoding",
    "RecurrentDecoder",
    "RecurrentEncoder",
    "RecurrentEncoderDecoder",
    "TransformerCache",
    "TransformerDecoder",
    "TransformerDecoderLayer",
    "TransformerEncoder",
    "TransformerEncoderDecoder",
    "TransformerEncoderLayer",
    "linear_cross_entropy",
    "reorder_state",
]
