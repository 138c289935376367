"""Time BLEU, chrF and the paired bootstrap: this package and sacrebleu in turn.

Run it with ::

    python benchmarks/bleu.py [TEXT ...] [--n-pairs 20000] [--rounds 5] [--save]

where each TEXT has one sentence a line; .xz, .gz and .bz2 are opened as they are.
Without one, the lines are the beginnings of docstrings, of up to 25 words. The lines
are the references. The hypotheses are made of them: words are left out, doubled,
exchanged or replaced by others of the text, in every tenth place or so.

Both compute the same in turn, several times over, on one thread: BLEU from strings with
the tokeniser 13a, BLEU from lists of tokens (sacrebleu takes them joined by blanks, and
splits there), chrF, and 1 000 samples of the paired bootstrap of two systems, given
their statistics: p-value, means and confidence intervals of both (for which sacrebleu
resamples the baseline a second time). Results are checked to be equal first.
"""

import argparse
import itertools
import logging
import random
import sys

import numpy as np
from _arguments import existing_file, positive
from _documents import open_text
from _machine import describe, limit_blas, now, since
from _results import add_save, describe_file, docstring_lines, save
from sacrebleu import significance
from sacrebleu.metrics import BLEU, CHRF

from skml.metrics._bleu import bleu_from_statistics, bleu_score, bleu_statistics
from skml.metrics._bootstrap import paired_bootstrap
from skml.metrics._chrf import chrf_score

_N_SAMPLES = 1000
_SEED = 12345


def read_lines(paths, n_pairs):
    """Lines that hold at least three words, again and again if there are too few."""
    lines, data = [], [describe_file(path) for path in paths]
    for path in paths:
        with open_text(path) as file:
            lines += [line.strip() for line in file if len(line.split()) > 2]
    if not paths:
        documents, description = docstring_lines()
        lines = [" ".join(document.split()[:25]) for document in documents]
        data = [description]
    if not lines:
        sys.exit("The files hold no line of three words.")
    n_lines = min(len(lines), n_pairs)
    return list(itertools.islice(itertools.cycle(lines), n_pairs)), n_lines, data


def perturb(lines, seed):
    """Hypotheses: about nine words of ten are right."""
    generator = random.Random(seed)
    words = [word for line in lines[:5000] for word in line.split()]
    changed = []
    for line in lines:
        found = []
        for word in line.split():
            chance = generator.random()
            if chance > 0.1:
                found.append(word)
            elif chance > 0.06:
                found.append(generator.choice(words))
            elif chance > 0.03:
                found += [word, word]
        if generator.random() < 0.3 and len(found) > 3:
            place = generator.randrange(len(found) - 1)
            found[place : place + 2] = found[place + 1], found[place]
        changed.append(" ".join(found))
    return changed


def sacrebleu_bleu(references, hypotheses, tokenize):
    metric = BLEU(tokenize=tokenize, force=True)
    return metric.corpus_score(hypotheses, [references]).score


def sacrebleu_chrf(references, hypotheses):
    return CHRF().corpus_score(hypotheses, [references]).score


class _Prepared(BLEU):
    """BLEU of sentences whose statistics are given in their place."""

    def _extract_corpus_statistics(self, hypotheses, references):
        return hypotheses


def sacrebleu_bootstrap(statistics):
    """The p-value by its own paired test, and the intervals of both systems."""
    metric, (baseline, system) = _Prepared(), statistics
    _, scores = significance._bootstrap_resample(baseline, metric, _N_SAMPLES)
    mean, interval = significance.estimate_ci(np.array([each.score for each in scores]))
    result = significance.Result(
        metric._aggregate_and_compute(baseline).score, mean=mean, ci=interval
    )
    _, results = significance._paired_bs_test(
        {"BLEU": (baseline, result)},
        "other",
        system,
        None,
        {"BLEU": metric},
        n_samples=_N_SAMPLES,
        seed=_SEED,
    )
    return results["BLEU"].p_value


def bootstrap(statistics):
    found = paired_bootstrap(
        list(statistics),
        bleu_from_statistics,
        n_samples=_N_SAMPLES,
        random_state=_SEED,
    )
    return found.p_values[1] * 100


def make_tasks(references, hypotheses, others):
    """What is timed: a name, our function, sacrebleu's, and how far they may differ."""
    tokens = (
        [line.split() for line in references],
        [line.split() for line in hypotheses],
    )
    statistics = [bleu_statistics(references, each) for each in (hypotheses, others)]
    lists = [table.tolist() for table in statistics]
    joined = [[" ".join(words) for words in lines] for lines in tokens]
    return [
        (
            "BLEU, strings, 13a",
            lambda: bleu_score(references, hypotheses) * 100,
            lambda: sacrebleu_bleu(references, hypotheses, "13a"),
            0.0,
        ),
        (
            "BLEU, tokens",
            lambda: bleu_score(*tokens) * 100,
            lambda: sacrebleu_bleu(*joined, "none"),
            0.0,
        ),
        (
            "chrF",
            lambda: chrf_score(references, hypotheses) * 100,
            lambda: sacrebleu_chrf(references, hypotheses),
            0.0,
        ),
        (
            f"bootstrap, {_N_SAMPLES}",
            lambda: bootstrap(statistics),
            lambda: sacrebleu_bootstrap(lists) * 100,
            0.0,
        ),
    ]


def forget():
    """Empty the caches of sacrebleu's tokeniser, which remember all lines."""
    tokenizer = BLEU(tokenize="13a").tokenizer
    for part in (tokenizer, tokenizer._post_tokenizer):
        type(part).__call__.cache_clear()


def time_in_turn(functions, rounds):
    """CPU seconds of each function in each round."""
    seconds = [[] for _ in functions]
    for _ in range(rounds):
        for function, times in zip(functions, seconds, strict=True):
            forget()
            moment = now()
            function()
            times.append(since(moment).cpu)
    return seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("texts", nargs="*", type=existing_file)
    parser.add_argument("--n-pairs", type=positive, default=20_000)
    parser.add_argument("--rounds", type=positive, default=5)
    add_save(parser)
    arguments = parser.parse_args()
    limit_blas()
    logging.getLogger("sacrebleu").setLevel(logging.ERROR)
    references, n_lines, data = read_lines(arguments.texts, arguments.n_pairs)
    hypotheses, others = perturb(references, 1), perturb(references, 2)
    machine = describe("sacrebleu")
    for name, value in machine.items():
        print(f"{name}: {value}")
    n_tokens = sum(len(line.split()) for line in references)
    print(f"{len(references)} pairs, {n_lines} lines, {n_tokens} words in references")
    print(f"\n{'':22} {'skml':>7} {'sacrebleu':>9} {'x':>6}  range of {'rounds'}")
    rows = []
    for name, ours, theirs, allowed in make_tasks(references, hypotheses, others):
        difference = abs(ours() / 100 - theirs() / 100)
        if difference > max(allowed, 1e-15):
            sys.exit(f"{name}: the results differ by {difference}")
        seconds = time_in_turn((ours, theirs), arguments.rounds)
        ratios = [b / a for a, b in zip(*seconds, strict=True)]
        ours, theirs = map(min, seconds)
        cells = [f"{ours:.3f}", f"{theirs:.3f}", f"{theirs / ours:.2f}"]
        rows.append([name, *cells, f"{min(ratios):.2f} to {max(ratios):.2f}"])
        print("{:22} {:>7} {:>9} {:>6}  {}".format(*rows[-1]), flush=True)
    if arguments.save:
        header = ["task", "skml, CPU s", "sacrebleu, CPU s", "speed-up", "range"]
        title = f"{len(references)} pairs, {n_lines} of them distinct, one thread"
        save("bleu", machine, data, {title: (header, rows)})


if __name__ == "__main__":
    main()
