"""The functions that documents go through, for who wants to call or replace them."""

import warnings
from functools import partial
from typing import Any

from sklearn.feature_extraction.text import CountVectorizer

from skml._words import word_pattern

# The parameters of analysis that scikit-learn's vectorizers have, too.
ANALYSIS = (
    "input",
    "encoding",
    "decode_error",
    "strip_accents",
    "lowercase",
    "preprocessor",
    "tokenizer",
    "analyzer",
    "stop_words",
    "token_pattern",
)
# The default stands for `word_pattern`, which differs where there are combining marks.
TOKEN_PATTERN = r"(?u)\b\w\w+\b"


class AnalyzersMixin:
    """Mixin for estimators that hold the analysis parameters: the functions by name.

    A subclass may build others; documents then go through these.
    """

    ngram_range = (1, 1)

    def build_analyzer(self):
        """Build the function from a document to the list of its n-grams.

        Returns
        -------
        analyzer : callable
            What `fit` and `transform` make of a document: it reads the file, if `input`
            says so, and takes a str or a list of tokens.
        """
        self._check_analysis()
        whole = self._own_vectorizer().set_params(
            stop_words=_listed_or_none(self.get_stop_words()),
            ngram_range=tuple(self.ngram_range),
        )
        analyze = whole.build_analyzer()
        if callable(self.analyzer) or self.analyzer != "word":
            return analyze
        # Ready tokens leave all but stop words and n-grams aside.
        names = ("stop_words", "ngram_range")
        ready = CountVectorizer(
            preprocessor=_same,
            tokenizer=_same,
            token_pattern=None,
            **{name: getattr(whole, name) for name in names},
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the stop words, once more
            return partial(_analyze_any, analyze, ready.build_analyzer())

    def build_preprocessor(self):
        """Build the function from a text to the text that is cut into tokens.

        Returns
        -------
        preprocessor : callable
            `preprocessor`, or the function that `strip_accents` and `lowercase` say.
        """
        return self._vectorizer().build_preprocessor()

    def build_tokenizer(self):
        """Build the function from a text to its tokens.

        Returns
        -------
        tokenizer : callable
            `tokenizer`, or the function that finds what `token_pattern` matches.
        """
        self._check_analysis()
        return self._vectorizer().build_tokenizer()

    def decode(self, doc: Any) -> str:
        """Read the text of a document.

        Parameters
        ----------
        doc : str, bytes, path-like or file
            The document, as `input` says.

        Returns
        -------
        text : str
            The text; bytes are decoded as `encoding` and `decode_error` say.
        """
        return self._vectorizer().decode(doc)

    def get_stop_words(self):
        """Look up the stop words.

        Returns
        -------
        stop_words : frozenset of str or None
            The words that are left out.
        """
        words = self.stop_words
        if words is not None and not isinstance(words, str):
            words = list(words)
        return CountVectorizer(stop_words=words).get_stop_words()

    def _vectorizer(self, **functions):
        """The scikit-learn vectorizer that has the same analysis, but for stop words.

        It would analyse the stop words themselves with each analyzer that it builds.
        """
        analysis = {name: getattr(self, name) for name in ANALYSIS}
        if self.token_pattern == TOKEN_PATTERN:
            analysis["token_pattern"] = word_pattern(min_characters=2)
        return CountVectorizer(**analysis | {"stop_words": None} | functions)

    def _own_vectorizer(self):
        """The same, with the functions that a subclass builds."""
        return self._vectorizer(
            preprocessor=self._function("preprocessor"),
            tokenizer=self._function("tokenizer"),
        )

    def _has_function(self, name):
        """Whether a function of the user stands in the place of ours."""
        return self._is_built(name) or callable(getattr(self, name))

    def _function(self, name):
        """A function of the user: what a subclass builds, or a parameter; or None."""
        if self._is_built(name):
            return getattr(self, f"build_{name}")()
        return getattr(self, name) if callable(getattr(self, name)) else None

    def _is_built(self, name):
        method = f"build_{name}"
        return getattr(type(self), method) is not getattr(AnalyzersMixin, method)


def _listed_or_none(words):
    return None if words is None else list(words)


def _same(tokens):
    return tokens


def _analyze_any(analyze_text, analyze_tokens, document):
    """A document may be a list of tokens, which no file is."""
    is_tokens = not isinstance(document, str) and hasattr(document, "__len__")
    return (analyze_tokens if is_tokens else analyze_text)(document)
