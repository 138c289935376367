"""A linear classifier of averaged embeddings, all learned from labelled documents.

Half of this file is the documentation of one class, its parameters and methods.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from copy import copy
from numbers import Integral, Real
from typing import Literal, Self

import numpy as np
from sklearn.base import (
    ClassifierMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.utils.validation import check_is_fitted

from skml._compat.sklearn import (
    CallbackSupportMixin,
    Interval,
    StrOptions,
    _fit_context,
    with_callbacks,
)
from skml._estimator import BaseLearner
from skml._progress import Progress
from skml._typing import ArrayLike, Documents, RandomState
from skml.text._analysis import ANALYSIS_CONSTRAINTS, TextAnalysisMixin
from skml.text._fasttext_classifier_files import FastTextFilesMixin
from skml.text._fasttext_features import document_vectors, read_tokens
from skml.text._fasttext_fitted import LOSSES, MOST_BUCKETS, FittedFastText
from skml.text._fasttext_learning import learn, learn_more
from skml.text._fasttext_parameters import (
    check_classes,
    check_parameters,
    check_partial_fit,
)
from skml.text._fasttext_quantize import QuantizeMixin
from skml.text._quantized import decoded
from skml.text._unknown import warn_unknown
from skml.text._word_vectors import WordVectors


class FastTextClassifier(
    CallbackSupportMixin,
    FastTextFilesMixin,
    QuantizeMixin,
    TextAnalysisMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    ClassifierMixin,
    BaseLearner,
):
    r"""Classify documents by the mean of embeddings that are learned with the classes.

    Each word and each n-gram has a vector. The mean :math:`x` of those of a document
    goes through a linear layer, and all vectors are trained together by stochastic
    gradient descent, as in fastText [1]_. With the vectors :math:`o_c` of the classes,
    the loss of a document of class :math:`c` is

    .. math:: -\log \frac{\exp(x \cdot o_c)}{\sum_k \exp(x \cdot o_k)}

    by a softmax,

    .. math:: -\sum_{v \in \mathrm{path}(c)} \log \sigma(\pm x \cdot o_v)

    by a hierarchical softmax, where the path leads to the class through a Huffman tree,
    and

    .. math:: -\sum_k \log \sigma(\pm x \cdot o_k)

    with one logistic regression per class, where the sign is positive for the classes
    that the document has.

    Each document ends with one more token, ``</s>``, whose vector is a bias, and which
    in n-grams marks the last words. N-grams are not stored: their hashes choose one of
    `n_buckets` vectors, of which only those take memory that occur in `fit`.

    Parameters
    ----------
    vector_size : int, default=100
        Number of dimensions of the vectors.
    ngram_range : tuple of (int, int), default=(1, 2)
        ``(1, n)`` uses single words, and n-grams of up to n words. The minimum must be
        1.
    subwords : tuple of (int, int) or None, default=None
        Learn vectors of the n-grams of characters of these lengths in each word, too,
        which helps with misspelled and inflected words. ``(3, 6)`` is usual.
    n_buckets : int, default=2000000
        The number of vectors that n-grams share by their hashes.
    loss : {"softmax", "hierarchical-softmax", "one-vs-rest"}, default="softmax"
        The training objective; see above. A hierarchical softmax is faster with many
        classes, and less accurate. With targets of several classes a document,
        "one-vs-rest" is the only one.
    min_count : int, default=1
        Words that occur less often have no vector of their own; n-grams with them do.
    max_iter : int, default=25
        Number of epochs.
    learning_rate : float, default=0.5
        The learning rate at the start; from there it falls linearly to zero.
    class_weight : dict or "balanced", default=None
        Weights of the classes. "balanced" weighs them against their frequencies:
        ``n_samples / (n_classes * bincount(y))``.
    pretrained_vectors : WordVectors or None, default=None
        Vectors to start from, for the words that have one. Their other words are known
        to `predict`, too. See :meth:`WordVectors.load`.
    early_stopping : bool or "auto", default=False
        Whether a fraction of the documents is set aside as validation set, training
        stops when their accuracy no longer improves, and the best vectors are kept. If
        "auto", early stopping is enabled if there are more than 10000 samples.
    validation_fraction : float, default=0.1
        The fraction that is set aside as validation set, stratified by class. With
        several classes a document, it is sampled at random.
    n_iter_no_change : int, default=5
        The number of epochs without an improvement by more than `tol` after which
        training stops.
    tol : float, default=1e-4
        The tolerance of an improvement.
    input : {"content", "filename", "file"}, default="content"
        What a document is: text or tokens, the path of a file, an open file.
    encoding : str, default="utf-8"
        The encoding of files.
    decode_error : {"strict", "ignore", "replace"}, default="strict"
        What to do with bytes that are not in the encoding.
    strip_accents : {"ascii", "unicode"}, callable or None, default=None
        How to remove accents from characters.
    lowercase : bool, default=True
        Whether to convert text to lower case.
    preprocessor : callable or None, default=None
        Replaces `strip_accents` and `lowercase`: a function of the text.
    tokenizer : callable or None, default=None
        Replaces `token_pattern`: a function from text to tokens, such as a segmenter.
    analyzer : {"word", "char"} or callable, default="word"
        Whether tokens are words or characters (punctuation and blanks, too), or a
        function from the document to tokens, which replaces all of the analysis.
    stop_words : {"english"}, list of str or None, default=None
        Tokens to leave out.
    token_pattern : str or None, default=r"(?u)\\b\\w\\w+\\b"
        The regular expression of a token when `analyzer` is "word". The default, words
        of two or more characters, is wider here than in scikit-learn: a letter keeps
        its combining marks, such as the vowel signs of Hindi, Tamil or Thai, the vowel
        points of Arabic, and decomposed accents. Any other is taken literally. None
        goes with a `tokenizer`.
    n_jobs : int or None, default=None
        Number of threads that read documents, and that train. None means 1 unless in a
        :obj:`joblib.parallel_backend` context, -1 all processors. In `fit` and
        `partial_fit`, threads share the vectors without locks (Hogwild): the result of
        more than one is not reproducible bit by bit. Predictions do not depend on it.
    random_state : int, RandomState instance or None, default=None
        Decides the initial vectors, the order of documents, the validation set, and the
        centroids of `quantize`. Pass an int and leave `n_jobs` at one thread for the
        same result every time.
    verbose : int, default=0
        Print a line after each `verbose`-th epoch: losses, samples per second, and the
        time elapsed and left; 0 prints nothing.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes, sorted; the columns of probabilities have the same order.
    vocabulary_ : dict
        The row in the vectors of each word. The most frequent word is first.
    counts_ : ndarray of shape (n_words,), dtype int64
        How often each word occurs in the documents of `fit`.
    word_vectors_ : WordVectors
        The words and their vectors, those of n-grams left out.
    n_iter_ : int
        Number of epochs.
    loss_curve_ : ndarray of shape (n_iterations,), dtype float64
        The mean loss of a document (see above) in each epoch.
    validation_score_ : ndarray of shape (n_iterations,), dtype float64
        The accuracy on the validation set after each epoch. Only with early stopping.

    See Also
    --------
    TfidfWeighter : Weights of words and n-grams, for a linear classifier.
    Word2VecTransformer : Vectors of words from documents without labels.
    BertClassifier : A language model that is fine-tuned.

    Notes
    -----
    What differs from fastText: documents are in another random order in each epoch;
    tokens are those of the analysis here; n-grams that no document of `fit` has are
    zeros in the mean, where fastText takes the random vectors that it began with;
    probabilities of "one-vs-rest" sum to one, except for multilabel targets;
    exponentials are computed, not looked up. Hashes are the same.

    References
    ----------
    .. [1] A. Joulin, E. Grave, P. Bojanowski and T. Mikolov (2017). Bag of tricks for
       efficient text classification. EACL, 427-431. arXiv:1607.01759.

    Examples
    --------
    >>> from skml.text import FastTextClassifier
    >>> X = ["a fine day", "a dull day", "a fine, fine film", "what a dull film"]
    >>> y = ["good", "bad", "good", "bad"]
    >>> classifier = FastTextClassifier(vector_size=8, random_state=0).fit(X, y)
    >>> classifier.predict(["a fine film", "a very dull film"])
    array(['good', 'bad'], dtype='<U4')

    Several classes a document, as columns of zeros and ones:

    >>> several = FastTextClassifier(vector_size=8, loss="one-vs-rest", random_state=0)
    >>> several.fit(X, [[1, 0], [0, 0], [1, 1], [0, 1]]).predict(["a fine day"])
    array([[1, 0]])
    """

    _fitted_class = FittedFastText
    _parameter_constraints = {
        "vector_size": [Interval(Integral, 1, None, closed="left")],
        "ngram_range": [tuple, list],
        "subwords": [tuple, list, None],
        "n_buckets": [Interval(Integral, 1, MOST_BUCKETS, closed="both")],
        "loss": [StrOptions(set(LOSSES))],
        "min_count": [Interval(Integral, 1, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "pretrained_vectors": [WordVectors, None],
        "early_stopping": ["boolean", StrOptions({"auto"})],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        **ANALYSIS_CONSTRAINTS,
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        vector_size: int = 100,
        *,
        ngram_range: tuple[int, int] = (1, 2),
        subwords: tuple[int, int] | None = None,
        n_buckets: int = 2_000_000,
        loss: Literal["softmax", "hierarchical-softmax", "one-vs-rest"] = "softmax",
        min_count: int = 1,
        max_iter: int = 25,
        learning_rate: float = 0.5,
        class_weight: dict | Literal["balanced"] | None = None,
        pretrained_vectors: WordVectors | None = None,
        early_stopping: bool | Literal["auto"] = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 5,
        tol: float = 1e-4,
        input: Literal["content", "filename", "file"] = "content",
        encoding: str = "utf-8",
        decode_error: Literal["strict", "ignore", "replace"] = "strict",
        strip_accents: Literal["ascii", "unicode"] | Callable[[str], str] | None = None,
        lowercase: bool = True,
        preprocessor: Callable[[str], str] | None = None,
        tokenizer: Callable[[str], Sequence[str]] | None = None,
        analyzer: Literal["word", "char"] | Callable = "word",
        stop_words: Literal["english"] | Collection[str] | None = None,
        token_pattern: str | None = r"(?u)\b\w\w+\b",
        n_jobs: int | None = None,
        random_state: RandomState = None,
        verbose: int = 0,
    ):
        self.vector_size = vector_size
        self.ngram_range = ngram_range
        self.subwords = subwords
        self.n_buckets = n_buckets
        self.loss = loss
        self.min_count = min_count
        self.max_iter = max_iter
        self.learning_rate = learning_rate
        self.class_weight = class_weight
        self.pretrained_vectors = pretrained_vectors
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.input = input
        self.encoding = encoding
        self.decode_error = decode_error
        self.strip_accents = strip_accents
        self.lowercase = lowercase
        self.preprocessor = preprocessor
        self.tokenizer = tokenizer
        self.analyzer = analyzer
        self.stop_words = stop_words
        self.token_pattern = token_pattern
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self, X: Documents, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Learn the vectors of words, n-grams and classes.

        Parameters
        ----------
        X : iterable of str, or iterable of list of str
            The documents. A generator is consumed once.
        y : array-like of shape (n_documents,) or (n_documents, n_classes)
            The class of each document; or zeros and ones, for several classes a
            document.
        sample_weight : array-like of shape (n_documents,), default=None
            Sample weights, by which the learning rate of a document is multiplied. A
            document of weight 0 is left out.

        Returns
        -------
        self : FastTextClassifier
            The fitted classifier.

        Raises
        ------
        ValueError
            If X and y differ in length, a document or a class is missing, no document
            has a known word or n-gram, or the vectors grow without bound.
        """
        check_parameters(self)
        context = self._init_callback_context(max_subtasks=self.max_iter)
        # A generator is used up later: callbacks must not read it.
        data = {"X": None if isinstance(X, Iterator) else X, "y": y}
        progress = Progress(self, context, data)
        self._publish(learn(self, X, y, sample_weight, progress))
        progress.end()
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self,
        X: Documents,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Continue training with more documents, in one epoch over them.

        Words that occur `min_count` times in them are added, and so are n-grams. In the
        epoch, the learning rate falls from `learning_rate` to zero. `max_iter` and
        ``early_stopping="auto"`` are ignored, and so is `pretrained_vectors` after the
        first call.

        Parameters
        ----------
        X : iterable of str, or iterable of list of str
            More documents. A generator is consumed once.
        y : array-like of shape (n_documents,) or (n_documents, n_classes)
            The class of each document; or zeros and ones, for several classes a
            document.
        classes : array-like of shape (n_classes,), default=None
            All classes that any call may have; for columns of zeros and ones, their
            numbers from 0. Required in the first call, and may be left out later. In a
            model that `from_fasttext` read, the columns are those of `classes_`.
        sample_weight : array-like of shape (n_documents,), default=None
            Sample weights.

        Returns
        -------
        self : FastTextClassifier
            The fitted classifier.

        Raises
        ------
        ValueError
            As in `fit`; or if the first call has no `classes` or a hierarchical
            softmax, a later one has other classes or another shape of the model, or
            with ``early_stopping=True`` or ``class_weight="balanced"``.
        """
        check_parameters(self)
        previous = vars(self).get("_fitted")
        check_partial_fit(self, classes, previous)
        classes = check_classes(self, classes, previous)
        self._publish(learn_more(self, X, y, sample_weight, classes, previous))
        return self

    def _warn_unused(self):
        """As for all texts, but n-grams are made of tokens, whatever made these."""
        checked = copy(self)
        checked.ngram_range = (1, 2)
        TextAnalysisMixin._warn_unused(checked)

    def _mean_vectors(self, X):
        """The mean vector of each document."""
        check_is_fitted(self)
        fitted = self._fitted
        tokens = read_tokens(self, X, is_fit=False, known=fitted.vocabulary)
        means, n_rows = document_vectors(tokens, fitted)
        warn_unknown(
            self,
            tokens.sizes,
            n_rows - (fitted.end_row >= 0),
            tokens.sample,
            why=lambda: f"known are {fitted.vocabulary.terms[:3]} and so on",
            become="have equal predictions",
        )
        return means

    def transform(self, X: Documents) -> np.ndarray:
        """Average the vectors of the words and n-grams of each document.

        Parameters
        ----------
        X : iterable of str, or iterable of list of str
            The documents. A generator is consumed once.

        Returns
        -------
        means : ndarray of shape (n_documents, vector_size), dtype float32
            One vector per document. Without a known word or n-gram it is the bias, the
            vector of ``</s>``.
        """
        return self._mean_vectors(X)

    def predict_proba(self, X: Documents) -> np.ndarray:
        """Predict the probabilities of the classes.

        Parameters
        ----------
        X : iterable of str, or iterable of list of str
            The documents. A generator is consumed once.

        Returns
        -------
        proba : ndarray of shape (n_documents, n_classes), dtype float32
            The probabilities, in the order of `classes_`; each row sums to one, but
            for multilabel targets, where each is independent.
        """
        means = self._mean_vectors(X)
        return self._fitted.proba(means)

    def predict_log_proba(self, X: Documents) -> np.ndarray:
        """Predict the logarithms of the probabilities.

        Parameters
        ----------
        X : iterable of str, or iterable of list of str
            The documents. A generator is consumed once.

        Returns
        -------
        log_proba : ndarray of shape (n_documents, n_classes), dtype float32
            The natural logarithms.
        """
        means = self._mean_vectors(X)
        return self._fitted.log_proba(means)

    def decision_function(self, X: Documents) -> np.ndarray:
        """Return the scores of the classes, before they become probabilities.

        Parameters
        ----------
        X : iterable of str, or iterable of list of str
            The documents. A generator is consumed once.

        Returns
        -------
        decision : ndarray of shape (n_documents,) or (n_documents, n_classes), float32
            The products of the vectors of documents and classes; of two classes, by how
            much that of the second is larger. With hierarchical softmax, the same of
            the logarithms of probabilities.
        """
        means = self._mean_vectors(X)
        return self._fitted.decision(means)

    def predict(self, X: Documents) -> np.ndarray:
        """Predict the classes of documents.

        Parameters
        ----------
        X : iterable of str, or iterable of list of str
            The documents. A generator is consumed once.

        Returns
        -------
        y : ndarray of shape (n_documents,) or (n_documents, n_classes)
            The most probable class; or of each class, whether it is more probable than
            not.
        """
        means = self._mean_vectors(X)
        fitted = self._fitted
        if fitted.is_multilabel:
            return (fitted.decision(means) > 0).astype(int)
        if len(fitted.classes_) == 2:
            return fitted.classes_[(fitted.decision(means) > 0).astype(int)]
        return fitted.classes_[fitted.proba(means).argmax(axis=1)]

    @property
    def vocabulary_(self):
        """The row in the vectors of each word, as a dict."""
        check_is_fitted(self)
        return self._fitted.vocabulary.index

    @property
    def word_vectors_(self):
        """The words and their vectors."""
        check_is_fitted(self)
        words = self._fitted.vocabulary.terms
        vectors = self._fitted.input_vectors[: len(words)]
        return WordVectors(decoded(vectors), words)

    @property
    def _n_features_out(self):
        return self._fitted.vector_size

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        tags.classifier_tags.multi_label = True
        return tags
