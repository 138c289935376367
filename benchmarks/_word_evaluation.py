"""How good word vectors are, in percent: analogies, and similarities."""

from skml.metrics import word_analogy_score, word_similarity_score


def score_analogies(word_vectors, questions, n_top):
    """Share of right answers among the questions whose words are all known.

    Parameters
    ----------
    word_vectors : WordVectors
        The most frequent words first.
    questions : dict
        As `load_word_analogies` gives them.
    n_top : int
        Only so many words, the most frequent, are known and may be answers.

    Returns
    -------
    scores : dict
        ``analogies``, ``semantic``, ``syntactic``, in percent; ``coverage``, the share
        of questions that could be asked, in percent.
    """
    details = word_analogy_score(
        word_vectors, questions, restrict_vocabulary=n_top, return_details=True
    )
    syntactic, semantic = [], []
    for name, section in details.sections.items():
        (syntactic if name.startswith("gram") else semantic).append(section)
    return {
        "analogies": 100 * details.accuracy,
        "semantic": _percent(semantic),
        "syntactic": _percent(syntactic),
        "coverage": _coverage(details),
    }


def _percent(sections):
    n_correct, n_asked = (
        sum(section[name] for section in sections) for name in ("n_correct", "n_asked")
    )
    return 100 * n_correct / n_asked if n_asked else float("nan")


def score_similarities(word_vectors, pairs):
    """Spearman correlation of cosines with the scores of known pairs, in percent.

    Parameters
    ----------
    word_vectors : WordVectors
        The vectors.
    pairs : list of tuple
        As `load_word_similarities` gives them.

    Returns
    -------
    correlation : float
        NaN if fewer than two pairs are known.
    coverage : float
        The share of pairs that are known, in percent.
    """
    details = word_similarity_score(word_vectors, pairs, return_details=True)
    return 100 * details.correlation, _coverage(details)


def _coverage(details):
    return 100 * details.n_asked / (details.n_asked + details.n_skipped)
