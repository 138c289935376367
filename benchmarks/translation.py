"""Translators against a loop as it is usually written, with the same networks.

Run it with ::

    python benchmarks/translation.py epoch PAIRS [--n-pairs 30000]
    python benchmarks/translation.py decode PAIRS
    python benchmarks/translation.py bleu PAIRS [--minutes 10] [--model seq2seq ...]

PAIRS is a file of Tatoeba's pairs: English, a tab, another language. `epoch` times a
pass over the pairs: random batches, padded to the longest, with scores of all ids at
all positions, in float32; and ours. `decode` times greedy decoding with a cache of the
states of earlier positions and without one, and a beam of five. `bleu` trains for so
many minutes of a CPU, and translates 5 000 pairs that were held out; with `--plain` the
network is trained by the plain loop, 64 random pairs a step, Adam. One thread.
"""

import argparse
from time import perf_counter, process_time

import numpy as np
import torch
from _arguments import setting
from _machine import describe
from _pairs import read_pairs, split_pairs
from torch.nn.functional import cross_entropy
from torch.optim.lr_scheduler import LambdaLR

from skml import Seq2SeqTranslator, TransformerTranslator, bleu_score
from skml.neural._codec import PADDING
from skml.neural._torch import _loop
from skml.neural._torch._batches import pad

MODELS = {"seq2seq": Seq2SeqTranslator, "transformer": TransformerTranslator}


def plain_epoch(
    network,
    sources,
    targets,
    batch_size,
    optimizer,
    generator,
    smoothing,
    scheduler=None,
    until=np.inf,
):
    """A pass over pairs in random batches; returns the mean loss of a token."""
    network.train()
    order = generator.permutation(len(sources))
    total, n_tokens = 0.0, 0
    for start in range(0, len(order), batch_size):
        if process_time() > until:
            break
        rows = order[start : start + batch_size]
        source, lengths = pad([sources[row] for row in rows])
        target, _ = pad([targets[row] for row in rows])
        logits = network.logits(network(source, lengths, target[:, :-1]))
        loss = cross_entropy(
            logits.flatten(0, 1),
            target[:, 1:].flatten(),
            ignore_index=PADDING,
            label_smoothing=smoothing,
        )
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        if scheduler is not None:
            scheduler.step()
        n = int((target[:, 1:] != PADDING).sum())
        total, n_tokens = total + loss.item() * n, n_tokens + n
    return total / n_tokens


def prepare(model, english, other):
    """Ids of the pairs, and a new network, as `fit` makes them."""
    from skml.neural._torch._translator_learning import _read

    _, architecture, pairs = _read(model, english, other, None)
    torch.manual_seed(0)
    return *pairs, model._network_class.make(architecture)


def run_epoch(arguments):
    from skml.neural._torch._device import find_dtype
    from skml.neural._torch._loop import NetworkTraining, TrainingOptions, schedule
    from skml.neural._torch._translation import TranslationTask

    english, other = read_pairs(arguments.pairs)
    some = np.random.default_rng(0).permutation(len(english))[: arguments.n_pairs]
    pairs = [[side[i] for i in some] for side in (english, other)]
    print("| model | pass | plain loop, s (loss) | ours, s (loss) | x |")
    print("|---|---:|---:|---:|---:|")
    cpu = torch.device("cpu")
    for name in arguments.model:
        for precision in arguments.precision:
            model = MODELS[name](precision=precision)
            sources, targets, network = prepare(model, *pairs)
            _, _, twin = prepare(model, *pairs)
            task = TranslationTask(
                sources,
                targets,
                np.empty(0, dtype=np.intp),
                batch_size=model.batch_size,
                label_smoothing=model.label_smoothing,
                device=cpu,
                decode_options={},
            )
            options = TrainingOptions(
                max_iter=arguments.n_passes,
                learning_rate=model.learning_rate,
                lr_schedule=model.lr_schedule,
                warmup_steps=model.warmup_steps,
                weight_decay=model.weight_decay,
                max_grad_norm=1.0,
                betas=(0.9, 0.98),
                dtype=find_dtype(precision, cpu),
                device=cpu,
                n_iter_no_change=10,
                tol=0.0,
                max_train_time=np.inf,
                n_averaged_checkpoints=1,
                checkpoint=None,
                fingerprint="",
                caller="benchmark",
            )
            training = NetworkTraining(network, task, options, seed=0)
            training.start = perf_counter()
            optimizer = torch.optim.AdamW(
                twin.parameters(), lr=model.learning_rate, betas=(0.9, 0.98)
            )
            generator = np.random.default_rng(0)
            # As many steps as ours has batches.
            n_batches, _ = task.batches(generator)
            size = round(len(sources) / n_batches)
            n_steps = arguments.n_passes * n_batches
            scheduler = LambdaLR(
                optimizer,
                lambda step, model=model, n_steps=n_steps: schedule(
                    model.lr_schedule, step, model.warmup_steps, step / n_steps
                ),
            )
            for number in range(arguments.n_passes):
                start = process_time()
                plain = plain_epoch(
                    twin,
                    sources,
                    targets,
                    size,
                    optimizer,
                    generator,
                    model.label_smoothing,
                    scheduler,
                )
                plain_s, start = process_time() - start, process_time()
                loss = training._run_epoch()
                own_s = process_time() - start
                print(
                    f"| {name}, {precision}, {size} pairs a step | {number + 1} | "
                    f"{plain_s:.1f} ({plain:.3f}) | {own_s:.1f} ({loss:.3f}) | "
                    f"**{plain_s / own_s:.2f}** |",
                    flush=True,
                )


@torch.inference_mode()
def decode_uncached(network, memory, n_steps):
    """Greedy decoding that reads all earlier ids anew for each id."""
    ids = torch.full((len(memory.mask), 1), 2)
    for _ in range(n_steps):
        features = network.decode(ids, memory)[:, -1]
        logits = network.logits(features)
        logits[:, :4] = -torch.inf  # no end, so that all are of the same length
        ids = torch.cat([ids, logits.argmax(dim=-1, keepdim=True)], dim=1)
    return ids[:, 1:]


@torch.inference_mode()
def decode_cached(network, memory, n_steps):
    ids = [torch.full((len(memory.mask),), 2)]
    state = network.start(memory)
    for _ in range(n_steps):
        logits = network.logits(network.step(ids[-1], state))
        logits[:, :4] = -torch.inf
        ids.append(logits.argmax(dim=-1))
    return torch.stack(ids[1:], dim=1)


def run_decode(arguments):
    english, other = read_pairs(arguments.pairs)
    some = np.random.default_rng(0).permutation(len(english))[:5000]
    pairs = [[side[i] for i in some] for side in (english, other)]
    print("| model | cached, s | uncached, s | x | greedy, s | beam of 5, s | x |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name in arguments.model:
        model = MODELS[name](max_iter=1, early_stopping=False, random_state=0)
        model.fit(*pairs)
        network, cells = model.network_, [name]
        source, lengths = pad(model._read_sources(pairs[0][:64]))
        with torch.inference_mode():
            memory = network.encode(source, lengths)
        seconds, found = [], []
        for decode in (decode_cached, decode_uncached):
            start = process_time()
            found.append(decode(network, memory, arguments.n_steps))
            seconds.append(process_time() - start)
        assert (found[0] == found[1]).float().mean() > 0.99
        cells += [f"{s:.2f}" for s in seconds] + [f"**{seconds[1] / seconds[0]:.1f}**"]
        seconds = []
        for beam_size in (1, 5):
            start = process_time()
            model.set_params(beam_size=beam_size).predict(pairs[0][:500])
            seconds.append(process_time() - start)
        cells += [f"{s:.2f}" for s in seconds] + [f"**{seconds[1] / seconds[0]:.1f}**"]
        print(f"| {' | '.join(cells)} |", flush=True)


def fit_plainly(model, X, y, until):
    """Train the network of an estimator in a plain loop, until so much time is used."""
    sources, targets, network = prepare(model, X, y)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.001)
    generator, model.n_iter_ = np.random.default_rng(0), 0
    while process_time() < until:
        plain_epoch(
            network, sources, targets, 64, optimizer, generator, 0.0, until=until
        )
        model.n_iter_ += 1
    model.network_ = network.eval()


def run_bleu(arguments):
    # What limits a fit is the time of this process, whatever else the machine does.
    _loop.monotonic = process_time
    english, other = read_pairs(arguments.pairs)
    lower = [[s.lower() for s in side] for side in (english, other)]
    (X, y), (X_test, y_test) = split_pairs(*lower, n_test=5000)
    print(f"{len(X)} pairs to learn from, {len(X_test)} to test with")
    print(
        "| model | minutes of CPU | passes | greedy, BLEU (s) | beam of 5, BLEU (s) |"
    )
    print("|---|---:|---:|---:|---:|")
    for name in arguments.model:
        model = MODELS[name](
            max_train_time=60 * arguments.minutes,
            max_iter=1000,
            n_iter_no_change=1000,
            validation_fraction=0.01,
            random_state=0,
            verbose=arguments.verbose,
        )
        model.set_params(**dict(map(setting, arguments.set)))
        start = process_time()
        if arguments.plain:
            fit_plainly(model, X, y, start + 60 * arguments.minutes)
        else:
            model.fit(X, y)
        cells = [name, f"{(process_time() - start) / 60:.1f}", str(model.n_iter_)]
        for beam_size in (1, 5):
            start = process_time()
            translated = model.set_params(beam_size=beam_size).predict(X_test)
            seconds = process_time() - start
            score = bleu_score(list(y_test), list(translated), lowercase=True)
            cells.append(f"**{score:.3f}** ({seconds:.1f})")
        print(f"| {' | '.join(cells)} |", flush=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=("epoch", "decode", "bleu"))
    parser.add_argument("pairs")
    parser.add_argument("--model", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--n-pairs", type=int, default=30_000)
    parser.add_argument("--n-passes", type=int, default=2)
    parser.add_argument("--n-steps", type=int, default=60)
    parser.add_argument("--precision", nargs="+", default=["float32", "bfloat16"])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE")
    parser.add_argument("--plain", action="store_true", help="BLEU of a plain loop")
    parser.add_argument("--verbose", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(describe("torch"))
    commands = {"epoch": run_epoch, "decode": run_decode, "bleu": run_bleu}
    commands[arguments.command](arguments)


if __name__ == "__main__":
    main()
