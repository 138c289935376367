"""Fine-tuning: against the Trainer of transformers, and what it reaches.

Run it with ::

    python benchmarks/bert.py speed MODEL TEXTS [--n-texts 1600] [--save]
    python benchmarks/bert.py classify MODEL TEXTS [--set name=value ...]
    python benchmarks/bert.py tag MODEL TRAIN DEVELOP
    python benchmarks/bert.py answer MODEL QUESTIONS

MODEL is a folder. TEXTS is the zip of sentence polarity, or the table of SMS spam.
`speed` fine-tunes for one pass with the Trainer and its defaults (8 texts a step,
padded to the longest, float32), and with ours, alternately; then both predict. Needs
the package accelerate. `classify` holds out a tenth and tells the accuracy, of `tag` it
is entity F1, of `answer` F1 and exact match of articles held out. One thread.
"""

import argparse
import tempfile
from pathlib import Path
from time import process_time

import numpy as np
import torch
from _arguments import setting
from _bert_data import read_polarity, read_questions, read_spam, read_tagged, split
from _machine import describe
from _results import add_save, describe_file, save
from _word2vec_report import markdown
from sklearn.metrics import matthews_corrcoef

from skml import (
    BertClassifier,
    BertQuestionAnswerer,
    BertTokenClassifier,
    answer_exact_match_score,
)


def read_texts(path):
    return read_polarity(path) if path.endswith(".zip") else read_spam(path)


def make_trainer(arguments, texts, labels):
    """The Trainer as its documentation shows it."""
    import transformers as hf

    hf.utils.logging.set_verbosity_error()
    tokenizer = hf.AutoTokenizer.from_pretrained(arguments.model)
    model = hf.AutoModelForSequenceClassification.from_pretrained(
        arguments.model, num_labels=len(set(labels))
    )
    names = sorted(set(labels))

    class Texts(torch.utils.data.Dataset):
        def __len__(self):
            return len(texts)

        def __getitem__(self, i):
            encoded = tokenizer(texts[i], truncation=True)
            return {**encoded, "labels": names.index(labels[i])}

    options = hf.TrainingArguments(
        tempfile.mkdtemp(),
        num_train_epochs=1,
        report_to=[],
        save_strategy="no",
        disable_tqdm=True,
        logging_strategy="no",
        use_cpu=True,
    )
    data = Texts()
    trainer = hf.Trainer(
        model,
        options,
        train_dataset=data,
        data_collator=hf.DataCollatorWithPadding(tokenizer),
        processing_class=tokenizer,
    )
    return trainer, data


def spent(call):
    start = process_time()
    call()
    return process_time() - start


def run_speed(arguments):
    texts, labels = read_texts(arguments.data[0])
    some = np.random.default_rng(0).permutation(len(texts))[: arguments.n_texts]
    texts, labels = list(texts[some]), list(labels[some])
    n_words = [len(text.split()) for text in texts]
    title = (
        f"{len(texts)} texts of {np.mean(n_words):.0f} words ({max(n_words)} at most)"
    )
    rows = []
    for number in range(arguments.n_rounds):
        trainer, data = make_trainer(arguments, texts, labels)
        model = BertClassifier(
            arguments.model, max_iter=1, random_state=0, **dict(arguments.set)
        )
        theirs = spent(trainer.train)
        ours = spent(lambda m=model: m.fit(texts, labels))
        rows.append(speed_row(number, "fit", theirs, ours))
        theirs = spent(lambda t=trainer, d=data: t.predict(d))
        ours = spent(lambda m=model: m.predict_proba(texts))
        rows.append(speed_row(number, "predict", theirs, ours))
    header = ["round", "what", "Trainer, CPU s", "skml, CPU s", "x CPU"]
    print(f"{title}\n\n{markdown(header, rows)}")
    if arguments.save:
        weights = Path(arguments.model, "model.safetensors")
        data = [describe_file(path) for path in (arguments.data[0], weights)]
        machine = describe("torch", "transformers", "accelerate")
        save("bert", machine, data, {title: (header, rows)})


def speed_row(number, what, theirs, ours):
    return [number, what, f"{theirs:.1f}", f"{ours:.1f}", f"**{theirs / ours:.2f}**"]


def run_classify(arguments):
    X, y = read_texts(arguments.data[0])
    for seed in range(arguments.n_rounds):
        learned, tested = split(len(X), seed=seed)
        model = BertClassifier(
            arguments.model, random_state=seed, verbose=1, **dict(arguments.set)
        )
        seconds = spent(lambda m=model, r=learned: m.fit(X[r], y[r]))
        predicted = model.predict(X[tested])
        accuracy = np.mean(predicted == y[tested])
        mcc = matthews_corrcoef(y[tested], predicted)
        print(
            f"seed {seed}: accuracy **{accuracy:.4f}**, MCC {mcc:.4f}, "
            f"{seconds:.0f} s of CPU",
            flush=True,
        )


def run_tag(arguments):
    (X, y), (X_test, y_test) = map(read_tagged, arguments.data)
    for seed in range(arguments.n_rounds):
        model = BertTokenClassifier(
            arguments.model, random_state=seed, verbose=1, **dict(arguments.set)
        )
        seconds = spent(lambda m=model: m.fit(X, y))
        print(
            f"seed {seed}: entity F1 **{model.score(X_test, y_test):.4f}**, "
            f"{seconds:.0f} s of CPU",
            flush=True,
        )


def run_answer(arguments):
    X, y, articles = read_questions(arguments.data[0])
    for seed in range(arguments.n_rounds):
        _, tested = split(articles.max() + 1, test_share=0.2, seed=seed)
        is_tested = np.isin(articles, tested)
        parts = [
            [side[i] for i in np.flatnonzero(rows)]
            for rows in (~is_tested, is_tested)
            for side in (X, y)
        ]
        model = BertQuestionAnswerer(
            arguments.model, random_state=seed, verbose=1, **dict(arguments.set)
        )
        seconds = spent(lambda m=model, p=parts: m.fit(p[0], p[1]))
        predicted = model.predict(parts[2])
        exact = answer_exact_match_score(parts[3], predicted)
        print(
            f"seed {seed}: F1 **{model.score(parts[2], parts[3]):.4f}**, exact match "
            f"{exact:.4f}, {seconds:.0f} s of CPU",
            flush=True,
        )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = {
        "speed": run_speed,
        "classify": run_classify,
        "tag": run_tag,
        "answer": run_answer,
    }
    parser.add_argument("command", choices=commands)
    parser.add_argument("model")
    parser.add_argument("data", nargs="+")
    parser.add_argument("--n-texts", type=int, default=1600)
    parser.add_argument("--n-rounds", type=int, default=1)
    parser.add_argument(
        "--set", nargs="*", default=[], type=setting, metavar="NAME=VALUE"
    )
    add_save(parser)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(describe("torch", "transformers"))
    commands[arguments.command](arguments)


if __name__ == "__main__":
    main()
