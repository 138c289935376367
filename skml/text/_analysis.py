"""Documents to tokens, with the vocabulary of scikit-learn's vectorizers."""

import math
from os import PathLike

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer

from skml._compat.sklearn import StrOptions
from skml._validation import check_documents
from skml._words import word_pattern
from skml.text._line_documents import LineDocuments, encode_lines
from skml.text._unknown import segmentation_advice, warn_unknown
from skml.text._vocabulary import encode

# The parameters, their defaults (scikit-learn's own) and what they may be.
ANALYSIS_CONSTRAINTS = {
    "input": [StrOptions({"content", "filename", "file"})],
    "encoding": [str],
    "decode_error": [StrOptions({"strict", "ignore", "replace"})],
    "strip_accents": [StrOptions({"ascii", "unicode"}), None, callable],
    "lowercase": ["boolean"],
    "preprocessor": [callable, None],
    "tokenizer": [callable, None],
    "analyzer": [StrOptions({"word", "char"}), callable],
    "stop_words": [StrOptions({"english"}), "array-like", set, frozenset, None],
    "token_pattern": [str, None],
}
_DEFAULTS = {
    "encoding": "utf-8",
    "decode_error": "strict",
    "strip_accents": None,
    "lowercase": True,
    "preprocessor": None,
    "tokenizer": None,
    "stop_words": None,
    # Stands for `word_pattern`, which differs where there are combining marks.
    "token_pattern": r"(?u)\b\w\w+\b",
}
# What each choice leaves without effect. Such a parameter is refused, never ignored.
_UNUSED = {
    "callable": (
        "strip_accents",
        "preprocessor",
        "lowercase",
        "tokenizer",
        "stop_words",
        "token_pattern",
    ),
    "char": ("tokenizer", "stop_words", "token_pattern"),
    "tokenizer": ("token_pattern",),
    "preprocessor": ("strip_accents", "lowercase"),
    "content": ("encoding", "decode_error"),
}


class TextAnalysisMixin:
    """Mixin for estimators that hold the analysis parameters.

    The class that uses it takes the names of `ANALYSIS_CONSTRAINTS` as constructor
    parameters and iterates over ``self._tokenize(X)``.
    """

    def _check_analysis(self):
        """Refuse parameters that the chosen way of analysis cannot honour."""
        if callable(self.analyzer):
            self._refuse_unused("callable", "analyzer is a callable")
        elif self.analyzer == "char":
            self._refuse_unused("char", "analyzer='char'")
        elif self.tokenizer is not None:
            self._refuse_unused("tokenizer", "tokenizer is given")
        elif self.token_pattern is None:
            raise ValueError(
                f"{type(self).__name__}: token_pattern=None and no tokenizer: nothing "
                "says what a token is. Pass a tokenizer, or leave token_pattern at its "
                f"default, {_DEFAULTS['token_pattern']!r}."
            )
        if self.preprocessor is not None:
            self._refuse_unused("preprocessor", "preprocessor is given")
        if self.input == "content":
            self._refuse_unused("content", "input='content'")

    def _refuse_unused(self, choice, reason):
        for name in _UNUSED[choice]:
            if self._is_set(name):
                raise ValueError(
                    f"{type(self).__name__}: {name}={getattr(self, name)!r:.60} has no "
                    f"effect when {reason}. Leave it at its default, "
                    f"{_DEFAULTS[name]!r}."
                )

    def _is_set(self, name):
        """Whether a parameter asks for something; None never does."""
        value, default = getattr(self, name), _DEFAULTS[name]
        is_scalar = isinstance(value, (str, bool, np.bool_))
        return value is not None and not (is_scalar and value == default)

    def _vectorizer(self):
        """The scikit-learn vectorizer that has the same analysis, but for stop words.

        It would analyse the stop words themselves with each analyzer that it builds.
        """
        names = ("input", "analyzer", *_DEFAULTS)
        analysis = {name: getattr(self, name) for name in names}
        if not self._is_set("token_pattern"):
            has_pattern = self.analyzer == "word" and self.tokenizer is None
            analysis["token_pattern"] = (
                word_pattern(min_characters=2) if has_pattern else None
            )
        return CountVectorizer(**analysis | {"stop_words": None})

    def _analyzer(self):
        """From a document to its tokens."""
        analyze, stop_words = self._vectorizer().build_analyzer(), self._stop_words()
        if stop_words is None:
            return analyze
        return lambda document: [t for t in analyze(document) if t not in stop_words]

    def _term_analyzer(self):
        """What text that is one term becomes, as far as no function of the user's says.

        A segmenter may cut the same word otherwise where it stands alone.
        """
        if callable(self.analyzer) or self.preprocessor is not None:
            return lambda term: [term]
        if self.tokenizer is None:
            return self._analyzer()
        preprocess = self._vectorizer().build_preprocessor()
        return lambda term: [preprocess(term)]

    def _stop_words(self):
        return CountVectorizer(stop_words=self.stop_words).get_stop_words()

    def _check_stop_words(self):
        """Warn as scikit-learn does of stop words that the analysis never yields."""
        if self.stop_words is not None and self.analyzer == "word":
            vectorizer = self._vectorizer().set_params(stop_words=self.stop_words)
            vectorizer.build_analyzer()

    def _tokenize(self, X, *, is_fit=True, known=()):
        """Iterate over the documents of X as sequences of tokens."""
        self._check_analysis()
        if is_fit:
            self._check_stop_words()
        analyze = _name_bad_bytes(self._analyzer(), type(self).__name__)
        if callable(self.analyzer):
            take = analyze
        else:
            take = self._ready_tokens(self._stop_words())
        documents = check_documents(
            X,
            caller=type(self).__name__,
            input=self.input,
            allow_rows=callable(self.analyzer),
            known=known,
        )
        is_content = self.input == "content"
        return (
            take(document, position)
            if is_content and not isinstance(document, str)
            else analyze(document, position)
            for position, document in enumerate(documents)
        )

    def _encode(self, X, *, is_fit=True, known=()):
        """Documents to terms and the ids of tokens; there must be a document.

        Those of `known` terms may have blanks in them, as no row of a table has.
        """
        caller = type(self).__name__
        max_bytes = self._max_bytes()
        if isinstance(X, LineDocuments) and self._has_plain_analysis(X):
            self._check_analysis()
            terms, documents = encode_lines(
                X,
                self._vectorizer().build_analyzer(),
                chars=self.analyzer == "char",
                lowercase=self.lowercase,
                max_bytes=max_bytes,
            )
        else:
            terms, documents = encode(
                self._tokenize(X, is_fit=is_fit, known=known),
                caller=caller,
                max_bytes=max_bytes,
            )
        if documents.n_documents == 0:
            raise ValueError(
                f"{caller}: X holds no documents; it is empty, or a generator that was "
                "used up before. Pass a list to go over documents more than once."
            )
        return terms, documents

    def _warn_unknown(self, documents, n_known, terms, *, why, remedy, most=0.9):
        """Warn if most documents that were encoded hold no known word."""
        if self.analyzer == "word" and self.tokenizer is None:
            remedy += segmentation_advice(terms)
        n_tokens = np.diff(documents.offsets)
        warn_unknown(
            type(self).__name__, n_tokens, n_known, why=why, remedy=remedy, most=most
        )

    def _max_bytes(self):
        """How many bytes of ids may be in memory."""
        return math.inf

    def _has_plain_analysis(self, X):
        """Whether lines can be analysed in C."""
        plain = ("strip_accents", "preprocessor", "tokenizer", "stop_words")
        return (
            self.input == "content"
            and X.is_utf8
            and not callable(self.analyzer)
            and all(getattr(self, name) is None for name in plain)
            and not self._is_set("token_pattern")
        )

    def _ready_tokens(self, stop_words):
        """The function that takes a list of tokens, as it is but for stop words."""
        unused = [
            name
            for name in ("strip_accents", "preprocessor", "tokenizer", "token_pattern")
            if self._is_set(name)
        ]
        if self.analyzer == "char":
            unused.append("analyzer")

        def take(tokens, position):
            if unused:
                raise ValueError(
                    f"{type(self).__name__}: document {position} is a list of tokens, "
                    f"on which {unused[0]}={getattr(self, unused[0])!r:.60} has no "
                    "effect. Pass the document as a str, or leave the parameter at "
                    "its default."
                )
            if stop_words is None:
                return tokens
            # What is no str may not even be hashable; `encode` reports it.
            return [
                token
                for token in tokens
                if not (isinstance(token, str) and token in stop_words)
            ]

        return take


def _name_bad_bytes(analyze, caller):
    """Let decoding errors say which document, which file and which byte."""

    def analyze_at(document, position):
        try:
            return analyze(document)
        except UnicodeDecodeError as error:
            name = getattr(document, "name", document)
            file = f", file {str(name)!r}," if isinstance(name, (str, PathLike)) else ""
            raise ValueError(
                f"{caller}: document {position}{file} is not {error.encoding}: byte "
                f"0x{error.object[error.start]:02x} at position {error.start} "
                f"({error.reason}). Pass its encoding, or decode_error='replace'."
            ) from error

    return analyze_at
