"""Word vectors as an object of their own: look up, compare, search."""

from collections.abc import Mapping
from numbers import Integral

import numpy as np

from skml.text._subwords import SubwordVectors
from skml.text._word_vector_files import read_word_vectors, write_word_vectors

# A tile of similarities: so many queries by so many words, 16 MB.
_QUERIES = 256
_WORDS = 16_384
# Levy & Goldberg (2014) divide by this plus the similarity to the negative words.
_EPSILON = 1e-3


def _check_words(vocabulary, n_words):
    """Check a vocabulary; return its words in order of the rows."""
    if isinstance(vocabulary, str):
        raise TypeError("vocabulary is a single str; pass a list of words.")
    words = list(vocabulary)
    if len(words) != n_words:
        raise ValueError(
            f"vocabulary has {len(words)} words and vectors has {n_words} rows; there "
            "must be one row for each word."
        )
    if isinstance(vocabulary, Mapping):
        words.sort(key=vocabulary.get)
        if [vocabulary[word] for word in words] != list(range(n_words)):
            raise ValueError(
                f"the values of vocabulary must be the rows 0 to {n_words - 1} of "
                "vectors, each once."
            )
    for row, word in enumerate(words):
        if not isinstance(word, str):
            raise TypeError(
                f"vocabulary has {word!r:.60} ({type(word).__name__}) in row {row}; "
                "every word must be a str."
            )
    return words


def _index(words):
    """The row of each word."""
    rows = {word: row for row, word in enumerate(words)}
    if len(rows) < len(words):
        # The last row of a word is in the dict; an earlier one gives it away.
        row = next(row for row, word in enumerate(words) if rows[word] != row)
        raise ValueError(
            f"vocabulary has {words[row]!r:.60} twice, in rows {row} and "
            f"{rows[words[row]]}; words must be distinct."
        )
    return rows


def _check_vectors(vectors):
    """A two-dimensional array of finite float32, without a copy if it is one."""
    vectors = np.asanyarray(vectors)
    if vectors.ndim != 2 or vectors.shape[1] == 0:
        raise ValueError(
            "vectors must be a table with a row for each word and at least one column; "
            f"got the shape {vectors.shape}."
        )
    if vectors.dtype.kind not in "fiu":
        raise TypeError(f"vectors must be numbers; got the dtype {vectors.dtype}.")
    vectors = vectors.astype(np.float32, copy=False)
    for start in range(0, len(vectors), _WORDS):
        finite = np.isfinite(vectors[start : start + _WORDS])
        if not finite.all():
            row, column = np.argwhere(~finite)[0] + (start, 0)
            raise ValueError(
                f"vectors must be finite; row {row}, column {column} is "
                f"{vectors[row, column]}."
            )
    return vectors


def _check_subwords(subwords, vector_size):
    if subwords is None:
        return None
    if not isinstance(subwords, SubwordVectors):
        raise TypeError(
            "subwords must be those of other WordVectors or None; got "
            f"{subwords!r:.60} ({type(subwords).__name__})."
        )
    try:
        _check_vectors(subwords.vectors)
    except ValueError as error:
        raise ValueError(f"of n-grams, the {error}") from error
    size = subwords.vectors.shape[1]
    if size != vector_size:
        raise ValueError(
            f"the vectors of n-grams have {size} dimensions, those of words "
            f"{vector_size}; they must agree."
        )
    return subwords


def _check_topn(topn):
    if not isinstance(topn, Integral) or isinstance(topn, bool) or topn < 1:
        raise ValueError(f"topn must be a positive integer; got {topn!r}.")
    return int(topn)


def _lengths(vectors):
    """The length of each row, or 1 where it is zero: its similarity is then 0."""
    lengths = np.empty(len(vectors), dtype=np.float32)
    for start in range(0, len(vectors), _WORDS):
        rows = np.asarray(vectors[start : start + _WORDS])
        # A double keeps the squares of large and small numbers.
        squares = np.einsum("ij,ij->i", rows, rows, dtype=np.float64)
        lengths[start : start + _WORDS] = np.sqrt(squares)
    lengths[lengths == 0] = 1
    return lengths


def _best(scores, rows, k):
    """The k best columns of each line of scores: ties in order of `rows`.

    Parameters
    ----------
    scores : ndarray of shape (n_queries, n_columns)
        Higher is better.
    rows : ndarray of shape (n_queries, n_columns) or (n_columns,)
        The row of the word of each score.
    k : int
        How many are wanted.

    Returns
    -------
    scores, rows : ndarrays of shape (n_queries, min(k, n_columns))
        In descending order of the scores.
    """
    rows = np.broadcast_to(rows, scores.shape)
    if scores.shape[1] > 2 * k:
        worst = np.partition(scores, -k, axis=1)[:, -k]
        places = [
            _first(line, bound, k) for line, bound in zip(scores, worst, strict=True)
        ]
        scores = np.take_along_axis(scores, np.array(places), axis=1)
        rows = np.take_along_axis(rows, np.array(places), axis=1)
    order = np.lexsort((rows, -scores))[:, :k]
    return np.take_along_axis(scores, order, 1), np.take_along_axis(rows, order, 1)


def _merge(found, others, k):
    """The k best of two results of `_best`."""
    scores, rows = (np.hstack(pair) for pair in zip(found, others, strict=True))
    return _best(scores, rows, k)


def _first(scores, bound, k):
    """The places of the k best scores; of those that equal the bound the first."""
    above = np.flatnonzero(scores > bound)
    equal = np.flatnonzero(scores == bound)
    return np.concatenate([above, equal[: k - len(above)]])


class WordVectors:
    """Word vectors, a row of a matrix for each word.

    Similarity is the cosine of two vectors; that of a zero vector to any other is 0.
    Where words are equally similar to a query, the one in the lower row comes first:
    in vectors learned here, and in most files, that is the more frequent word.

    Parameters
    ----------
    vectors : array-like of shape (n_words, vector_size)
        The vectors. An array of float32, a memory map too, is not copied.
    vocabulary : sequence of str, or dict
        The distinct words in order of the rows, or the row of each word.
    subwords : SubwordVectors or None, default=None
        Vectors of character n-grams, as :class:`Word2VecTransformer` learns them.

    Attributes
    ----------
    vectors : ndarray of shape (n_words, vector_size), dtype float32
        The vectors.
    vocabulary : dict
        The row in `vectors` of each word.
    words : list of str
        The words in order of the rows.
    vector_size : int
        Number of dimensions.
    subwords : SubwordVectors or None
        The vectors of character n-grams. If there are any, a word that is not in the
        vocabulary has the mean of the vectors of its n-grams, as far as they are known:
        it can be looked up and compared, and is in the word vectors, but is not counted
        or found.

    Raises
    ------
    ValueError
        If the shapes do not match, a word stands twice, or a number is not finite.
    TypeError
        If a word is no str, or the vectors are no numbers.

    See Also
    --------
    Word2VecTransformer : Learns word vectors; they are its attribute `word_vectors_`.

    Examples
    --------
    >>> from skml.text import WordVectors
    >>> vectors = [[2, 0], [2, 1], [0, 1], [0, 3]]
    >>> words = WordVectors(vectors, ["king", "queen", "woman", "girl"])
    >>> "queen" in words, len(words)
    (True, 4)
    >>> words["queen"]
    array([2., 1.], dtype=float32)
    >>> words[["queen", "girl"]].shape
    (2, 2)
    >>> words.most_similar("queen", topn=2)
    [('king', 0.894...), ('woman', 0.447...)]

    Words are added and subtracted; what the query holds is no answer:

    >>> words.most_similar(["king", "woman"], ["girl"], topn=1)
    [('queen', 0.894...)]

    Many queries at once are one matrix product:

    >>> words.most_similar([["queen"], ["king", "woman"]], topn=1)
    [[('king', 0.894...)], [('queen', 0.948...)]]
    """

    def __init__(self, vectors, vocabulary, subwords=None):
        self.vectors = _check_vectors(vectors).view()
        self.vectors.flags.writeable = False
        self.words = _check_words(vocabulary, len(self.vectors))
        self.vocabulary = _index(self.words)
        self.subwords = _check_subwords(subwords, self.vector_size)
        self._lengths = None

    @property
    def vector_size(self):
        """Number of dimensions."""
        return self.vectors.shape[1]

    def __len__(self):
        return len(self.vocabulary)

    def __contains__(self, word):
        if word in self.vocabulary:
            return True
        return isinstance(word, str) and len(self._compose([word])[0]) > 0

    def __iter__(self):
        return iter(self.words)

    def __repr__(self):
        return f"<WordVectors: {len(self)} words, {self.vector_size} dimensions>"

    def __getitem__(self, words):
        """The vector of a word, or the matrix of a list of words; a copy."""
        if isinstance(words, str):
            return self[[words]][0]
        words = list(words)
        rows = np.array([self._find(word) for word in words], dtype=np.intp)
        unseen = np.flatnonzero(rows < 0)
        if len(unseen) == 0:
            return np.asarray(self.vectors[rows])
        composed, is_composed = self._compose([words[i] for i in unseen])
        if not is_composed.all():
            raise KeyError(self._unknown(words[unseen[~is_composed][0]]))
        vectors = np.empty((len(words), self.vector_size), dtype=np.float32)
        vectors[rows >= 0] = self.vectors[rows[rows >= 0]]
        vectors[unseen] = composed
        return vectors

    def __getstate__(self):
        return {**vars(self), "_lengths": None}

    def __setstate__(self, state):
        vars(self).update(state)
        self.vectors.flags.writeable = False

    def __sklearn_clone__(self):
        # Nothing in it changes: clones of an estimator may share it.
        return self

    def __eq__(self, other):
        if not isinstance(other, WordVectors):
            return NotImplemented
        return (
            self.vocabulary == other.vocabulary
            and np.array_equal(self.vectors, other.vectors)
            and self.subwords == other.subwords
        )

    __hash__ = None

    def most_similar(self, positive=(), negative=(), *, topn=10, method="3CosAdd"):
        """Find the words that are most similar to words, and least to others.

        Parameters
        ----------
        positive : str, ndarray, list of those, or list of lists of those, default=()
            The words (or vectors) to be similar to. A list of lists makes a query of
            each of the inner lists.
        negative : str, ndarray, list of those, or list of lists of those, default=()
            The words (or vectors) to be different from. With many queries, a list for
            each, or nothing.
        topn : int, default=10
            How many words to return.
        method : {"3CosAdd", "3CosMul"}, default="3CosAdd"
            The score of a word: its cosine to the sum of the unit vectors of
            `positive` minus those of `negative` [1]_; or, with all cosines moved to
            [0, 1] by (1 + cos) / 2, the product of those to `positive` over the
            product of those to `negative` plus 0.001 [2]_.

        Returns
        -------
        similar : list of (str, float), or list of such lists
            The words and their scores, best first, without those of the query; fewer
            than `topn` if there are no more words. Cosines are in [-1, 1].

        Raises
        ------
        KeyError
            If a word is not in the vocabulary.
        ValueError
            If a query is empty, or a vector has another size.

        References
        ----------
        .. [1] T. Mikolov, W. Yih and G. Zweig (2013). Linguistic regularities in
           continuous space word representations. NAACL-HLT, 746-751.
        .. [2] O. Levy and Y. Goldberg (2014). Linguistic regularities in sparse and
           explicit word representations. CoNLL, 171-180.
        """
        if method not in ("3CosAdd", "3CosMul"):
            raise ValueError(f"method must be '3CosAdd' or '3CosMul'; got {method!r}.")
        topn = _check_topn(topn)
        queries, is_one = self._queries(positive, negative)
        found = []
        for start in range(0, len(queries), _QUERIES):
            found += self._search(queries[start : start + _QUERIES], topn, method)
        return found[0] if is_one else found

    def nearest(self, vectors, *, topn=10):
        """Find the words whose vectors are most similar to given vectors.

        Parameters
        ----------
        vectors : array-like of shape (vector_size,) or (n_queries, vector_size)
            One vector, or many.
        topn : int, default=10
            How many words to return.

        Returns
        -------
        nearest : list of (str, float), or list of such lists
            The words and their cosines, best first; fewer than `topn` if there are no
            more words. A zero vector is similar to nothing: all its cosines are 0.
        """
        vectors = np.asarray(vectors)
        if vectors.ndim not in (1, 2):
            raise ValueError(
                "vectors must be one vector or a table of them; got the shape "
                f"{vectors.shape}."
            )
        queries = [[vector] for vector in np.atleast_2d(vectors)]
        if not queries:
            return []
        found = self.most_similar(queries, topn=topn)
        return found[0] if vectors.ndim == 1 else found

    def similarity(self, first, second):
        """The cosine of two words, or of each pair of two lists of words.

        Parameters
        ----------
        first : str or list of str
            A word, or the first words of the pairs.
        second : str or list of str
            A word, or the second words, as many. A single word goes with all others.

        Returns
        -------
        similarity : float or ndarray of shape (n_pairs,), dtype float32
            The cosines, in [-1, 1].
        """
        if isinstance(first, str) and isinstance(second, str):
            return float(self.similarity([first], [second])[0])
        first = [first] if isinstance(first, str) else list(first)
        second = [second] if isinstance(second, str) else list(second)
        if len(first) != len(second) and 1 not in (len(first), len(second)):
            raise ValueError(
                f"first has {len(first)} words and second has {len(second)}; pass "
                "lists of the same length."
            )
        pairs = self._unit(first) * self._unit(second)
        return np.clip(pairs.sum(axis=1), -1, 1)

    def doesnt_match(self, words):
        """The word that is least similar to the mean of the unit vectors of all.

        Parameters
        ----------
        words : list of str
            At least two words.

        Returns
        -------
        word : str
            The odd one out; of several the first in the list.
        """
        words = list(words)
        if len(words) < 2:
            raise ValueError(f"doesnt_match needs two words at least; got {words!r}.")
        unit = self._unit(words)
        return words[int((unit @ unit.mean(axis=0)).argmin())]

    def save(self, path, *, format="auto"):
        """Write the words and vectors to a file or folder, exactly.

        What was there under this name stays until all is written, and if that fails.

        Parameters
        ----------
        path : str or path-like
            The file, or the folder. A file is compressed if its name ends in .gz, .bz2
            or .xz.
        format : {"auto", "word2vec-text", "word2vec-binary", "glove", "folder"}, \
                default="auto"
            The format. By default the name tells: .bin is "word2vec-binary", .txt and
            .vec are "word2vec-text", and a name without an ending is a "folder". That
            is a format of this package, which `load` can map into memory:
            ``vectors.npy``, as NumPy writes it, and ``words.json``, a list; and the
            n-grams, which no other format can hold.

        Raises
        ------
        ValueError
            If the format cannot hold a word, or the name does not tell the format;
            nothing is written then.
        """
        write_word_vectors(path, self.words, self.vectors, self.subwords, format)

    @classmethod
    def load(
        cls,
        path,
        *,
        format="auto",
        encoding="utf-8",
        decode_error="strict",
        duplicates="raise",
        on_bad_rows="error",
        limit=None,
        mmap=False,
    ):
        """Read words and vectors from a file or folder.

        The file may come from anybody: it cannot run code, and a wrong one is an error
        that says what is wrong and where. Memory is taken for what a file holds, not
        for what it claims.

        Parameters
        ----------
        path : str or path-like
            The file, which may be compressed by gzip, bzip2 or xz; or the folder.
        format : {"auto", "word2vec-text", "word2vec-binary", "glove", "folder"}, \
                default="auto"
            The format. By default the content tells. The .vec files of fastText are
            "word2vec-text".
        encoding : str, default="utf-8"
            The encoding of the words. A byte order mark at the start is skipped.
        decode_error : {"strict", "ignore", "replace"}, default="strict"
            What to do with words that are not in the encoding; the original program
            cuts long words within a character.
        duplicates : {"raise", "first"}, default="raise"
            Whether a word that stands twice is an error, or its first vector is taken.
        on_bad_rows : {"error", "skip"}, default="error"
            Whether a row that cannot be read is an error, or is left out with one
            warning, which counts such rows and says what is wrong with the first. Bad
            are a line of text that is not a word and its numbers, a number that is not
            finite, and a word that is not in the encoding.
        limit : int or None, default=None
            Read only so many rows, the first ones, bad ones included; most files have
            the most frequent words first.
        mmap : bool, default=False
            Map the vectors of a folder into memory rather than read them: they are then
            read when they are used, and may be larger than memory.

        Returns
        -------
        word_vectors : WordVectors
            The words and vectors, in the order of the file.

        Raises
        ------
        ValueError
            If the file is damaged, cut off, or of another format.
        """
        vectors, words, subwords = read_word_vectors(
            path,
            format=format,
            encoding=encoding,
            decode_error=decode_error,
            duplicates=duplicates,
            on_bad_rows=on_bad_rows,
            limit=limit,
            mmap=mmap,
        )
        try:
            if subwords is not None:
                subwords = SubwordVectors(*subwords)
            return cls(vectors, words, subwords)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error

    def _compose(self, words):
        """The vectors of those words that have a known n-gram, and which these are."""
        if self.subwords is None:
            nothing = np.empty((0, self.vector_size), dtype=np.float32)
            return nothing, np.zeros(len(words), dtype=bool)
        return self.subwords.compose(words)

    def _find(self, word):
        """The row of a word, or -1."""
        try:
            return self.vocabulary[word]
        except (KeyError, TypeError):
            pass
        if not isinstance(word, str):
            raise TypeError(
                f"expected a word; got {word!r:.60} ({type(word).__name__})."
            )
        return -1

    def _unknown(self, word):
        message = f"{word!r:.60} is not in the vocabulary of {len(self)} words."
        bare = word.strip("".join(c for c in set(word) if not c.isalnum()))
        for form in (word.strip(), bare):
            for other in (form, form.lower(), form.capitalize(), form.upper()):
                if other in self.vocabulary:
                    return (
                        f"{message} Did you mean {other!r}? Words are looked up as "
                        "they stand; only the text of documents is put in lower case "
                        "and split at punctuation first (lowercase, token_pattern)."
                    )
        return message

    def _unit(self, words):
        """The vectors of words, divided by their lengths."""
        vectors = self[words]
        return vectors / _lengths(vectors)[:, None]

    def _queries(self, positive, negative):
        """The positive and negative parts of each query, and whether it is just one."""
        is_many = _is_nested(positive) or _is_nested(negative)
        if not is_many:
            return [(self._parts(positive), self._parts(negative))], True
        positive = list(positive) or [()] * len(negative)
        negative = list(negative) or [()] * len(positive)
        if len(positive) != len(negative):
            raise ValueError(
                f"positive has {len(positive)} queries and negative has "
                f"{len(negative)}; pass a list of words for each query."
            )
        return [
            (self._parts(p), self._parts(n))
            for p, n in zip(positive, negative, strict=True)
        ], False

    def _parts(self, items):
        """Words to rows, vectors to unit vectors."""
        if isinstance(items, (str, np.ndarray)):
            items = [items]
        return [self._part(item) for item in items]

    def _part(self, item):
        if isinstance(item, str):
            row = self._find(item)
            if row >= 0:
                return row
            item = self[item]
        vector = np.asarray(item)
        if vector.ndim != 1 or vector.dtype.kind not in "fiu":
            raise TypeError(f"expected a word or a vector; got {item!r:.60}.")
        if len(vector) != self.vector_size:
            raise ValueError(
                f"a vector of the query has {len(vector)} dimensions; the words have "
                f"{self.vector_size}."
            )
        if not np.isfinite(vector).all():
            raise ValueError("a vector of the query is not finite.")
        length = np.linalg.norm(vector.astype(np.float64)) or 1.0
        return (vector / length).astype(np.float32)

    def _search(self, queries, topn, method):
        """Answer a few queries: a product with one tile of words after the other."""
        if self._lengths is None:
            self._lengths = _lengths(self.vectors)
        parts, signs, starts, (query, row) = self._flatten(queries)
        if method == "3CosAdd":
            parts = np.add.reduceat(parts * signs, starts, axis=0)
            parts /= _lengths(parts)[:, None]
        best = np.empty((len(queries), 0), np.float32), np.empty((len(queries), 0), int)
        for first in range(0, len(self), _WORDS):
            tile = slice(first, first + _WORDS)
            scores = parts @ np.asarray(self.vectors[tile]).T
            scores /= self._lengths[tile]
            # What rounding adds to a cosine would also order those that are equal to 1.
            np.clip(scores, -1, 1, out=scores)
            if method == "3CosMul":
                scores = _multiply(scores, signs, starts)
            here = (first <= row) & (row < first + scores.shape[1])
            scores[query[here], row[here] - first] = -np.inf
            rows = np.arange(first, first + scores.shape[1])
            best = _merge(best, _best(scores, rows, topn), topn)
        return [
            [
                (self.words[row], score)
                for score, row in zip(*line, strict=True)
                if score > -np.inf
            ]
            for line in zip(*(part.tolist() for part in best), strict=True)
        ]

    def _flatten(self, queries):
        """The unit vectors of all parts of the queries below each other.

        Returns
        -------
        parts : ndarray of shape (n_parts, vector_size), dtype float32
            The unit vectors.
        signs : ndarray of shape (n_parts, 1), dtype float32
            1 for positive, -1 for negative.
        starts : list of int
            The first part of each query.
        excluded : ndarray of shape (2, n_excluded)
            Queries, and words that they must not find.
        """
        parts, signs, starts, excluded = [], [], [], []
        for query, (positive, negative) in enumerate(queries):
            if not positive and not negative:
                raise ValueError(
                    f"query {query} is empty: it has no positive and no negative words."
                )
            starts.append(len(parts))
            for part in (*positive, *negative):
                if isinstance(part, int):
                    excluded.append((query, part))
                    part = self.vectors[part] / self._lengths[part]
                parts.append(part)
            signs += [1] * len(positive) + [-1] * len(negative)
        return (
            np.array(parts, dtype=np.float32),
            np.array(signs, dtype=np.float32)[:, None],
            starts,
            np.array(excluded, dtype=np.intp).reshape(-1, 2).T,
        )


def _is_nested(items):
    """Whether these are many queries: a list of nothing but lists."""
    if isinstance(items, (str, np.ndarray)):
        return False
    return len(items) > 0 and all(isinstance(item, (list, tuple)) for item in items)


def _multiply(cosines, signs, starts):
    """3CosMul of the queries from the cosines of their parts."""
    shifted = (1 + cosines) / 2
    above = np.multiply.reduceat(np.where(signs > 0, shifted, 1), starts)
    below = np.multiply.reduceat(np.where(signs < 0, shifted, 1), starts)
    return above / (below + np.float32(_EPSILON))
