"""Documents to tokens, with the vocabulary of scikit-learn's vectorizers."""

import math
from functools import cache
from inspect import signature
from os import PathLike

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer

from skml._compat.sklearn import StrOptions
from skml._validation import check_documents
from skml._words import word_pattern
from skml.text._line_documents import LineDocuments, encode_lines
from skml.text._vocabulary import encode

# The parameters, whose defaults are scikit-learn's own, and what they may be.
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
# The default stands for `word_pattern`, which differs where there are combining marks.
_TOKEN_PATTERN = r"(?u)\b\w\w+\b"
_PLAIN_PATTERNS = (None, _TOKEN_PATTERN)
# What each choice leaves without effect. Such a parameter is refused, never ignored.
_UNUSED = {
    "analyzer is a callable": (
        "strip_accents",
        "preprocessor",
        "lowercase",
        "tokenizer",
        "stop_words",
        "token_pattern",
    ),
    "analyzer='char'": ("tokenizer", "stop_words", "token_pattern"),
    "tokenizer is given": ("token_pattern",),
    "preprocessor is given": ("strip_accents", "lowercase"),
    "input='content'": ("encoding", "decode_error"),
}


@cache
def _defaults_of(cls):
    """Defaults of parameters, each of the first class whose own constructor has one."""
    return {
        name: parameter.default
        for base in reversed(cls.__mro__)
        if "__init__" in vars(base)
        for name, parameter in signature(base.__init__).parameters.items()
        if parameter.default is not parameter.empty
    }


def refuse_set(estimator, names, reason):
    """Refuse parameters that would have no effect, unless they are at their default."""
    defaults = _defaults_of(type(estimator))
    for name in names:
        value, default = getattr(estimator, name), defaults[name]
        plain = value.item() if isinstance(value, np.generic) else value
        # 1 is a number of documents and 1.0 a proportion: the type counts.
        if type(plain) is not type(default) or plain != default:
            raise ValueError(
                f"{type(estimator).__name__}: {name}={value!r:.60} has no effect when "
                f"{reason}. Leave it at its default, {default!r}."
            )


class TextAnalysisMixin:
    """Mixin for estimators that hold the analysis parameters.

    The class that uses it takes the names of `ANALYSIS_CONSTRAINTS` as constructor
    parameters and iterates over ``self._tokenize(X)``.
    """

    max_memory = None  # a parameter of estimators that bound it

    def _check_analysis(self):
        """Refuse parameters that the chosen way of analysis cannot honour."""
        choices = []
        if callable(self.analyzer):
            choices.append("analyzer is a callable")
        elif self.analyzer == "char":
            choices.append("analyzer='char'")
        elif self.tokenizer is not None:
            choices.append("tokenizer is given")
        elif self.token_pattern is None:
            raise ValueError(
                f"{type(self).__name__}: token_pattern=None and no tokenizer: nothing "
                "says what a token is. Pass a tokenizer, or leave token_pattern at its "
                f"default, {_TOKEN_PATTERN!r}."
            )
        if self.preprocessor is not None:
            choices.append("preprocessor is given")
        if self.input == "content":
            choices.append("input='content'")
        for choice in choices:
            # A token_pattern of None has no effect, and is meant to have none.
            names = [n for n in _UNUSED[choice] if getattr(self, n) is not None]
            refuse_set(self, names, choice)

    def _vectorizer(self):
        """The scikit-learn vectorizer that has the same analysis, but for stop words.

        It would analyse the stop words themselves with each analyzer that it builds.
        """
        analysis = {name: getattr(self, name) for name in ANALYSIS_CONSTRAINTS}
        if self.token_pattern in _PLAIN_PATTERNS:
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
        """What text that is one term becomes, unless functions of the user decide it.

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

    def _tokenize(self, X, *, is_fit=True, known=()):
        """Iterate over the documents of X as sequences of tokens."""
        self._check_analysis()
        if is_fit and self.stop_words is not None and self.analyzer == "word":
            # scikit-learn warns of stop words that the analysis never yields.
            self._vectorizer().set_params(stop_words=self.stop_words).build_analyzer()
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
        max_bytes = math.inf if self.max_memory is None else self.max_memory * 2**20
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

    def _has_plain_analysis(self, X):
        """Whether lines can be analysed in C."""
        plain = ("strip_accents", "preprocessor", "tokenizer", "stop_words")
        return (
            self.input == "content"
            and X.is_utf8
            and not callable(self.analyzer)
            and all(getattr(self, name) is None for name in plain)
            and self.token_pattern in _PLAIN_PATTERNS
        )

    def _ready_tokens(self, stop_words):
        """The function that takes a list of tokens, as it is but for stop words."""
        names = ("strip_accents", "preprocessor", "tokenizer")
        unused = [name for name in names if getattr(self, name) is not None]
        if self.token_pattern not in _PLAIN_PATTERNS:
            unused.append("token_pattern")
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
    """Name the document, the file and the byte in decoding errors."""

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
