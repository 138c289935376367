"""BLEU, chrF and their bootstrap, slow and plain: n-gram by n-gram, in dictionaries."""

import math
from collections import Counter


def n_grams(tokens, order):
    return Counter(tuple(tokens[i : i + order]) for i in range(len(tokens) - order + 1))


def closest_length(length, references):
    return min((abs(len(r) - length), len(r)) for r in references)[1]


def statistics(tokens, references, max_order=4):
    """Lengths, matches and totals of one sentence, given as lists of tokens."""
    matches, totals = [], []
    for order in range(1, max_order + 1):
        found = n_grams(tokens, order)
        allowed = Counter()
        for reference in references:
            allowed |= n_grams(reference, order)
        matches.append(sum((found & allowed).values()))
        totals.append(sum(found.values()))
    return [len(tokens), closest_length(len(tokens), references), *matches, *totals]


def add_up(rows):
    return [sum(column) for column in zip(*rows, strict=True)]


def precisions(matches, totals, smooth_method="exp", smooth_value=None):
    """The smoothed precisions; None where there is no n-gram."""
    found, n_zeros = [], 0
    for order, (n_right, n_all) in enumerate(zip(matches, totals, strict=True)):
        if smooth_method == "add-k" and order > 0:
            k = 1 if smooth_value is None else smooth_value
            n_right, n_all = n_right + k, n_all + k
        if n_all == 0:
            found.append(None)
        elif n_right > 0 or smooth_method in {"none", "add-k"}:
            found.append(n_right / n_all)
        elif smooth_method == "exp":
            n_zeros += 1
            found.append(0.5**n_zeros / n_all)
        else:
            found.append((0.1 if smooth_value is None else smooth_value) / n_all)
    return found


def score(sums, weights=None, effective_order=False, textbook=False, **smoothing):
    """BLEU of summed statistics."""
    length, reference_length, *counts = sums
    max_order = len(counts) // 2
    matches, totals = counts[:max_order], counts[max_order:]
    if not any(matches):
        return 0.0
    if textbook:
        smoothing = {"smooth_method": "none"}
    found = precisions(matches, totals, **smoothing)
    weights = [1 / max_order] * max_order if weights is None else weights
    pairs = list(zip(weights, found, strict=True))
    if effective_order:
        pairs = [(w, p) for w, p in pairs if p is not None]
    penalty = math.exp(min(0, 1 - reference_length / length))
    if textbook:
        return penalty * math.prod(
            (p or 0) ** 2**-n for n, (_, p) in enumerate(pairs, 1)
        )
    if any(not p for w, p in pairs if w):
        return 0.0
    total = sum(w for w, _ in pairs)
    return (
        penalty * math.prod(p ** (w / total) for w, p in pairs if w) if total else 0.0
    )


def words_of_chrf(text):
    """Words, of which one mark at the end or else at the start is split off."""
    words = []
    for word in text.split():
        marks = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
        if len(word) > 1 and word[-1] in marks:
            words += [word[:-1], word[-1]]
        elif len(word) > 1 and word[0] in marks:
            words += [word[0], word[1:]]
        else:
            words.append(word)
    return words


def chrf_counts(text, reference, char_order=6, word_order=0, whitespace=False):
    """N-grams of the text, of the reference and of both, for each order."""
    counts = []
    for make, max_order in (
        (lambda s: s if whitespace else "".join(s.split()), char_order),
        (words_of_chrf, word_order),
    ):
        for order in range(1, max_order + 1):
            ours, theirs = (n_grams(make(s), order) for s in (text, reference))
            n_ours = sum(ours.values()) if theirs else 0
            counts += [n_ours, sum(theirs.values()), sum((ours & theirs).values())]
    return counts


def chrf(counts, beta=2, eps_smoothing=False):
    """chrF of summed counts."""
    parts = [counts[i : i + 3] for i in range(0, len(counts), 3)]
    if eps_smoothing:
        return sum(f_score(*_shares(part), beta) for part in parts) / len(parts)
    parts = [part for part in parts if part[0] and part[1]]
    if not any(both for *_, both in parts):
        return 0.0
    shares = [_shares(part) for part in parts]
    precision, recall = (sum(s) / len(parts) for s in zip(*shares, strict=True))
    return f_score(precision, recall, beta)


def _shares(part):
    ours, theirs, both = part
    return both / ours if ours else 1e-16, both / theirs if theirs else 1e-16


def f_score(precision, recall, beta):
    if precision + recall == 0:
        return 1e-16
    return (1 + beta**2) * precision * recall / (beta**2 * precision + recall)


def best_chrf_counts(text, references, beta=2, eps_smoothing=False, **options):
    """The counts against the reference with the best score, the first of equal ones."""
    counts = [chrf_counts(text, reference, **options) for reference in references]
    return max(counts, key=lambda c: chrf(c, beta, eps_smoothing))
