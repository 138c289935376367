"""Paired bootstrap resampling of corpus metrics whose statistics add up."""

from collections.abc import Callable, Mapping, Sequence
from numbers import Integral

import numpy as np
from sklearn.utils import Bunch

from skml._compat.sklearn import Interval, validate_params
from skml._random import make_random_state
from skml._typing import ArrayLike, RandomState

# Counts that are held at once: 2 MB, which stay in the processor's cache.
_CHUNK = 1 << 18


def _check_systems(statistics):
    """The names and the statistics of the systems, all of one shape."""
    if isinstance(statistics, Mapping):
        names, tables = list(statistics), list(statistics.values())
    elif isinstance(statistics, (list, tuple)):
        names, tables = list(range(len(statistics))), list(statistics)
    else:
        raise TypeError(
            "statistics must be a dict or a list of the statistics of each system, the "
            f"baseline first; got {type(statistics).__name__}. Put a single array into "
            "a list: [statistics]."
        )
    if not tables:
        raise ValueError("statistics holds no system; it needs one at least.")
    tables = [
        _check_table(table, name) for name, table in zip(names, tables, strict=True)
    ]
    for name, table in zip(names, tables, strict=True):
        if table.shape != tables[0].shape:
            raise ValueError(
                f"the statistics of system {name!r} have the shape {table.shape}, "
                f"those of the baseline {names[0]!r} {tables[0].shape}; all must be of "
                "the same sentences and the same metric."
            )
    return names, tables


def _check_table(table, name):
    table = np.asarray(table)
    if table.ndim != 2 or table.dtype.kind not in "biuf" or not len(table):
        raise ValueError(
            f"the statistics of system {name!r} must be a table of numbers with a row "
            f"for each sentence; got the shape {table.shape} and the dtype "
            f"{table.dtype}."
        )
    wrong = np.flatnonzero(~np.isfinite(table).all(axis=1))
    if len(wrong):
        raise ValueError(
            f"the statistics of system {name!r} must be finite; row {wrong[0]} is not."
        )
    return table


def _make_generator(random_state):
    """A generator of its own; an integer seeds it as it seeds sacrebleu's."""
    if isinstance(random_state, Integral):
        return np.random.default_rng(int(random_state))
    seeds = make_random_state(random_state).randint(2**32, size=4, dtype=np.uint64)
    return np.random.default_rng(seeds)


def _resampled_sums(table, n_samples, generator):
    """Yield the sums of `table` over rows drawn with replacement, some at a time."""
    n_sentences = len(table)
    n_rows = max(_CHUNK // n_sentences, 1)
    for start in range(0, n_samples, n_rows):
        size = (min(n_rows, n_samples - start), n_sentences)
        drawn = generator.integers(n_sentences, size=size)
        counts = np.empty(size)
        for row, places in zip(counts, drawn, strict=True):
            row[:] = np.bincount(places, minlength=n_sentences)
        yield counts @ table


def _scores(sums, score_function, is_whole):
    """The score of each row of sums, as that of a corpus with one sentence."""
    # Sums of whole numbers are exact below 2**53.
    sums = sums.astype(np.int64) if is_whole else sums
    return [float(score_function(row)) for row in sums[:, None]]


def _p_values(samples, scores):
    """How likely a difference as large as the observed one is, if there is none.

    The differences of the samples, less their mean, stand for those of equal systems.
    """
    differences = np.abs(samples[1:] - samples[0])
    centred = differences - differences.mean(axis=1, keepdims=True)
    observed = np.abs(scores[1:] - scores[0])
    n_larger = (centred > observed[:, None]).sum(axis=1)
    return np.append(np.nan, (n_larger + 1) / (samples.shape[1] + 1))


@validate_params(
    {
        "statistics": "no_validation",
        "score_function": [callable],
        "n_samples": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def paired_bootstrap(
    statistics: dict | Sequence[ArrayLike],
    score_function: Callable,
    *,
    n_samples: int = 1000,
    random_state: RandomState = None,
):
    """Compare systems on samples of the sentences: paired bootstrap resampling.

    Each sample is as many sentences as there are, drawn with replacement, the same for
    all systems. It serves any metric of a corpus whose statistics add up.

    Parameters
    ----------
    statistics : dict or list of array-like of shape (n_sentences, n_statistics)
        The statistics of each system on the same sentences, as `bleu_statistics` and
        `chrf_statistics` make them. The first is the baseline. A dict names the
        systems.
    score_function : callable
        Makes the score of statistics of shape (n_sentences, n_statistics), and depends
        on nothing but their sum over the sentences: it is given that sum as one row.
        `bleu_from_statistics` and `chrf_from_statistics` are such functions; use
        :func:`functools.partial` to set their options.
    n_samples : int, default=1000
        The number of samples.
    random_state : int, RandomState instance or None, default=None
        Decides what is drawn. An integer draws what sacrebleu draws with that seed.

    Returns
    -------
    result : :class:`~sklearn.utils.Bunch`
        Dictionary-like object, with the following attributes.

        names : list
            The names of the systems, or their positions.
        scores : ndarray of shape (n_systems,)
            The scores on all sentences.
        means : ndarray of shape (n_systems,)
            The means of the scores of the samples.
        confidence_intervals : ndarray of shape (n_systems, 2)
            The bounds of the middle 95 % of the scores of the samples.
        p_values : ndarray of shape (n_systems,)
            For each system, the probability of a difference from the baseline as large
            as that of the scores, up or down, if both were equally good; NaN for the
            baseline.
        sample_scores : ndarray of shape (n_systems, n_samples)
            The scores of the samples.

    Raises
    ------
    TypeError
        If `statistics` is neither dict nor list.
    ValueError
        If there is no system, the shapes of the statistics differ, or a number is not
        finite.

    See Also
    --------
    bleu_statistics : Statistics of BLEU.
    chrf_statistics : Statistics of chrF.

    References
    ----------
    .. [1] P. Koehn (2004). Statistical significance tests for machine translation
       evaluation. EMNLP 2004, 388-395.

    Examples
    --------
    >>> from skml.metrics import bleu_from_statistics, bleu_statistics
    >>> from skml.metrics import paired_bootstrap
    >>> y_true = [f"this is the sentence {i} of the corpus" for i in range(50)]
    >>> systems = {
    ...     "old": [text.replace("sentence", "line") for text in y_true],
    ...     "new": [text.replace("9", "7") for text in y_true],
    ... }
    >>> statistics = {
    ...     name: bleu_statistics(y_true, y_pred) for name, y_pred in systems.items()
    ... }
    >>> result = paired_bootstrap(statistics, bleu_from_statistics, random_state=0)
    >>> result.names, result.scores.round(3)
    (['old', 'new'], array([0.5  , 0.957]))
    >>> result.confidence_intervals.round(2)
    array([[0.5 , 0.5 ],
           [0.91, 0.99]])
    >>> bool(result.p_values[1] < 0.01)
    True
    """
    names, tables = _check_systems(statistics)
    is_whole = all(table.dtype.kind in "iu" for table in tables)
    together = np.hstack(tables).astype(float)
    generator = _make_generator(random_state)
    scores = [float(score_function(table.sum(axis=0)[None])) for table in tables]
    samples = [[] for _ in tables]
    for sums in _resampled_sums(together, n_samples, generator):
        parts = np.hsplit(sums, len(tables))
        for of_system, part in zip(samples, parts, strict=True):
            of_system += _scores(part, score_function, is_whole)
    scores, samples = np.array(scores), np.array(samples)
    ranked, n_outside = np.sort(samples, axis=1), n_samples // 40
    return Bunch(
        names=names,
        scores=scores,
        means=samples.mean(axis=1),
        confidence_intervals=ranked[:, [n_outside, n_samples - n_outside - 1]],
        p_values=_p_values(samples, scores),
        sample_scores=samples,
    )
