"""Compare this package with sacrebleu on random text: all must be equal.

Run it with ::

    python benchmarks/prove_bleu.py [--pairs 100000] [--strings 200000] [--seed 0]

Strings of letters, digits, marks, all kinds of blanks, Chinese, emoji and any other
character go through each tokeniser of both: the tokens must be the same. Random
sentences, each with one to four references that are similar to it, go through all
tokenisers, smoothings and orders: score, precisions, brevity penalty and lengths must
be the same floating-point numbers as sacrebleu's, divided by 100. So must the scores of
single sentences. chrF may differ by 1e-12. It ends with status 1 at the first that is
not.

Only characters that the Unicode of the running Python knows are drawn; sacrebleu has
its own and may know more.
"""

import argparse
import random
import sys
import unicodedata
from itertools import product
from time import perf_counter

from _arguments import positive
from sacrebleu.metrics import BLEU, CHRF

from skml.metrics._bleu import bleu_score, sentence_bleu_score
from skml.metrics._bleu_tokenizers import TOKENIZERS, number_tokens
from skml.metrics._chrf import chrf_score

_BLANKS = (
    " \t\n\r\v\f\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2000\u2001\u2009\u2028\u202f\u3000"
)
_MARKS = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
_BITS = [
    *("<skipped>", "-\n", "&quot;", "&amp;", "&lt;", "&gt;", "&amp;lt;", "&amp", ".."),
    *(
        ".,",
        "1-2",
        "don't",
        "1,000.5",
        "你好",
        "。",
        "，",
        "😀",
        "👩‍👩‍👧",
        "“x”",
        "𠀀",
        "½",
    ),
    *("٣", "Σ", "ß", "—", "…", "§", "€5", "A.B.", "...", "-5", "5-", "\n"),
]
_SMOOTHINGS = [
    {"smooth_method": "exp"},
    {"smooth_method": "floor"},
    {"smooth_method": "floor", "smooth_value": 0.25},
    {"smooth_method": "add-k"},
    {"smooth_method": "add-k", "smooth_value": 0.5},
    {"smooth_method": "none"},
]


def known_characters():
    return [
        chr(code)
        for code in range(sys.maxunicode + 1)
        if unicodedata.category(chr(code)) not in {"Cn", "Cs"}
    ]


def make_string(generator, characters):
    """A random string, of which about a third are plain letters and digits."""
    return "".join(
        generator.choice(
            generator.choices(
                ("abcXYZ01239", ".,-", " ", _BLANKS, _MARKS, _BITS, characters),
                weights=(30, 15, 15, 5, 15, 13, 7),
            )[0]
        )
        for _ in range(generator.choice([0, 1, 2, 5, 10, 20, 40]))
    )


def tokens_of(strings, tokenize):
    """What this package makes of each string."""
    ids, lengths, tokens = number_tokens(strings, tokenize)
    ids = iter(ids.tolist())
    return [[tokens[next(ids)] for _ in range(length)] for length in lengths]


def sacrebleu_tokens_of(strings, tokenize):
    tokenizer = BLEU(tokenize=tokenize).tokenizer
    return [tokenizer(string.rstrip()).split() for string in strings]


def differing_tokens(strings, tokenize):
    """The strings of which the tokens differ, with both."""
    both = (
        tokens_of(strings, tokenize),
        sacrebleu_tokens_of(strings, tokenize),
    )
    triples = zip(strings, *both, strict=True)
    return [triple for triple in triples if triple[1] != triple[2]]


def make_sentence(generator, words):
    length = generator.choice([0, 1, 2, 3, 4, 5, 8, 12, 20, 30])
    return generator.choices(words, k=length)


def perturb(generator, sentence, words):
    """A sentence in which some words are left out, doubled, or others."""
    changed = []
    for word in sentence:
        chance = generator.random()
        if chance < 0.85:
            changed.append(word)
        elif chance < 0.9:
            changed.append(generator.choice(words))
        elif chance < 0.95:
            changed += [word, word]
    return changed


def make_corpus(generator, characters, n_pairs, n_references):
    """Sentences and references as strings; the number of references may be a choice."""
    words = ["".join(make_string(generator, characters).split()) for _ in range(30)]
    words = [word[:6] for word in words if word]
    words += ["the", "a", "The", "of", "1.5", "end.", "你好", "😀", ",", "well-known"]
    blanks = [*" " * 20, "  ", "\t", "\xa0", "\n"]
    y_true, y_pred = [], []
    for _ in range(n_pairs):
        sentence = make_sentence(generator, words)
        versions = [
            perturb(generator, sentence, words)
            for _ in range(generator.choice(n_references) + 1)
        ]
        if generator.random() < 0.05:
            versions[0] = []
        blank = generator.choice(blanks)
        edge = generator.choice(["", "", " ", "\n"])
        versions = [edge + blank.join(words) + edge for words in versions]
        y_pred.append(versions[0])
        y_true.append(versions[1:])
    return y_true, y_pred


def transposed(y_true):
    """References as sacrebleu wants them: None where a sentence has fewer."""
    most = max(map(len, y_true))
    padded = [
        [*references, *[None] * (most - len(references))] for references in y_true
    ]
    return [list(stream) for stream in zip(*padded, strict=True)]


def differences_of_bleu(y_true, y_pred, **options):
    """What differs between both, by name: a list that should be empty."""
    ours = bleu_score(
        y_true, y_pred, multi_reference=True, return_stats=True, **options
    )
    if "max_order" in options:
        options["max_ngram_order"] = options.pop("max_order")
    peer = BLEU(force=True, **options)
    theirs = peer.corpus_score(y_pred, transposed(y_true))
    wanted = {
        "score": theirs.score / 100,
        "precisions": [precision / 100 for precision in theirs.precisions],
        "brevity_penalty": theirs.bp,
        "hypothesis_length": theirs.sys_len,
        "reference_length": theirs.ref_len,
    }
    if options["smooth_method"] != "add-k":  # where sacrebleu has the smoothed counts
        wanted |= {"counts": theirs.counts, "totals": theirs.totals}
    found = {
        name: ours[name].tolist() if hasattr(ours[name], "tolist") else ours[name]
        for name in wanted
    }
    if "max_ngram_order" not in options:
        made, theirs = (
            signature.rpartition("|version:")[0]
            for signature in (ours.signature, str(peer.get_signature()))
        )
        wanted["signature"], found["signature"] = theirs, made
    return [(n, found[n], wanted[n]) for n in wanted if found[n] != wanted[n]]


def differences_of_sentences(y_true, y_pred, **options):
    """The sentences whose scores differ."""
    scores = sentence_bleu_score(y_true, y_pred, multi_reference=True, **options)
    peer = BLEU(force=True, effective_order=True, **options)
    return [
        (prediction, references, score)
        for prediction, references, score in zip(y_pred, y_true, scores, strict=True)
        if score != peer.sentence_score(prediction, references).score / 100
    ]


def difference_of_chrf(y_true, y_pred, **options):
    """How far the scores are apart."""
    ours = chrf_score(y_true, y_pred, multi_reference=True, **options)
    theirs = CHRF(**options).corpus_score(y_pred, transposed(y_true)).score
    return abs(ours - theirs / 100)


def all_options():
    """All that is tried: tokenisers, smoothings and two switches."""
    return [
        {"tokenize": tokenize, "effective_order": eff, "lowercase": lower, **smoothing}
        for tokenize, smoothing, eff, lower in product(
            TOKENIZERS, _SMOOTHINGS, (False, True), (False, True)
        )
    ]


def prove_tokenizers(generator, characters, n_strings):
    for tokenize in TOKENIZERS:
        strings = [make_string(generator, characters) for _ in range(n_strings)]
        wrong = differing_tokens(strings, tokenize)
        print(f"{tokenize:5} {n_strings} strings, {len(wrong)} differ", flush=True)
        if wrong:
            sys.exit(f"first: {wrong[0]}")


def prove_bleu(generator, characters, n_pairs):
    """Small corpora, each with other options, until there are so many pairs."""
    options, n_done, n_corpora = all_options(), 0, 0
    n_positive = 0
    while n_done < n_pairs:
        size = generator.choice([1, 2, 5, 50, 200])
        n_references = generator.choice([(1,), (2,), (3,), (4,), (1, 2, 3, 4)])
        y_true, y_pred = make_corpus(generator, characters, size, n_references)
        chosen = dict(options[n_corpora % len(options)])
        if generator.random() < 0.2:
            chosen["max_order"] = generator.choice([1, 2, 3, 5, 6])
        wrong = differences_of_bleu(y_true, y_pred, **chosen)
        if not wrong and n_corpora % 4 == 0:
            chosen.pop("effective_order")
            chosen.pop("max_order", None)
            wrong = differences_of_sentences(y_true, y_pred, **chosen)
        if wrong:
            sys.exit(f"{chosen}: {wrong[:3]}")
        n_positive += bleu_score(y_true, y_pred, multi_reference=True) > 0
        n_done, n_corpora = n_done + size, n_corpora + 1
    print(
        f"BLEU: {n_done} pairs in {n_corpora} corpora, {n_positive} with a score above "
        f"0, {len(options)} combinations of options: all equal",
        flush=True,
    )


def prove_chrf(generator, characters, n_pairs):
    n_done, largest = 0, 0.0
    while n_done < n_pairs:
        size = generator.choice([1, 2, 50, 200])
        n_references = generator.choice([(1,), (2,), (1, 2, 3, 4)])
        y_true, y_pred = make_corpus(generator, characters, size, n_references)
        options = {
            "char_order": generator.choice([1, 3, 6]),
            "word_order": generator.choice([0, 1, 2]),
            "beta": generator.choice([1, 2, 3]),
            **{
                name: generator.random() < 0.3
                for name in ("lowercase", "whitespace", "eps_smoothing")
            },
        }
        difference = difference_of_chrf(y_true, y_pred, **options)
        if difference > 1e-12:
            sys.exit(f"chrF with {options} differs by {difference}")
        largest, n_done = max(largest, difference), n_done + size
    print(f"chrF: {n_done} pairs, largest difference {largest:.1e}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pairs", type=positive, default=100_000)
    parser.add_argument("--strings", type=positive, default=200_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    generator, characters = random.Random(arguments.seed), known_characters()
    start = perf_counter()
    prove_tokenizers(generator, characters, arguments.strings)
    prove_bleu(generator, characters, arguments.pairs)
    prove_chrf(generator, characters, arguments.pairs)
    print(f"{perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
