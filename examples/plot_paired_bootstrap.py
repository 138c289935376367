"""
Comparing two translation systems: BLEU, chrF and a paired bootstrap
====================================================================

On a hundred sentences, one system has a BLEU of .84 and the other .81. Is it better, or
was it lucky with these sentences? A paired bootstrap scores both on the same resampled
test sets. How often the order changes says how far to trust the difference.
"""

# %%
# Three made-up systems
# ---------------------
# References are sentences of docstrings; a system's output is the reference with
# errors. ``baseline`` replaces one word in ten, ``careful`` one in twelve, and
# ``inflected`` cuts off the last letter of one word in ten: an error for BLEU, which
# compares words, and a small one for chrF, which compares characters.
import numpy as np

from skml.datasets import load_docstrings

texts = load_docstrings(packages=("scipy",)).data
sentences = [" ".join(text.strip().partition("\n\n")[0].split()) for text in texts]
references = [text for text in sentences if 8 <= len(text.split()) <= 25][:400]
vocabulary = sorted({word for text in references for word in text.split()})


def damage(text, rate, error, rng):
    return " ".join(error(w, rng) if rng.random() < rate else w for w in text.split())


def another_word(word, rng):
    return str(rng.choice(vocabulary))


def without_ending(word, rng):
    return word[:-1] if len(word) > 3 else word


systems = {}
for seed, (name, rate, error) in enumerate(
    [
        ("baseline", 1 / 10, another_word),
        ("careful", 1 / 12, another_word),
        ("inflected", 1 / 10, without_ending),
    ]
):
    rng = np.random.default_rng(seed)
    systems[name] = [damage(text, rate, error, rng) for text in references]
print("\n".join([references[0], *(outputs[0] for outputs in systems.values())]))

# %%
# The comparison
# --------------
# Statistics of each sentence are counted once; :func:`~skml.metrics.paired_bootstrap`
# sums those of each sample, so that a thousand samples take less than a second. The
# p-value is of the difference from the first system.
from skml.metrics import (
    bleu_from_statistics,
    bleu_statistics,
    chrf_from_statistics,
    chrf_statistics,
    paired_bootstrap,
)


def compare(count, score, n_sentences):
    statistics = {
        name: count(references[:n_sentences], outputs[:n_sentences])
        for name, outputs in systems.items()
    }
    return paired_bootstrap(statistics, score, random_state=0)


metrics = {
    "BLEU": (bleu_statistics, bleu_from_statistics),
    "chrF": (chrf_statistics, chrf_from_statistics),
}
results = {}
for metric, functions in metrics.items():
    for n_sentences in (100, 400):
        result = results[metric, n_sentences] = compare(*functions, n_sentences)
        print(f"{metric}, {n_sentences} sentences")
        for i, name in enumerate(result.names):
            low, high = result.confidence_intervals[i]
            print(
                f"{name:>11} {result.scores[i]:.3f}, 95 % interval "
                f"{low:.3f} to {high:.3f}, p {result.p_values[i]:.3f}"
            )

# %%
# Differences, not intervals
# --------------------------
# The intervals of two systems overlap although their difference is clear, as both find
# the same sentences easy. Look at the differences of the same samples instead.
import matplotlib.pyplot as plt

figure, panels = plt.subplots(
    ncols=2, figsize=(10, 4), sharey=True, layout="constrained"
)
for axes, metric in zip(panels, metrics, strict=True):
    for n_sentences, height in [(100, 0.15), (400, -0.15)]:
        samples = results[metric, n_sentences].sample_scores
        differences = samples[1:] - samples[0]
        middle = np.median(differences, axis=1)
        bounds = np.abs(np.percentile(differences, [2.5, 97.5], axis=1) - middle)
        axes.errorbar(
            middle,
            np.arange(2) + height,
            xerr=bounds,
            fmt="o" if n_sentences == 100 else "s",
            capsize=4,
            label=f"{n_sentences} sentences",
        )
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set(title=metric, xlabel="Difference from the baseline, 95 % interval")
panels[0].set_yticks([0, 1], labels=["careful", "inflected"])
panels[0].set_ylim(-0.6, 1.6)
panels[1].legend()
plt.show()

# %%
# When not to use it
# ------------------
# A bootstrap only covers the choice of sentences. It does not know that another random
# seed in training would have given another model, nor that the test set comes from one
# domain. For texts of another kind, neither metric replaces people who read them.
