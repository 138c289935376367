"""Compare PhraseTransformer with gensim's Phrases: scores, phrases and joined text.

Run it with ::

    python benchmarks/prove_phrases.py CORPUS [--max-tokens 1200000] [--rounds 3]

CORPUS is a text file, plain or .xz, .gz, .bz2, with a document a line and blanks
between tokens. Both find phrases in the same token lists, by both schemes, with
connectors and without, and once more in what was joined: scores must be equal to 1e-12,
phrases and joined documents the same. It ends with an error at the first that is not.
Then the CPU seconds of both, in turn, from lists of tokens; here from text, too.
Tokens with the delimiter in them are left out, as gensim takes them for phrases.
"""

import argparse
from time import process_time

from _arguments import existing_file, positive
from _documents import read_token_lists
from gensim.models.phrases import ENGLISH_CONNECTOR_WORDS, Phrases

from skml.text import PhraseTransformer

_CONNECTORS = sorted(ENGLISH_CONNECTOR_WORDS)
# Parameters here, and the same of gensim.
SETTINGS = [
    ({}, {}),
    ({"min_count": 2, "threshold": 1.5}, {"min_count": 2, "threshold": 1.5}),
    ({"scheme": "npmi", "threshold": 0.5}, {"scoring": "npmi", "threshold": 0.5}),
    (
        {"connector_words": _CONNECTORS, "threshold": 1.0},
        {"connector_words": ENGLISH_CONNECTOR_WORDS, "threshold": 1.0},
    ),
]


def theirs(documents, parameters):
    # Above its default, 40 million, it would forget rare pairs.
    options = {"min_count": 5, "max_vocab_size": 10**9, **parameters}
    return Phrases(documents, **options).freeze()


def check_same(documents, ours, parameters):
    """Equal phrases and documents; return the latter."""
    model = PhraseTransformer(**ours)
    joined = model.fit_transform(documents)
    frozen = theirs(documents, parameters)
    if joined != list(frozen[documents]) or joined != model.transform(documents):
        raise AssertionError(f"documents differ with {ours}")
    expected = frozen.phrasegrams
    if model.phrases_.keys() != expected.keys():
        raise AssertionError(f"phrases differ with {ours}")
    difference = max(
        abs(score - expected[phrase]) / abs(expected[phrase])
        for phrase, score in model.phrases_.items()
    )
    if difference > 1e-12:
        raise AssertionError(f"scores differ by {difference} with {ours}")
    print(f"{ours}: {len(expected)} phrases, scores differ by {difference:.1g} at most")
    return joined


def seconds(function):
    start = process_time()
    result = function()
    return process_time() - start, result


def measure(documents, rounds):
    """The least CPU seconds of `fit` and `transform` of both."""
    text = [" ".join(tokens) for tokens in documents]
    least = {}

    def note(name, function):
        spent, result = seconds(function)
        least[name] = min(least.get(name, spent), spent)
        return result

    for _ in range(rounds):
        for name, X in (("text", text), ("tokens", documents)):
            model = note(f"fit, {name}", lambda X=X: PhraseTransformer().fit(X))
            note(f"transform, {name}", lambda m=model, X=X: m.transform(X))
        frozen = note("fit, gensim", lambda: theirs(documents, {}))
        note("transform, gensim", lambda f=frozen: list(f[documents]))
    return least


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpus", type=existing_file)
    parser.add_argument("--max-tokens", type=positive, default=1_200_000)
    parser.add_argument("--rounds", type=positive, default=3)
    arguments = parser.parse_args()
    documents, _ = read_token_lists(arguments.corpus, arguments.max_tokens)
    documents = [[t for t in tokens if "_" not in t] for tokens in documents]
    for ours, parameters in SETTINGS:
        joined = check_same(documents, ours, parameters)
        # Of what is joined, no word may be one of the names that the pass before made.
        check_same(joined, {**ours, "delimiter": "+"}, {**parameters, "delimiter": "+"})
    least = measure(documents, arguments.rounds)
    print("\n| from | fit, CPU s | x gensim | transform, CPU s | x gensim |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name in ("text", "tokens", "gensim"):
        cells = []
        for task in ("fit", "transform"):
            spent = least[f"{task}, {name}"]
            cells += [f"{spent:.2f}", f"{least[f'{task}, gensim'] / spent:.1f}"]
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
