"""Phrases as one would find and join them without a library, word by word."""

import math
from collections import Counter


def pairs_of(tokens, connectors):
    """Each word that is no connector with the next one, and what is between them."""
    start = None
    for i, word in enumerate(tokens):
        if word in connectors:
            continue
        if start is not None:
            yield tuple(tokens[start : i + 1])
        start = i


def find_phrases(documents, *, scheme, min_count, threshold, connectors=()):
    """The score of each phrase, given as a tuple of its words."""
    words = Counter(w for tokens in documents for w in tokens if w not in connectors)
    phrases = Counter(p for tokens in documents for p in pairs_of(tokens, connectors))
    n_tokens = sum(map(len, documents))
    scores = {}
    for phrase, n_both in phrases.items():
        n_first, n_last = words[phrase[0]], words[phrase[-1]]
        if scheme == "ratio":
            score = (n_both - min_count) / (n_first * n_last)
            score *= len(words) + len(phrases)
        else:
            mutual = math.log(n_both * n_tokens / (n_first * n_last))
            score = mutual / -math.log(n_both / n_tokens)
        if n_both >= min_count and score > threshold:
            scores[phrase] = score
    return scores


def join(tokens, phrases, delimiter, connectors=()):
    """Join phrases from left to right; a word is part of one at most."""
    joined, i = [], 0
    while i < len(tokens):
        end = i + 1
        while end < len(tokens) and tokens[end] in connectors:
            end += 1
        phrase = tuple(tokens[i : end + 1])
        if tokens[i] not in connectors and end < len(tokens) and phrase in phrases:
            joined.append(delimiter.join(phrase))
            i = end + 1
        else:
            joined.append(tokens[i])
            i += 1
    return joined
