"""What FastTextClassifier has learned, from files of fastText, and back."""

import re
from itertools import pairwise
from os import fsdecode
from pathlib import Path
from typing import Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skml._typing import FilePath
from skml.text._fasttext_files import (
    FastTextParameters,
    fasttext_chunks,
    open_fasttext,
)
from skml.text._fasttext_fitted import FittedFastText
from skml.text._fasttext_matrices import dense_chunks, quantised_chunks
from skml.text._fasttext_vectors import bucket_rows
from skml.text._quantized import QuantizedVectors
from skml.text._tfidf_vocabulary import Vocabulary
from skml.text._word_vector_files import real_path, write_chunks

_LOSSES = {
    "softmax": "softmax",
    "hierarchical-softmax": "hierarchical-softmax",
    "one-vs-all": "one-vs-rest",
    "negative-sampling": "one-vs-rest",
}
_NAME_OF_QUANTISED = re.compile(r"\.ftz(\.(gz|bz2|xz))?$", re.IGNORECASE)
# What is between tokens for fastText, and nothing else.
TOKEN_PATTERN = "[^ \t\n\v\f\r\0]+"
# Products of such numbers can be added up in float32.
_BOUND = 1e15
# An array of strings has room for the longest in each of them.
_MOST_BYTES = 1 << 26


def read_classifier(path, *, label_prefix, multilabel):
    """The parameters of a classifier, and what it has learned."""
    path = Path(fsdecode(path))
    model = open_fasttext(path)
    parameters = model.parameters
    if parameters.kind != "supervised" or not model.labels:
        raise ValueError(
            f"{path} holds word vectors ({parameters.kind}) and no classes; read it "
            "with WordVectors.load."
        )
    loss = _LOSSES[parameters.loss]
    if multilabel is None:
        multilabel = parameters.loss == "one-vs-all"
    if multilabel and loss != "one-vs-rest":
        raise ValueError(
            f"{path} was trained with the loss {parameters.loss}, so that its "
            "probabilities sum to one; multilabel=True needs one-vs-all."
        )
    if loss == "hierarchical-softmax" and (np.diff(model.label_counts) > 0).any():
        raise ValueError(
            f"{path}: the counts of its labels do not descend, of which the tree of "
            "its hierarchical softmax is built."
        )
    for name in ("input", "output"):
        # NaN is not within the bound, either.
        if not _largest(getattr(model, f"{name}_vectors")) <= _BOUND:
            raise ValueError(
                f"{path}: numbers of the {name} matrix are not finite, or beyond "
                f"{_BOUND:.0e}."
            )
    vocabulary, vectors, counts = _words(path, model)
    has_ngrams = parameters.word_ngrams > 1 or parameters.lengths is not None
    if not has_ngrams:
        vectors = vectors[: len(vocabulary)]
    classes, order = _classes(path, model.labels, label_prefix)
    has_tree = loss == "hierarchical-softmax"
    fitted = FittedFastText(
        vocabulary=vocabulary,
        counts_=counts,
        input_vectors=vectors,
        buckets=model.buckets[: None if has_ngrams else 0].astype(np.int32),
        n_buckets=parameters.n_buckets if has_ngrams else 0,
        is_pruned=has_ngrams and len(model.buckets) < parameters.n_buckets,
        # With a tree, the rows are those of its nodes.
        output_vectors=model.output_vectors[slice(None) if has_tree else order],
        classes_=classes,
        class_counts=model.label_counts[order],
        class_ranks=order if has_tree else None,
        loss=loss,
        is_multilabel=multilabel,
        word_ngrams=parameters.word_ngrams,
        subwords=parameters.lengths,
        end_of_line=True,
        random_state=None,
        loss_curve_=np.empty(0),
        validation_score_=None,
        n_iter_=0,
    )
    fitted.check()
    return _settings(fitted), fitted


def _largest(vectors):
    """The largest absolute number in vectors; of quantised ones, not less than that."""
    if len(vectors) == 0:
        return 0
    if not isinstance(vectors, QuantizedVectors):
        return max(-vectors.min(), vectors.max())
    largest, size = 0, vectors.part_size
    for part, codes in enumerate(vectors.codes.T):
        columns = slice(part * size, (part + 1) * size)
        used = vectors.centroids[np.unique(codes), columns]
        largest = np.maximum(largest, np.abs(used).max())
    if vectors.norms is not None:
        largest = float(largest) * np.abs(vectors.norms[vectors.norm_codes]).max()
    return largest


def _settings(fitted):
    """The parameters of an estimator that has learned this."""
    settings = {
        "vector_size": fitted.vector_size,
        "ngram_range": (1, fitted.word_ngrams),
        "subwords": fitted.subwords,
        "loss": fitted.loss,
        "lowercase": False,
        "token_pattern": TOKEN_PATTERN,
    }
    if fitted.n_buckets:
        settings["n_buckets"] = fitted.n_buckets
    return settings


def _words(path, model):
    """The words as a vocabulary, the rows of these and of buckets, and their counts.

    Words that are no UTF-8 are left out, as they are never found in text.
    """
    words, rows = {}, []
    for row, word in enumerate(model.words):
        try:
            decoded = word.decode()
        except UnicodeDecodeError:
            continue
        if words.setdefault(decoded, row) != row:
            raise ValueError(
                f"{path}: word {row}, {decoded!r:.60}, is word {words[decoded]} again."
            )
        rows.append(row)
    vectors, counts = model.input_vectors, model.word_counts
    if len(rows) < len(model.words):
        n_rows, n_words = len(vectors), len(model.words)
        vectors = vectors[
            np.concatenate([rows, np.arange(n_words, n_rows)]).astype(int)
        ]
        counts = counts[rows]
    return Vocabulary.of(words), vectors, counts


def _classes(path, labels, prefix):
    """The classes, sorted, and the position of each among the labels."""
    try:
        names = [label.decode().removeprefix(prefix) for label in labels]
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: a label is not in UTF-8: {error}.") from error
    order = sorted(range(len(names)), key=names.__getitem__)
    names = [names[i] for i in order]
    for first, second in pairwise(names):
        if first == second:
            raise ValueError(f"{path}: two labels are the class {first!r:.60}.")
    is_short = 4 * len(names) * max(map(len, names)) <= _MOST_BYTES
    classes = np.array(names, dtype=str if is_short else object)
    return classes, np.array(order, dtype=np.int64)


def classifier_chunks(fitted, label_prefix, caller):
    """The bytes of a file of fastText, some at a time, once all of it is checked."""
    order = fitted.class_order
    labels = [f"{label_prefix}{fitted.classes_[i]}" for i in order.tolist()]
    names = {"word": fitted.vocabulary.terms, "label": labels}
    spelled = {kind: _spell(kind, names[kind], caller) for kind in names}
    n_words, size = len(fitted.vocabulary), fitted.vector_size
    inputs, outputs = fitted.input_vectors, fitted.output_vectors
    if fitted.loss != "hierarchical-softmax":
        outputs = outputs[order]
    buckets = None
    for vectors in (inputs, outputs):
        if isinstance(vectors, QuantizedVectors) and vectors.codes.size >= 1 << 31:
            raise ValueError(
                f"{caller}: a file of fastText holds fewer than 2**31 bytes of "
                f"quantised vectors, got {vectors.codes.size}; quantize with a greater "
                "subvector_size, or with fewer max_features."
            )
    if isinstance(inputs, QuantizedVectors):
        first = quantised_chunks(inputs)
        if len(fitted.buckets) < fitted.n_buckets:
            buckets = fitted.buckets
    else:
        n_rows = n_words + fitted.n_buckets
        first = dense_chunks(n_rows, size, _input_rows(fitted))
    if isinstance(outputs, QuantizedVectors):
        second = quantised_chunks(outputs)
    else:
        second = dense_chunks(len(outputs), size, [outputs])
    parameters = FastTextParameters(
        kind="supervised",
        loss="one-vs-all" if fitted.loss == "one-vs-rest" else fitted.loss,
        vector_size=size,
        word_ngrams=fitted.word_ngrams,
        lengths=fitted.subwords,
        n_buckets=fitted.n_buckets,
    )
    return fasttext_chunks(
        parameters,
        spelled["word"],
        fitted.counts_,
        spelled["label"],
        fitted.class_counts[order],
        [first, second],
        buckets,
    )


def _input_rows(fitted):
    n_words = len(fitted.vocabulary)
    vectors = fitted.input_vectors
    yield vectors[:n_words]
    yield from bucket_rows(fitted.buckets, vectors[n_words:], fitted.n_buckets)


def _spell(kind, names, caller):
    """The bytes of words or labels, if a file of fastText can hold them."""
    spelled = []
    for name in names:
        try:
            spelled.append(name.encode())
        except UnicodeEncodeError as error:
            raise ValueError(
                f"{caller}: the {kind} {name!r:.60} has half of a surrogate pair, "
                "which no file can hold."
            ) from error
        if not name or "\0" in name:
            raise ValueError(
                f"{caller}: the {kind} {name!r:.60} is empty, or has a NUL in it, "
                "which a file of fastText cannot hold."
            )
    return spelled


class FastTextFilesMixin:
    """Reading a fitted classifier from a file of fastText, and writing one."""

    @classmethod
    def from_fasttext(
        cls,
        path: FilePath,
        *,
        label_prefix: str = "__label__",
        multilabel: bool | None = None,
    ) -> Self:
        """Make a fitted classifier of a file that fastText saved, .bin or .ftz.

        It predicts the probabilities that fastText computes, of the same tokens: text
        is split at ASCII whitespace alone, and not converted to lower case. With
        "one-vs-rest" and one class a document (the default for "ns"), probabilities are
        divided by their sum, which fastText does not do. fastText returns 1e-5 more
        (with hierarchical softmax, at each node of the tree), and looks up those of
        "ova" and "ns" in a table, to .008.

        The file may come from anybody; it cannot run code, and a wrong one is an error
        that names what is wrong and where. It may be compressed by gzip, bzip2 or xz.
        What is quantised stays so, and takes as little memory.

        Parameters
        ----------
        path : str or path-like
            The file.
        label_prefix : str, default="__label__"
            What labels begin with; it is no part of the classes.
        multilabel : bool or None, default=None
            Whether a document has any number of classes, each of which `predict` gives
            a column. By default, it has if the loss is fastText's "ova". Only with that
            and "ns", which are both "one-vs-rest" here.

        Returns
        -------
        classifier : FastTextClassifier
            The fitted classifier.

        Raises
        ------
        ValueError
            If the file is damaged, cut off, or no classifier of fastText.
        """
        settings, fitted = read_classifier(
            path, label_prefix=label_prefix, multilabel=multilabel
        )
        estimator = cls(**settings)
        estimator._publish(fitted)
        return estimator

    def to_fasttext(self, path: FilePath, *, label_prefix: str = "__label__") -> Self:
        """Write the classifier to a file that fastText loads, .bin or .ftz.

        It is a .bin, of all `n_buckets` vectors of n-grams; after `quantize` it is a
        .ftz, of those that there are.

        fastText ranks the classes as `predict_proba` does, if text is the tokens with
        blanks between them. Its probabilities are the same up to 1e-5 (at each node of
        the tree with hierarchical softmax) and, with "one-vs-rest", up to its lookup
        table (.008), before they are divided by their sum where there is one class a
        document. In a .ftz, n-grams without a vector no longer count in the mean of a
        document. With "softmax" and "one-vs-rest", the classes of fastText stay the
        same, and their probabilities are more extreme: `from_fasttext` reads what
        fastText then predicts.

        "one-vs-rest" is written as "ova"; read it back with ``multilabel=False`` if
        there is one class a document. What was there under this name stays until all is
        written, and if that fails.

        Parameters
        ----------
        path : str or path-like
            The file, which is compressed if its name ends in .gz, .bz2 or .xz.
        label_prefix : str, default="__label__"
            Put before each class, which makes it a label.

        Returns
        -------
        self : FastTextClassifier
            The classifier.

        Raises
        ------
        ValueError
            If the file cannot hold a word or a class, or its name ends in .ftz and the
            classifier is not quantised; nothing is written then.
        sklearn.exceptions.NotFittedError
            If the classifier is not fitted.
        """
        check_is_fitted(self)
        is_quantised = isinstance(self._fitted.input_vectors, QuantizedVectors)
        if not is_quantised and _NAME_OF_QUANTISED.search(fsdecode(path)):
            raise ValueError(
                f"{type(self).__name__}: {fsdecode(path)} is the name of a quantised "
                "model, which the classifier is not. Call quantize before, or let it "
                "end in .bin."
            )
        chunks = classifier_chunks(self._fitted, label_prefix, type(self).__name__)
        write_chunks(real_path(path), chunks)
        return self
