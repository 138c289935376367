"""From documents to ids and back: what a vocabulary is made of, learned and stored."""

import re
from collections import Counter
from functools import cache
from itertools import chain

import numpy as np

from skml._codec import register
from skml._optional import import_optional
from skml._validation import check_documents
from skml._words import mark_pattern, word_pattern

PADDING, UNKNOWN, START, END = range(4)
SPECIAL = ("<pad>", "<unk>", "<s>", "</s>")


def read_documents(X, caller, what="X", *, allow_rows=False):
    """Documents that are all text, or all lists of tokens, and their kind.

    The kind is "text", "tokens", or None if there is no document. With `allow_rows`,
    lists may hold texts rather than tokens.
    """
    if what != "X":
        caller = f"{caller}, {what}"
    documents, kind = [], None
    documents_of_X = check_documents(X, caller=caller, allow_rows=allow_rows)
    for position, document in enumerate(documents_of_X):
        is_text = isinstance(document, str)
        kind = kind or ("text" if is_text else "tokens")
        if is_text != (kind == "text"):
            raise TypeError(
                f"{caller}: document {position} is a {type(document).__name__}, and "
                f"those before are {'str' if kind == 'text' else 'lists of tokens'}. "
                "Pass all as text, or all as lists of tokens."
            )
        document = (
            str(document) if is_text else check_tokens(document, position, caller)
        )
        check_characters(document if is_text else "".join(document), position, caller)
        documents.append(document)
    return documents, kind


def check_characters(text, position, caller):
    """No text has half of a surrogate pair, which no encoding can write."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(
            f"{caller}: document {position} has {error.object[error.start]!r}, half of "
            "a surrogate pair, which is no character. Decode the text anew, or replace "
            "it: text.encode('utf-8', 'replace').decode()."
        ) from None


def check_tokens(document, position, caller):
    """A list of tokens, all of which are str."""
    tokens = list(document)
    for at, token in enumerate(tokens):
        if not isinstance(token, str):
            raise TypeError(
                f"{caller}: document {position}, token {at} is {token!r:.60} "
                f"({type(token).__name__}); expected a str."
            )
    return list(map(str, tokens))  # those of NumPy, too


@register
class TokenVocabulary:
    """Ids of tokens, from `len(SPECIAL)` on; each document is a list of tokens."""

    name = "tokens"

    def __init__(self, tokens):
        self.tokens = list(tokens)
        self.ids = {token: i for i, token in enumerate(self.tokens, len(SPECIAL))}

    @staticmethod
    def split(document):
        """The tokens of a document."""
        return document

    @staticmethod
    def join(tokens):
        """The document of some tokens."""
        return tokens

    @classmethod
    def learn(cls, documents, vocabulary_size):
        """The most frequent tokens; of equally frequent ones the smaller first."""
        counts = Counter(chain.from_iterable(map(cls.split, documents)))
        ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        most = None if vocabulary_size is None else vocabulary_size - len(SPECIAL)
        return cls(token for token, _ in ranked[:most])

    def __len__(self):
        return len(SPECIAL) + len(self.tokens)

    def encode(self, documents):
        """Ids of each document, those of unknown tokens being `UNKNOWN`."""
        get = self.ids.get
        return [
            np.array([get(token, UNKNOWN) for token in tokens], dtype=np.int32)
            for tokens in map(self.split, documents)
        ]

    def decode(self, sequences):
        """The document of each sequence of ids; special ones are left out."""
        first = len(SPECIAL)
        return [
            self.join([self.tokens[i - first] for i in sequence if i >= first])
            for sequence in sequences
        ]

    def to_tokens(self, sequence):
        """What each id stands for, special ones included."""
        first = len(SPECIAL)
        return [SPECIAL[i] if i < first else self.tokens[i - first] for i in sequence]

    @classmethod
    def as_written(cls, documents):
        """Documents as `decode` would write them, if no token was unknown."""
        return [cls.join(cls.split(document)) for document in documents]

    def to_data(self):
        return {"tokens": self.tokens}

    @classmethod
    def from_data(cls, data):
        tokens = data["tokens"]
        if type(tokens) is not list or not all(type(t) is str for t in tokens):
            raise ValueError("a token is no str")
        if len(set(tokens)) < len(tokens):
            raise ValueError("a token stands there twice")
        return cls(tokens)


@register
class CharVocabulary(TokenVocabulary):
    """Ids of characters of text."""

    name = "char"
    join = "".join


# What does not end a word before a letter: apostrophes and hyphens as in "13a" of BLEU;
# the dot of Catalan, signs of Hebrew, soft hyphens, and what joins letters or does not.
_WITHIN_WORDS = "['’·\u05f3\u05f4\u00ad\u200c\u200d-]"
# What does not end a number before a digit, and what belongs to it before and behind:
# signs, and units of which "13a" knows none but the dollar and the percent sign.
_WITHIN_NUMBERS = r"(?<=\d)[.,\u066b\u066c](?=\d)"
_UNITS = "\u00a2-\u00a5\u060b\u0e3f\u20a0-\u20cf\uffe0\uffe1\uffe5\uffe6"
_BEFORE_NUMBERS = rf"(?<!\w)[{_UNITS}-]+(?=\d)"
_BEHIND_NUMBERS = rf"(?<=\d)[{_UNITS}\u00b0\u2030]\w*"
# Signs of two or more characters: flags, and emoji that are joined or have a colour.
_FLAG = "[\U0001f1e6-\U0001f1ff]{2}"
_COLOUR = "[\U0001f3fb-\U0001f3ff]"


@cache
def word_or_mark():
    """The regular expression of a word, a number or a punctuation mark."""
    word, mark = word_pattern(), mark_pattern()
    within = f"(?:{_WITHIN_WORDS}|{_WITHIN_NUMBERS})"
    words = f"(?:{_BEFORE_NUMBERS})?{word}(?:{within}{word}|{_BEHIND_NUMBERS})*"
    sign = rf"[^\w\s](?:{mark}|{_COLOUR}|\u200d[^\w\s])*"
    return re.compile(f"{words}|{_FLAG}|{sign}")


@register
class WordVocabulary(TokenVocabulary):
    """Ids of words, numbers and punctuation marks, which blanks join again."""

    name = "word"
    join = " ".join

    @staticmethod
    def split(document):
        return word_or_mark().findall(document)


def with_blank(document):
    """A blank before the first word, as there is before the others."""
    return f" {document}" if document else ""


@register
class BytePairVocabulary:
    """Ids of subword tokens, learned by byte-pair encoding of UTF-8.

    No character is unknown: what was not seen in `learn` is spelled in bytes.
    """

    name = "bpe"

    def __init__(self, stored):
        caller = type(self).__name__
        tokenizers = import_optional("tokenizers", extra="neural", caller=caller)
        self.stored = stored
        self.tokenizer = tokenizers.Tokenizer.from_str(stored)

    @classmethod
    def learn(cls, documents, vocabulary_size):
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=vocabulary_size - len(SPECIAL),
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
            show_progress=False,
        )
        tokenizer.train_from_iterator(map(with_blank, documents), trainer)
        return cls(tokenizer.to_str())

    def __len__(self):
        return len(SPECIAL) + self.tokenizer.get_vocab_size()

    def encode(self, documents):
        # The tokenizer knows no special tokens, which a text might spell otherwise.
        encodings = self.tokenizer.encode_batch_fast(list(map(with_blank, documents)))
        return [
            np.array(encoding.ids, dtype=np.int32) + len(SPECIAL)
            for encoding in encodings
        ]

    def decode(self, sequences):
        first = len(SPECIAL)
        texts = self.tokenizer.decode_batch(
            [[int(i) - first for i in sequence if i >= first] for sequence in sequences]
        )
        return [text.removeprefix(" ") for text in texts]

    def to_tokens(self, sequence):
        """What each id stands for, special ones included."""
        first = len(SPECIAL)
        decode = self.tokenizer.decode
        return [SPECIAL[i] if i < first else decode([int(i) - first]) for i in sequence]

    @staticmethod
    def as_written(documents):
        return documents

    def to_data(self):
        return {"tokenizer": self.stored}

    @classmethod
    def from_data(cls, data):
        try:
            vocabulary = cls(data["tokenizer"])
        except ImportError:
            raise
        except Exception as error:  # the library tokenizers raises no other type
            raise ValueError(f"the tokenizer is damaged: {error!s:.200}") from None
        ids = sorted(vocabulary.tokenizer.get_vocab().values())
        if ids != list(range(len(ids))):
            raise ValueError("ids are missing between 0 and the number of tokens")
        return vocabulary

    def __getstate__(self):
        return self.stored

    def __setstate__(self, stored):
        self.__init__(stored)


VOCABULARIES = {
    cls.name: cls
    for cls in (TokenVocabulary, CharVocabulary, WordVocabulary, BytePairVocabulary)
}
