"""Networks for sequences and texts, with PyTorch as an optional extra."""

from skml.neural._bert_classifier import BertClassifier
from skml.neural._bert_pretrainer import BertPretrainer
from skml.neural._bert_question_answerer import BertQuestionAnswerer
from skml.neural._bert_regressor import BertRegressor
from skml.neural._bert_token_classifier import BertTokenClassifier
from skml.neural._bert_transformer import BertTransformer
from skml.neural._seq2seq import Seq2SeqTranslator
from skml.neural._transformer import TransformerTranslator

__all__ = [
    "BertClassifier",
    "BertPretrainer",
    "BertQuestionAnswerer",
    "BertRegressor",
    "BertTokenClassifier",
    "BertTransformer",
    "Seq2SeqTranslator",
    "TransformerTranslator",
]
