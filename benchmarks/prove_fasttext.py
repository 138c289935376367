"""Compare with fastText, in both directions: files of all kinds, and what they answer.

Run it with ::

    python -m benchmarks.prove_fasttext PYTHON [--texts 1000] [--seed 0]

where PYTHON is the interpreter of an environment with fasttext-wheel 0.9.2 and NumPy
below 2. fastText trains tiny models of random text: word vectors and classifiers, each
loss, with and without n-grams, dense, quantised and pruned. From each file,

- `WordVectors.load` must have fastText's vectors of all words and of unseen ones, to
  the last bit, and its nearest neighbours;
- `FastTextClassifier.from_fasttext` must predict its probabilities of all classes to
  1e-6, once what it adds is taken off: 1e-5 to each factor. Those of one-vs-all come
  from a table there, so that ours are looked up in one, too.

Then each is written, loaded by fastText, and asked again; so are classifiers that were
learned here, and quantised. The n-grams that `quantize` leaves out are zeros that count
here, and do not count in the file: labels must be the same, and probabilities those of
the file when it is read. It ends with an AssertionError at the first that differs. It
takes a few minutes.
"""

import argparse
import copy
import json
import random
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from scipy.special import expit

from benchmarks._arguments import existing_file, positive
from skml.text import FastTextClassifier, WordVectors

_UNSEEN = [
    *("unseenword", "诗人天", "naïveté", "😀😀x", "ab", "a", "", "</s>x", "<<>>"),
    *("नमस्ते", "_" * 50, "x" * 1500),
]
_N_NEIGHBOURS = 20
_ADDED = 1e-5
_LEARNED = {
    "softmax": {"ngram_range": (1, 1)},
    "hs": {"ngram_range": (1, 1), "loss": "hierarchical-softmax"},
    "pairs": {"n_buckets": 3000},
    "characters": {"n_buckets": 3000, "subwords": (2, 4)},
}
_QUANTIZE = (
    {},
    {"max_features": 400, "subvector_size": 3},
    {"max_features": 800, "quantize_classes": True},
)
# The table of its logistic function.
_ENTRIES, _BOUND = 512, 8


def make_corpora(folder, n_texts, seed):
    """Text whose words depend on its label, in three files; and other text to ask."""
    generator = random.Random(seed)
    letters = "abcdefgéß诗人天地😀"
    words = sorted(
        {
            "".join(generator.choices(letters, k=generator.randint(1, 7)))
            for _ in range(900)
        }
    )

    def text(label):
        own = random.Random(f"{seed} {label}").choices(words, k=30)
        return " ".join(
            generator.choice(own if generator.random() < 0.4 else words)
            for _ in range(generator.randint(1, 12))
        )

    plain = []
    for name, n_labels in (("few", 3), ("many", 300)):
        # Some labels are equally frequent.
        labels = [round(n_labels * generator.random() ** 2) for _ in range(4000)]
        labels += list(range(n_labels + 1))
        texts = [text(f"{name} {label}") for label in labels]
        lines = [f"__label__c{i} {t}" for i, t in zip(labels, texts, strict=True)]
        (folder / f"{name}.txt").write_text("\n".join(lines) + "\n", "utf-8")
        plain += texts
    (folder / "plain.txt").write_text("\n".join(plain) + "\n", "utf-8")
    asked = [
        text(f"{generator.choice(['few', 'many'])} {i % 300}") for i in range(n_texts)
    ]
    asked[:5] = ["", "   ", "unseenword", "never met 诗人天", "a\u00a0b \u3000 c"]
    questions = {"unseen": _UNSEEN, "texts": asked, "n_neighbours": _N_NEIGHBOURS}
    (folder / "questions.json").write_text(json.dumps(questions), "utf-8")
    return asked


def ask_fasttext(python, task, folder, *rest):
    script = Path(__file__).with_name("_fasttext_models.py")
    subprocess.run([python, script, task, folder, *rest], check=True)


def read_answers(path):
    names = json.loads(path.with_name(f"{path.name}.json").read_text())
    return names | dict(np.load(path.with_name(f"{path.name}.npz")))


def check_vectors(vectors, answers, tolerance, *, same_lengths=True):
    """Compare words, unseen words and neighbours with fastText's."""
    assert vectors.words == answers["words"]
    assert np.abs(vectors.vectors - answers["vectors"]).max() <= tolerance
    for word, answer in zip(_UNSEEN, answers["unseen"], strict=True):
        if word not in vectors:
            assert not answer.any()
            continue
        own = vectors[word]
        if not same_lengths:
            own, answer = own / np.linalg.norm(own), answer / np.linalg.norm(answer)
        assert np.abs(own - answer).max() <= tolerance
    n_swapped = 0
    for word, pairs in answers["neighbours"].items():
        if word in vectors:
            own = vectors.most_similar(word, topn=10)
            cosines = [cosine for cosine, _ in pairs], [cosine for _, cosine in own]
            # Those that are as similar up to rounding may be in another order.
            assert np.abs(np.subtract(*cosines)).max() < 5e-6
            n_swapped += [word for _, word in pairs] != [word for word, _ in own]
    return n_swapped


def check_classifier(path, answers, texts):
    """Compare the probabilities of all classes; return the largest difference."""
    model = FastTextClassifier.from_fasttext(path)
    labels = [label.removeprefix("__label__") for label in answers["labels"]]
    expected = answers["probabilities"][:, np.argsort(labels)]
    assert model.classes_.tolist() == sorted(labels)
    means = model.transform(texts)
    assert np.abs(means - answers["sentences"]).max() < 1e-5
    own, scores = model.predict_proba(texts), means @ model._fitted.class_vectors.T
    if model.loss == "hierarchical-softmax":
        depth = np.diff(model._fitted.tree.offsets).max()
        assert np.abs(own - expected).max() < 1.1 * depth * _ADDED
        own = with_added(model._fitted.tree, scores)
    elif model.loss == "one-vs-rest":
        if model._fitted.is_multilabel:
            assert np.abs(own - expected).max() < 0.008
        else:
            alone = expit(scores)
            sums = alone.sum(axis=1, keepdims=True)
            assert np.abs(own - alone / sums).max() < 1e-5
        own = look_up(scores) + _ADDED
    else:
        own = own + _ADDED
    # With a tree, it leaves out the labels that are less probable than that.
    is_left_out = (expected == 0) & (own <= _ADDED)
    difference = np.where(is_left_out, 0, np.abs(own - expected))
    # A score at the edge of two entries of the table may be in the other one.
    n_other = (difference > 1e-6).sum()
    assert n_other <= (model.loss == "one-vs-rest") * expected.size / 1e4
    return difference[difference <= 1e-6].max()


def with_added(tree, scores):
    """The probabilities of leaves, where each turn is more probable by 1e-5."""
    right = expit(scores.astype(np.float64))
    columns = []
    for first, last in zip(tree.offsets[:-1], tree.offsets[1:], strict=True):
        steps = tree.steps[first:last]
        turns = np.where(steps & 1, right[:, steps >> 1], 1 - right[:, steps >> 1])
        columns.append((turns + _ADDED).prod(axis=1))
    return np.column_stack(columns)


def look_up(scores):
    """The logistic function in a table, as fastText has it."""
    entries = np.arange(_ENTRIES + 1) * 2 * _BOUND / _ENTRIES - _BOUND
    places = ((scores + _BOUND) * _ENTRIES / _BOUND / 2).astype(int)
    found = expit(entries)[np.clip(places, 0, _ENTRIES)]
    return np.select([scores < -_BOUND, scores > _BOUND], [0, 1], found)


def files(folder):
    return sorted([*folder.glob("*.bin"), *folder.glob("*.ftz")])


def read_all(folder, texts):
    for path in files(folder):
        answers = read_answers(path)
        n_swapped = check_vectors(WordVectors.load(path), answers, 0)
        line = f"{path.name:34} vectors equal, {n_swapped} ties of neighbours"
        if "labels" in answers:
            difference = check_classifier(path, answers, texts)
            line += f", probabilities to {difference:.1e}"
        print(line, flush=True)


def write_all(folder, target, texts):
    """Write what was read; and classifiers that are learned here."""
    for path in files(folder):
        vectors = WordVectors.load(path)
        vectors.save(target / f"vectors-{path.name}.bin", format="fasttext-bin")
        if path.name.startswith(("few", "many")):
            model = FastTextClassifier.from_fasttext(path)
            model.to_fasttext(target / f"{path.name}.bin")
    lines = (folder / "few.txt").read_text("utf-8").splitlines()
    y, X = zip(*(line.split(" ", 1) for line in lines), strict=True)
    expected = {}
    for name, parameters in _LEARNED.items():
        model = FastTextClassifier(
            10,
            max_iter=5,
            random_state=0,
            lowercase=False,
            token_pattern=r"[^ ]+",
            **parameters,
        )
        model.fit(X, [label.removeprefix("__label__") for label in y])
        path = target / f"learned-{name}.bin"
        model.to_fasttext(path)
        expected[path.name] = model, model.predict_proba(texts)
        for n, options in enumerate(_QUANTIZE):
            small = copy.copy(model).quantize(**options)
            path = target / f"learned-{name}-{n}.ftz"
            small.to_fasttext(path)
            again = FastTextClassifier.from_fasttext(path)
            # With a tree, a longer mean may lead to another class.
            is_same = again.predict(texts) == small.predict(texts).astype(str)
            assert is_same.mean() == 1 or (name == "hs" and is_same.mean() > 0.9)
            expected[path.name] = again, again.predict_proba(texts)
    return expected


def check_written(folder, target, learned):
    """Compare what fastText answers with the written files with what it did before."""
    for path in files(target):
        answers = read_answers(path)
        name = path.name.removesuffix(".bin")
        if path.name.startswith("vectors-"):
            name = name.removeprefix("vectors-")
            vectors = WordVectors.load(folder / name)
            is_pruned = "pruned" in name
            check_vectors(vectors, answers, 1e-5, same_lengths=not is_pruned)
            print(f"{path.name:42} vectors equal to 1e-5")
        elif path.name.startswith("learned-"):
            check_learned(path, answers, *learned[path.name])
        else:
            check_again(path, answers, read_answers(folder / name))


def check_again(path, answers, before):
    """Compare probabilities with those of the file that was read."""
    assert answers["words"] == before["words"]
    order, order_before = np.argsort(answers["labels"]), np.argsort(before["labels"])
    proba = answers["probabilities"][:, order]
    # In a table, a score at the edge of two entries may be in the other one.
    bound = 0.008 if "-ova-" in path.name or "-ns-" in path.name else 1e-6
    check_close(path, proba, before["probabilities"][:, order_before], bound)


def check_learned(path, answers, model, expected):
    """Compare with what predicts here, which adds nothing."""
    proba = answers["probabilities"][:, np.argsort(answers["labels"])]
    check_close(path, proba, expected, 2e-5 * model._fitted.class_counts.size)


def check_close(path, proba, expected, bound):
    worst = np.abs(proba - expected).max()
    same = (proba.argmax(axis=1) == expected.argmax(axis=1)).mean()
    assert worst < bound
    assert same > 0.99
    print(f"{path.name:42} probabilities to {worst:.1e}, {same:.1%} of labels")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("python", type=existing_file)
    parser.add_argument("--texts", type=positive, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with TemporaryDirectory() as name:
        folder, target = Path(name, "read"), Path(name, "written")
        folder.mkdir()
        target.mkdir()
        texts = make_corpora(folder, arguments.texts, arguments.seed)
        python = arguments.python
        ask_fasttext(python, "train", folder)
        ask_fasttext(python, "ask", folder, folder / "questions.json")
        read_all(folder, texts)
        learned = write_all(folder, target, texts)
        ask_fasttext(python, "ask", target, folder / "questions.json")
        check_written(folder, target, learned)


if __name__ == "__main__":
    main()
