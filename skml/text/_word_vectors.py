"""Word vectors as an object of their own: look up, compare, search.

Half of this file is documentation.
"""

from collections.abc import Sequence
from numbers import Integral
from os import fsdecode
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np

from skml._codec import register
from skml._store import read_model, write_model
from skml._typing import ArrayLike, FilePath
from skml.text._nearest import candidate_rows, lengths_of, search, split_queries
from skml.text._subwords import SubwordVectors
from skml.text._word_vector_checks import (
    check_subwords,
    check_vectors,
    check_words,
    index_words,
)
from skml.text._word_vector_files import (
    check_folder_options,
    check_options,
    choose_format,
    read_word_vectors,
    write_word_vectors,
)

_PARTS = ("words", "vectors", "subwords")


@register
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
        Vectors of character n-grams, those of other `WordVectors`:
        :class:`Word2VecTransformer` learns them, and files of fastText hold some.

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

    def __init__(
        self,
        vectors: ArrayLike,
        vocabulary: Sequence[str] | dict[str, int],
        subwords: SubwordVectors | None = None,
    ):
        self.vectors = check_vectors(vectors).view()
        self.vectors.flags.writeable = False
        self.words = check_words(vocabulary, len(self.vectors))
        self.vocabulary = index_words(self.words)
        self.subwords = check_subwords(subwords, self.vector_size)
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

    def most_similar(
        self,
        positive: Any = (),
        negative: Any = (),
        *,
        topn: int = 10,
        method: Literal["3CosAdd", "3CosMul"] = "3CosAdd",
        candidates: Sequence[str] | None = None,
    ):
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
        candidates : list of str or None, default=None
            The only words to search among. By default all words.

        Returns
        -------
        similar : list of (str, float), or list of such lists
            The words and their scores, best first, without those of the query; fewer
            than `topn` if there are no more words. Cosines are in [-1, 1].

        Raises
        ------
        KeyError
            If a word or a candidate is not in the vocabulary.
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
        if not isinstance(topn, Integral) or isinstance(topn, bool) or topn < 1:
            raise ValueError(f"topn must be a positive integer; got {topn!r}.")
        queries, is_one = split_queries(positive, negative, self._part)
        rows = candidate_rows(candidates, self.vocabulary)
        if self._lengths is None:
            self._lengths = lengths_of(self.vectors)
        found = search(queries, self.vectors, self._lengths, int(topn), method, rows)
        similar = [[(self.words[row], score) for row, score in best] for best in found]
        return similar[0] if is_one else similar

    def nearest(
        self,
        vectors: ArrayLike,
        *,
        topn: int = 10,
        candidates: Sequence[str] | None = None,
    ):
        """Find the words whose vectors are most similar to given vectors.

        Parameters
        ----------
        vectors : array-like of shape (vector_size,) or (n_queries, vector_size)
            One vector, or many.
        topn : int, default=10
            How many words to return.
        candidates : list of str or None, default=None
            The only words to search among. By default all words.

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
        similar = self.most_similar(queries, topn=topn, candidates=candidates)
        return similar[0] if vectors.ndim == 1 else similar

    def similarity(self, first: str | Sequence[str], second: str | Sequence[str]):
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

    def doesnt_match(self, words: Sequence[str]) -> str:
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

    def save(
        self,
        path: FilePath,
        *,
        format: Literal[
            "auto",
            "word2vec-text",
            "word2vec-binary",
            "glove",
            "fasttext-bin",
            "folder",
        ] = "auto",
    ):
        """Write the words and vectors to a file or folder, exactly.

        What was there under this name stays until all is written, and if that fails.

        Parameters
        ----------
        path : str or path-like
            The file, or the folder. A file is compressed if its name ends in .gz, .bz2
            or .xz.
        format : {"auto", "word2vec-text", "word2vec-binary", "glove", \
                "fasttext-bin", "folder"}, default="auto"
            The format. By default by the name: .bin is "word2vec-binary", .txt and
            .vec are "word2vec-text", and a name without an ending is a "folder". That
            is the format in which this package saves models, with any word and any
            n-grams; `load` can map it into memory. "fasttext-bin" is a model that
            fastText loads. It holds the n-grams of vectors that were read from a file
            of fastText, refuses those that were learned here, and rounds vectors once
            more. The other formats leave out n-grams.

        Raises
        ------
        ValueError
            If the format cannot hold a word, or these n-grams, or the name has no
            known ending; nothing is written then.
        """
        path, format = choose_format(path, format)
        if format == "folder":
            write_model(path, self)
        else:
            write_word_vectors(path, self.words, self.vectors, self.subwords, format)

    @classmethod
    def load(
        cls,
        path: FilePath,
        *,
        format: Literal[
            "auto",
            "word2vec-text",
            "word2vec-binary",
            "glove",
            "fasttext-bin",
            "folder",
        ] = "auto",
        encoding: str = "utf-8",
        decode_error: Literal["strict", "ignore", "replace"] = "strict",
        duplicates: Literal["raise", "first"] = "raise",
        on_bad_rows: Literal["error", "skip"] = "error",
        limit: int | None = None,
        mmap: bool = False,
    ) -> Self:
        """Read words and vectors from a file or folder.

        The file may come from anybody: it cannot run code, and a wrong one is an error
        that names what is wrong and where. Memory is taken for what a file holds, not
        for what it claims.

        Parameters
        ----------
        path : str or path-like
            The file, which may be compressed by gzip, bzip2 or xz; or the folder.
        format : {"auto", "word2vec-text", "word2vec-binary", "glove", \
                "fasttext-bin", "folder"}, default="auto"
            The format. By default it depends on the content. The .vec files of fastText
            are "word2vec-text"; its models, .bin and .ftz, are "fasttext-bin".
        encoding : str, default="utf-8"
            The encoding of the words. A byte order mark at the start is skipped. The
            words of a model of fastText are in UTF-8.
        decode_error : {"strict", "ignore", "replace"}, default="strict"
            What to do with words that are not in the encoding; the original program
            cuts long words within a character.
        duplicates : {"raise", "first"}, default="raise"
            Whether a word that stands twice is an error, or its first vector is taken.
        on_bad_rows : {"error", "skip"}, default="error"
            Whether a row that cannot be read is an error, or is left out with one
            warning, which counts such rows and reports what is wrong with the first.
            Bad are a line of text that is not a word and its numbers, a number that is
            not finite, and a word that is not in the encoding. A model of fastText has
            no rows to skip.
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
        path = Path(fsdecode(path))
        options = check_options(
            format, encoding, decode_error, duplicates, on_bad_rows, limit
        )
        if path.is_dir():
            check_folder_options(path, format, options)
            return cls._load_folder(path, limit, mmap)
        read = read_word_vectors(path, "folder" if mmap else format, options)
        try:
            return cls(*read)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error

    @classmethod
    def _load_folder(cls, path, limit, mmap):
        saved = read_model(path, cls, mmap=mmap or limit is not None)
        if limit is None:
            return saved
        vectors = saved.vectors[:limit]
        vectors = vectors if mmap else np.array(vectors)
        return cls(vectors, saved.words[:limit], saved.subwords)

    def to_data(self):
        """The parts, to be stored.

        Returns
        -------
        data : dict
            The words, the vectors, and those of n-grams or None.
        """
        return {name: getattr(self, name) for name in _PARTS}

    @classmethod
    def from_data(cls, data: dict) -> Self:
        """Make word vectors of the parts that were stored; they may be wrong.

        Parameters
        ----------
        data : dict
            What `to_data` returned.

        Returns
        -------
        word_vectors : WordVectors
            The words and vectors.
        """
        if data.keys() != set(_PARTS) or not isinstance(data["words"], list):
            raise ValueError(f"expected {', '.join(_PARTS)}; got {', '.join(data)}")
        return cls(data["vectors"], data["words"], data["subwords"])

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
        return vectors / lengths_of(vectors)[:, None]

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
