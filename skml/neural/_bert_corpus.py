"""Documents for pre-training: their sentences, vocabulary and tokens."""

import re

import numpy as np

from skml.neural._bert_text import read_texts

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
# A sentence ends at a line's end, behind full stops of Chinese and Japanese, and behind
# others if a blank follows; closing quotes and brackets belong to it.
END_OF_SENTENCE = re.compile(
    r"""(?<=[。！？!?…])(?![。！？!?…"'”’»」』）)\]])\s*"""
    r"""|(?<=[。！？]["'”’»」』）)\]])\s*"""
    r"""|(?<=[.!?…]["'”’»」』）)\]])\s+"""
    r"""|(?<=[.])\s+|\s*\n\s*"""
)


def split_sentences(text):
    """The sentences of a text.

    >>> split_sentences("It rains. Does it? “Yes!” 下雨了。真的吗？")
    ['It rains.', 'Does it?', '“Yes!”', '下雨了。', '真的吗？']
    """
    return [
        sentence for part in END_OF_SENTENCE.split(text) if (sentence := part.strip())
    ]


def learn_word_pieces(sentences, vocabulary_size, lowercase):
    """The ids of word pieces, by the WordPiece method; special tokens come first."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

    def learn(size, first):
        tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
        tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        trainer = trainers.WordPieceTrainer(
            vocab_size=size,
            special_tokens=first,
            limit_alphabet=max(1000, vocabulary_size // 2),
            show_progress=False,
        )
        tokenizer.train_from_iterator(sentences, trainer)
        return tokenizer.get_vocab()

    # Characters within words get ids in an order that changes from call to call, and
    # ids decide which of equally frequent word pieces is taken: give them ids before.
    inner = (piece for piece in learn(0, list(SPECIAL)) if piece.startswith("##"))
    return learn(vocabulary_size, [*SPECIAL, *sorted(inner)])


def read_sentences(X, caller):
    """Of each document, its sentences."""
    documents, kind = read_texts(X, caller, allow_rows=True)
    if kind == "text":
        documents = map(split_sentences, documents)
    documents = [[s for s in sentences if s.strip()] for sentences in documents]
    if not any(documents):
        raise ValueError(
            f"{caller}: X is empty, or has only empty documents; there is nothing to "
            "learn from."
        )
    return documents


def encode_sentences(documents, tokenizer, caller):
    """The tokens of sentences; what has none is left out."""
    from skml.neural._torch._pretraining import Sentences

    flat = [sentence for sentences in documents for sentence in sentences]
    encodings = tokenizer.encode(flat, special=False, fast=True)
    tokens = (np.array(e.ids, dtype=np.int32) for e in encodings)
    found = [[next(tokens) for _ in sentences] for sentences in documents]
    found = [[ids for ids in sentences if len(ids)] for sentences in found]
    found = [sentences for sentences in found if sentences]
    if not found:
        raise ValueError(f"{caller}: the tokenizer finds nothing in the documents.")
    return Sentences(found)


def sort_vocabulary(reader):
    """The ids of tokens that are not special, and which tokens continue a word."""
    tokenizer = reader.tokenizer.backend
    vocabulary = tokenizer.get_vocab()
    special = {*SPECIAL, *map(tokenizer.id_to_token, reader.special_ids.values())}
    ordinary = sorted(i for token, i in vocabulary.items() if token not in special)
    is_inner = np.zeros(max(vocabulary.values()) + 1, dtype=bool)
    is_inner[[i for token, i in vocabulary.items() if token.startswith("##")]] = True
    return np.array(ordinary), is_inner
