"""A smaller FastTextClassifier: the words and n-grams that matter, quantised."""

from dataclasses import replace
from numbers import Integral
from typing import Self

import numpy as np
from sklearn.utils import check_scalar
from sklearn.utils.validation import check_is_fitted

from skml._random import make_random_state
from skml.text._quantized import LARGEST_PART, quantize
from skml.text._tfidf_vocabulary import Vocabulary
from skml.text._vocabulary import take_parts


def keep_longest(fitted, max_features):
    """Keep the words and buckets of n-grams with the longest vectors, and ``</s>``."""
    n_rows, n_words = len(fitted.input_vectors), len(fitted.vocabulary)
    if max_features is None or max_features >= n_rows:
        return fitted
    lengths = np.linalg.norm(fitted.input_vectors, axis=1)
    if fitted.end_row >= 0:
        lengths[fitted.end_row] = np.inf
    kept = np.sort(np.argsort(-lengths, kind="stable")[:max_features])
    spelling, ends = fitted.vocabulary.spelling, fitted.vocabulary.ends
    words, rows = kept[kept < n_words], kept[kept >= n_words]
    return replace(
        fitted,
        vocabulary=Vocabulary(*take_parts(spelling, ends, words)),
        counts_=fitted.counts_[words],
        input_vectors=fitted.input_vectors[kept],
        buckets=fitted.buckets[rows - n_words],
    )


class QuantizeMixin:
    """Making a fitted classifier smaller."""

    def quantize(
        self,
        max_features: int | None = None,
        *,
        subvector_size: int = 2,
        quantize_classes: bool = False,
    ) -> Self:
        """Make the fitted classifier smaller, in place, by product quantisation.

        Each vector of a word or n-gram becomes its length, in one byte, and a
        direction, of which each part of `subvector_size` dimensions is one byte: the
        number of the nearest of 256 centroids, which k-means finds in up to 8192 of the
        vectors. With the defaults, memory, pickles and `save` take about a seventh.
        `max_features` leaves only the vectors that matter most [1]_.

        N-grams that are left out are zeros in the mean of a document, as are those that
        no document of `fit` had, so that probabilities stay close to what they were.
        (The ``-cutoff`` of fastText leaves them out of the mean, too, and is far too
        sure of its classes.) Words that are left out become unknown.

        As with `sparsify` of scikit-learn's linear models, the classifier itself is
        changed, but for its parameters: `fit` and clones begin anew, without
        quantisation. ``copy.copy(classifier).quantize()`` keeps the one before.
        `partial_fit` continues from the decoded vectors, with more n-grams; quantise
        again after it. `random_state` decides where k-means begins.

        Parameters
        ----------
        max_features : int or None, default=None
            How many words and n-grams to keep: those with the longest vectors, and
            ``</s>``. None keeps all.
        subvector_size : int, default=2
            How many dimensions share a byte; the last ones may be fewer. Up to
            `vector_size` and 64. More take less memory, and are less exact.
        quantize_classes : bool, default=False
            Whether to quantise the vectors of the classes, too. That takes less memory
            with some thousand classes, and more with fewer than 256.

        Returns
        -------
        self : FastTextClassifier
            The quantised classifier.

        Raises
        ------
        TypeError or ValueError
            If a parameter is not as above.
        sklearn.exceptions.NotFittedError
            If the classifier is not fitted.

        References
        ----------
        .. [1] A. Joulin, E. Grave, P. Bojanowski, M. Douze, H. Jegou and T. Mikolov
           (2016). FastText.zip: compressing text classification models.
           arXiv:1612.03651.

        Examples
        --------
        >>> from skml.text import FastTextClassifier
        >>> X = ["a fine day", "a dull day", "a fine, fine film", "what a dull film"]
        >>> y = ["good", "bad", "good", "bad"]
        >>> classifier = FastTextClassifier(vector_size=8, random_state=0).fit(X, y)
        >>> classifier.quantize(max_features=5).predict(["a fine film"])
        array(['good'], dtype='<U4')
        >>> sorted(classifier.vocabulary_)
        ['</s>', 'dull', 'fine']
        """
        check_is_fitted(self)
        self._check_quantize(max_features, subvector_size, quantize_classes)
        fitted = self._fitted.decoded()
        random_state = make_random_state(self.random_state)
        fitted = keep_longest(fitted, max_features)
        changed = ["input_vectors", "output_vectors"][: 2 if quantize_classes else 1]
        quantized = {
            name: quantize(getattr(fitted, name), int(subvector_size), random_state)
            for name in changed
        }
        self._publish(replace(fitted, **quantized))
        return self

    def _check_quantize(self, max_features, subvector_size, quantize_classes):
        fitted, caller = self._fitted, type(self).__name__
        most = max(2, min(fitted.vector_size, LARGEST_PART))
        check_scalar(
            subvector_size, "subvector_size", Integral, min_val=1, max_val=most
        )
        check_scalar(quantize_classes, "quantize_classes", (bool, np.bool_))
        if max_features is None:
            return
        check_scalar(max_features, "max_features", Integral, min_val=1)
        if max_features == 1 and fitted.end_row >= 0:
            raise ValueError(
                f"{caller}: max_features=1 keeps nothing but </s>, which all documents "
                "have; pass 2 or more, such as 20000."
            )
