"""Documents to tokens, with the vocabulary of scikit-learn's vectorizers."""

import math
import re
import warnings
from functools import cache
from inspect import signature
from numbers import Integral
from os import PathLike

import numpy as np

from skml._compat.sklearn import StrOptions
from skml._fitting import warn_user
from skml._validation import check_documents
from skml.text._analyzers import TOKEN_PATTERN, AnalyzersMixin
from skml.text._characters import alphabet, read_pattern
from skml.text._ngrams import (
    BATCHES,
    MOST,
    Analysis,
    count,
    count_batches,
    encode,
)
from skml.text._texts import Texts

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
_PLAIN_PATTERNS = (None, TOKEN_PATTERN)
_BLANKS = re.compile(r"\s\s+")
# What each choice leaves without effect, by the words of scikit-learn's warnings.
_OF_ANALYZER = ("tokenizer", "stop_words", "token_pattern")
_UNUSED = {
    "'analyzer' is callable": (
        "strip_accents",
        "preprocessor",
        "lowercase",
        "ngram_range",
        *_OF_ANALYZER,
    ),
    "'analyzer' != 'word'": _OF_ANALYZER,
    "'tokenizer' is not None": ("token_pattern",),
    "'preprocessor' is not None": ("strip_accents", "lowercase"),
    "'input' == 'content'": ("encoding", "decode_error"),
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


def _set_among(estimator, names):
    """Those of some parameters that are not at their default, with the defaults."""
    defaults = _defaults_of(type(estimator))
    for name in names:
        value = getattr(estimator, name)
        plain = value.item() if isinstance(value, np.generic) else value
        # 1 is a number of documents and 1.0 a proportion: the type counts.
        if type(plain) is not type(defaults[name]) or plain != defaults[name]:
            yield name, value, defaults[name]


def refuse_set(estimator, names, reason):
    """Refuse parameters that would have no effect, unless they are at their default."""
    for name, value, default in _set_among(estimator, names):
        raise ValueError(
            f"{type(estimator).__name__}: {name}={value!r:.60} has no effect when "
            f"{reason}. Leave it at its default, {default!r}."
        )


def check_ngram_range(ngram_range, caller):
    """Refuse what is no pair of a least and a greatest number of symbols."""
    if len(ngram_range) == 2 and all(isinstance(n, Integral) for n in ngram_range):
        least, greatest = ngram_range
        if 1 <= least <= greatest:
            return
        if least > greatest:
            raise ValueError(
                f"{caller}: Invalid value for ngram_range={ngram_range!r} lower "
                "boundary larger than the upper boundary. Expected (min_n, max_n), "
                f"perhaps {(greatest, least)}."
            )
    raise ValueError(
        f"{caller}: ngram_range={ngram_range!r:.60} is no range of n-grams; "
        "expected a tuple (min_n, max_n) of integers with 1 <= min_n <= max_n."
    )


class TextAnalysisMixin(AnalyzersMixin):
    """Mixin for estimators that hold the analysis parameters.

    The class that uses it takes the names of `ANALYSIS_CONSTRAINTS` as constructor
    parameters, and takes documents by ``self._encode(X)`` or ``self._count(X)``.
    """

    # Parameters of some of the estimators.
    max_memory = None
    n_jobs = None

    def _check_analysis(self):
        """Refuse an invalid ngram_range, and no token_pattern without a tokenizer."""
        check_ngram_range(self.ngram_range, type(self).__name__)
        is_cut = self.analyzer == "word" and not self._has_function("tokenizer")
        if is_cut and self.token_pattern is None:
            raise ValueError(
                f"{type(self).__name__}: token_pattern=None and no tokenizer: nothing "
                "says what a token is. Pass a tokenizer, or leave token_pattern at its "
                f"default, {TOKEN_PATTERN!r}."
            )

    def _warn_unused(self):
        """Warn of parameters that have no effect beside the others."""
        reasons = []
        if callable(self.analyzer):
            reasons.append("'analyzer' is callable")
        elif self.analyzer != "word":
            reasons.append("'analyzer' != 'word'")
        elif self.tokenizer is not None:
            reasons.append("'tokenizer' is not None")
        if self.preprocessor is not None and not callable(self.analyzer):
            reasons.append("'preprocessor' is not None")
        if self.input == "content":
            reasons.append("'input' == 'content'")
        for reason in reasons:
            # A token_pattern of None has no effect, and is meant to have none.
            names = [n for n in _UNUSED[reason] if getattr(self, n) is not None]
            names = [n for n in names if n in _defaults_of(type(self))]
            for name, _, default in _set_among(self, names):
                warn_user(
                    f"{type(self).__name__}: The parameter {name!r} will not be used "
                    f"since {reason}. Leave it at its default, {default!r}."
                )

    def _term_analyzer(self):
        """What text that is one term becomes, unless functions of the user decide it.

        A segmenter may cut the same word otherwise where it stands alone.
        """
        if self._has_function("analyzer") or self._has_function("preprocessor"):
            return lambda term: [term]
        if self._has_function("tokenizer"):
            preprocess = self.build_preprocessor()
            return lambda term: [preprocess(term)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the stop words, once more
            return self.build_analyzer()

    def _encode(self, X, *, is_fit=True, known=()):
        """Documents to terms and the ids of tokens; there must be a document.

        Those of `known` terms may have blanks in them, as no row of a table has.
        """
        analysis, documents = self._analyse(X, is_fit=is_fit, known=known)
        max_bytes = math.inf if self.max_memory is None else self.max_memory * 2**20
        terms, documents = encode(documents, analysis, max_bytes, self.n_jobs)
        self._check_not_empty(documents.n_documents)
        return terms, documents

    def _count(self, X, *, is_fit=True, known=()):
        """Documents to the counts of their n-grams; there must be a document."""
        analysis, documents = self._analyse(X, is_fit=is_fit, known=known)
        counts = count(documents, analysis, n_jobs=self.n_jobs)
        self._check_not_empty(len(counts.n_symbols))
        return counts

    def _count_batches(self, X, *, is_fit=True, factor=BATCHES):
        """Documents to the counts of their n-grams, batch by batch."""
        analysis, documents = self._analyse(X, is_fit=is_fit, known=())
        n_documents = 0
        options = {"n_jobs": self.n_jobs, "factor": factor}
        for counts in count_batches(documents, analysis, **options):
            n_documents += len(counts.n_symbols)
            yield counts
        self._check_not_empty(n_documents)

    def _count_known(self, X, vocabulary, dtype, *, is_fit=False):
        """The matrix of counts of the terms of a vocabulary, and all counts."""
        analysis, documents = self._analyse(X, is_fit=is_fit, known=vocabulary)
        terms = columns = None
        if hasattr(X, "__len__") and not isinstance(documents, Texts):
            documents = Texts(list(documents))
        # Words of Python may have blanks in them, and be spelled as n-grams are.
        is_text = isinstance(documents, Texts) and documents.are_str
        if analysis.ngram_range[1] == 1 or is_text:
            terms, columns = vocabulary.closed(analysis)
        counts = count(documents, analysis, n_jobs=self.n_jobs, terms=terms)
        self._check_not_empty(len(counts.n_symbols))
        if terms is None:
            columns = vocabulary.columns_of(counts.spelled())
        matrix = counts.matrix(columns, len(vocabulary), dtype)
        if terms is None:
            matrix.sum_duplicates()
        matrix.has_canonical_format = True
        return matrix, counts

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags

    def _check_not_empty(self, n_documents):
        if n_documents == 0:
            raise ValueError(
                f"{type(self).__name__}: X holds no documents; it is empty, or a "
                "generator that was used up before. Pass a list to go over documents "
                "more than once."
            )

    def _analyse(self, X, *, is_fit, known):
        """How documents become symbols, and documents as far as Python reads them."""
        self._check_analysis()
        if is_fit:
            self._warn_unused()
        analyzer = self._function("analyzer")
        read, analysis = self._split_analysis(analyzer, is_fit=is_fit)
        if read is None and type(X) is list:
            documents = Texts(X)
            if documents.are_str:
                return analysis, documents
        read = _name_bad_bytes(read or (lambda text: text), analysis.caller)
        take = self._ready_tokens if analyzer is None else read
        documents = check_documents(
            X,
            caller=analysis.caller,
            input=self.input,
            allow_rows=analyzer is not None,
            known=known,
        )
        is_content = self.input == "content"
        return analysis, (
            take(document, position)
            if is_content and not isinstance(document, str)
            else read(document, position)
            for position, document in enumerate(documents)
        )

    def _split_analysis(self, analyzer, *, is_fit):
        """What Python makes of a document at first, if anything, and what C does then.

        Python makes tokens of it by functions of the user and by patterns that say more
        than which characters are in a word. Otherwise it only makes text of it.
        """
        caller, is_word = type(self).__name__, self.analyzer == "word"
        vectorizer = self._own_vectorizer()
        decode = None if self.input == "content" else vectorizer.decode
        if analyzer is not None:
            if analyzer is self.analyzer:
                analyzer = vectorizer.build_analyzer()
            return _listed(analyzer), Analysis(caller, alphabet(lowercase=False), list)
        preprocess = vectorizer.build_preprocessor()
        words = {"member": r"\w", "with_marks": True}
        min_characters = 2 if is_word else 1
        if is_word and vectorizer.tokenizer is not None:
            words = None
        elif is_word and self.token_pattern not in _PLAIN_PATTERNS:
            words, min_characters = read_pattern(self.token_pattern)
        in_c = vectorizer.preprocessor is None and not callable(self.strip_accents)
        options = {"ngram_range": tuple(min(n, MOST) for n in self.ngram_range)}
        if is_word:
            options["stop_words"] = self._stop_words(vectorizer, is_fit=is_fit)
        if words is None:
            tokenize = vectorizer.build_tokenizer()
            return _chain(decode, preprocess, _listed(tokenize)), Analysis(
                caller, alphabet(lowercase=False), list, **options
            )
        characters = words if is_word else {}
        if in_c:
            characters = characters | {"strip_accents": self.strip_accents}
        return _chain(decode, None if in_c else preprocess), Analysis(
            caller,
            alphabet(lowercase=in_c and self.lowercase, **characters),
            _chain(preprocess if in_c else None, self._to_symbols(vectorizer)),
            of_words=is_word,
            within_words=self.analyzer == "char_wb",
            min_characters=min_characters,
            **options,
        )

    def _stop_words(self, vectorizer, *, is_fit):
        """The stop words, in order; scikit-learn warns of some that are never found."""
        words = self.get_stop_words() or ()
        if is_fit and words:
            vectorizer.set_params(stop_words=list(words)).build_analyzer()
            vectorizer.set_params(stop_words=None)
        # Of the class str itself, as those of a subclass may be of any equality.
        return tuple(
            sorted(str.__str__(word) for word in words if isinstance(word, str))
        )

    def _to_symbols(self, vectorizer):
        """From text to its words, or to strings whose n-grams are those of the text."""
        if self.analyzer == "word":
            return vectorizer.build_tokenizer()
        if self.analyzer == "char":
            return lambda text: [_BLANKS.sub(" ", text)]
        return lambda text: [f" {word} " for word in text.split()]

    def _ready_tokens(self, tokens, position):
        """A document that is a list of tokens, as it is."""
        names = ("strip_accents", "preprocessor", "tokenizer")
        unused = [name for name in names if getattr(self, name) is not None]
        if self.token_pattern not in _PLAIN_PATTERNS:
            unused.append("token_pattern")
        if self.analyzer != "word":
            unused.append("analyzer")
        if unused:
            raise ValueError(
                f"{type(self).__name__}: document {position} is a list of tokens, "
                f"on which {unused[0]}={getattr(self, unused[0])!r:.60} has no "
                "effect. Pass the document as a str, or leave the parameter at "
                "its default."
            )
        return tokens


def _chain(*functions):
    """One function after the other; None if there is none."""
    functions = [function for function in functions if function is not None]
    if not functions:
        return None

    def run(value):
        for function in functions:
            value = function(value)
        return value

    return run


def _listed(function):
    """A function of the user, which may return any iterable of tokens."""

    def tokens_of(document):
        tokens = function(document)
        return list(tokens) if hasattr(tokens, "__iter__") else tokens

    return tokens_of


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
