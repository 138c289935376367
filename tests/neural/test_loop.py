"""The loop that trains networks, on a regression whose answer is known."""

import json
import subprocess
import sys
from math import pi, sin, sqrt

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from skml._compat.torch import AdamW
from skml.neural._torch import _loop
from skml.neural._torch._loop import (
    NetworkTraining,
    TrainingOptions,
    group_by_decay,
    schedule,
)

WEIGHTS = torch.tensor([[1.0], [-2.0], [0.5]])
DATA = torch.randn(48, 3, generator=torch.Generator().manual_seed(0))
TARGET = DATA @ WEIGHTS + 3.0
OPTIONS = TrainingOptions(
    max_iter=6,
    learning_rate=0.1,
    lr_schedule="constant",
    warmup_steps=0,
    weight_decay=0.0,
    betas=(0.9, 0.98),
    max_grad_norm=np.inf,
    dtype=torch.float32,
    device=torch.device("cpu"),
    n_iter_no_change=3,
    tol=0.0,
    max_train_time=np.inf,
    n_averaged_checkpoints=1,
    checkpoint=None,
    fingerprint="a",
    caller="Regression",
)


class Regression:
    """Batches of rows; held-out losses that are known beforehand, if there are any."""

    def __init__(self, script=(), target=TARGET):
        self.target = target
        self.held_out_batches = ["held out"] if script else []
        self.script = iter(script)
        self.orders, self.held_out_weights, self.fails_at = [], [], None

    def batches(self, generator):
        order = torch.from_numpy(generator.permutation(len(DATA)))
        self.orders.append(order)
        batches = order.split(16)
        return len(batches), iter(batches)

    def loss(self, network, batch):
        if self.fails_at is not None:
            self.fails_at -= 1
            if self.fails_at < 0:
                raise KeyboardInterrupt
        loss = (network(DATA[batch]) - self.target[batch]).square().sum()
        return loss, len(batch)

    def held_out_loss(self, network, batch):
        assert not network.training
        if not isinstance(batch, str):  # the last one learned from
            loss = (network(DATA[batch]) - self.target[batch]).square().sum()
            return loss, len(batch)
        self.held_out_weights.append(weights_of(network))
        return torch.tensor(2 * next(self.script)), 2  # of two units


def make_network(dropout=0.0):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return nn.Sequential(nn.Dropout(dropout), nn.Linear(3, 1))


def weights_of(network):
    return {name: w.clone() for name, w in network.state_dict().items()}


def train(
    task=None,
    network=None,
    report=lambda training: False,
    seed=0,
    groups=None,
    **options,
):
    """A training that has run, with its weights."""
    task, network = task or Regression(), network or make_network()
    training = NetworkTraining(network, task, OPTIONS._replace(**options), seed, groups)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        weights = training.run(lambda: report(training))
    return training, weights


def assert_same(one, other):
    assert one.keys() == other.keys()
    for name, tensor in one.items():
        assert torch.equal(tensor, other[name])


# The rate


@pytest.mark.parametrize(
    ("kind", "step", "warmup_steps", "progress", "share"),
    [
        ("constant", 0, 0, 0.0, 1.0),
        ("constant", 0, 4, 0.0, 0.25),
        ("constant", 2, 4, 0.5, 0.75),
        ("constant", 3, 4, 0.5, 1.0),
        ("constant", 10**6, 4, 1.0, 1.0),
        ("cosine", 0, 0, 0.0, 1.0),
        ("cosine", 9, 0, 0.5, 0.5),
        ("cosine", 9, 0, 1.0, 0.0),
        ("cosine", 9, 0, 7.0, 0.0),
        ("cosine", 9, 0, 0.25, 0.5 + sqrt(0.125)),
        ("cosine", 0, 4, 0.5, 0.125),
        ("linear", 0, 0, 0.0, 1.0),
        ("linear", 9, 0, 0.25, 0.75),
        ("linear", 9, 0, 1.0, 0.0),
        ("linear", 9, 0, 7.0, 0.0),
        ("linear", 0, 4, 0.5, 0.125),
        ("linear", 3, 4, 0.5, 0.5),
        ("inverse-sqrt", 0, 4, 0.0, 0.25),
        ("inverse-sqrt", 3, 4, 0.0, 1.0),
        ("inverse-sqrt", 15, 4, 0.9, 0.5),
        ("inverse-sqrt", 399, 4, 0.9, 0.1),
        ("inverse-sqrt", 0, 0, 0.0, 1.0),
        ("inverse-sqrt", 24, 0, 0.0, 0.2),
    ],
)
def test_known_rates(kind, step, warmup_steps, progress, share):
    assert schedule(kind, step, warmup_steps, progress) == pytest.approx(
        share, abs=1e-12
    )


@pytest.fixture
def rates(monkeypatch):
    """The rates of the groups in each step."""
    seen, step = [], NetworkTraining._step

    def spy(self, batch):
        found = step(self, batch)
        seen.append([group["lr"] for group in self.optimizer.param_groups])
        return found

    monkeypatch.setattr(NetworkTraining, "_step", spy)
    return seen


@pytest.mark.parametrize("kind", ["constant", "cosine", "inverse-sqrt", "linear"])
def test_rates_of_steps(kind, rates):
    train(lr_schedule=kind, warmup_steps=5)
    assert len(rates) == 18  # three batches in each of six passes
    expected = [schedule(kind, step, 5, step / 18) for step in range(18)]
    assert [len(set(rate)) for rate in rates] == [1] * 18
    np.testing.assert_allclose([rate[0] for rate in rates], 0.1 * np.array(expected))


@pytest.mark.parametrize(
    ("share", "n_steps"), [(0.0, 0), (0.02, 0), (0.1, 2), (0.5, 9), (0.99, 18)]
)
@pytest.mark.parametrize("kind", ["constant", "cosine", "inverse-sqrt", "linear"])
def test_the_warm_up_may_be_a_share_of_the_steps(kind, share, n_steps, rates):
    train(lr_schedule=kind, warmup_steps=share)
    expected = [schedule(kind, step, n_steps, step / 18) for step in range(18)]
    np.testing.assert_allclose([rate[0] for rate in rates], 0.1 * np.array(expected))


@pytest.mark.parametrize(
    ("warmup_steps", "n_steps"), [(8, 8), (9, 9), (10, 9), (400, 9)]
)
def test_the_warm_up_takes_half_of_the_steps_at_most(warmup_steps, n_steps, rates):
    train(lr_schedule="constant", warmup_steps=warmup_steps)
    expected = [min(1, (step + 1) / n_steps) for step in range(18)]
    np.testing.assert_allclose([rate[0] for rate in rates], 0.1 * np.array(expected))


def test_groups_have_shares_of_the_rate(rates):
    def groups_of(network):
        weight, bias = network[1].parameters()
        return [
            *group_by_decay([weight], 0.0, learning_rate_factor=0.5),
            {"params": [bias], "weight_decay": 0.0, "learning_rate_factor": 0.0},
        ]

    network = make_network()
    before = weights_of(network)
    _, weights = train(
        network=network, groups=groups_of(network), max_iter=1, lr_schedule="linear"
    )
    assert [len(rate) for rate in rates] == [3] * 3
    for rate, progress in zip(rates, (1, 2 / 3, 1 / 3), strict=True):
        np.testing.assert_allclose(rate, [0.05 * progress, 0.05 * progress, 0.0])
    assert torch.equal(weights["1.bias"], before["1.bias"])
    # Half the rate for all is half the rate.
    network = make_network()
    shares = group_by_decay(network.parameters(), 0.0, learning_rate_factor=0.5)
    _, found = train(network=network, groups=shares, learning_rate=0.2)
    assert_same(found, train()[1])


def test_what_is_in_no_group_does_not_learn():
    network = make_network()
    before = weights_of(network)
    groups = group_by_decay([network[1].weight], 0.5)
    training, weights = train(network=network, groups=groups, max_iter=2)
    assert torch.equal(weights["1.bias"], before["1.bias"])
    assert not torch.equal(weights["1.weight"], before["1.weight"])
    assert training.losses[1] < training.losses[0]


def test_parameters_are_grouped_by_what_decays():
    network = nn.Sequential(nn.Linear(3, 2), nn.LayerNorm(2), nn.Embedding(4, 3))
    decaying, others = group_by_decay(
        network.parameters(), 0.25, learning_rate_factor=0.5
    )
    assert [p.ndim for p in decaying["params"]] == [2, 2]
    assert [p.ndim for p in others["params"]] == [1, 1, 1]
    assert (decaying["weight_decay"], others["weight_decay"]) == (0.25, 0.0)
    assert decaying["learning_rate_factor"] == others["learning_rate_factor"] == 0.5


# It learns


def test_the_answer_is_found():
    training, weights = train(max_iter=200, lr_schedule="cosine")
    torch.testing.assert_close(weights["1.weight"], WEIGHTS.T, atol=1e-3, rtol=0)
    torch.testing.assert_close(
        weights["1.bias"], torch.tensor([3.0]), atol=1e-3, rtol=0
    )
    assert len(training.losses) == 200
    assert training.losses[-1] < 1e-4 < training.losses[0]
    assert training.held_out_losses == []
    assert not training.is_diverged


def test_losses_are_means_of_units_before_each_step():
    training, _ = train(max_iter=1, learning_rate=1e-12)
    network = make_network()
    expected = (network(DATA) - TARGET).square().mean().item()
    assert training.losses == [pytest.approx(expected, rel=1e-5)]


def test_each_pass_has_another_order():
    task = Regression()
    train(task, max_iter=3)
    orders = {tuple(order.tolist()) for order in task.orders}
    assert len(orders) == 3
    again, other = Regression(), Regression()
    train(again, max_iter=3)
    train(other, max_iter=3, seed=1)
    assert {tuple(order.tolist()) for order in again.orders} == orders
    assert not {tuple(order.tolist()) for order in other.orders} & orders


def test_the_same_seed_gives_the_same_weights():
    one, other = (train(network=make_network(0.3))[1] for _ in range(2))
    assert_same(one, other)
    another = train(network=make_network(0.3), seed=1)[1]
    assert not torch.equal(one["1.weight"], another["1.weight"])


def test_long_gradients_are_shortened(monkeypatch):
    norms = []

    class SpiedOn(AdamW):
        def step(self):
            parameters = [p for g in self.param_groups for p in g["params"]]
            gradient = torch.cat([p.grad.flatten() for p in parameters])
            norms.append(gradient.norm().item())
            super().step()

    monkeypatch.setattr(_loop, "AdamW", SpiedOn)
    train(max_iter=1)
    train(max_iter=1, max_grad_norm=0.25)
    free, clipped = norms[:3], norms[3:]
    assert min(free) > 1
    np.testing.assert_allclose(clipped, 0.25, rtol=1e-4)


@pytest.mark.parametrize("n_rows", [1, 5, 16])
def test_a_batch_may_come_in_parts(n_rows):
    class InParts(Regression):
        def batches(self, generator):
            n_batches, batches = super().batches(generator)
            return n_batches, (list(batch.split(n_rows)) for batch in batches)

    options = {"max_iter": 3, "max_grad_norm": 10.0, "weight_decay": 0.1}
    whole, expected = train(**options)
    training, weights = train(InParts(), **options)
    assert training.n_steps == whole.n_steps == 9
    np.testing.assert_allclose(training.losses, whole.losses, rtol=1e-5)
    torch.testing.assert_close(weights, expected, rtol=1e-4, atol=1e-6)


def test_only_matrices_decay():
    # No gradient at all: the step of AdamW is the decay alone.
    class Flat(Regression):
        def loss(self, network, batch):
            return 0.0 * network(DATA[batch]).sum(), len(batch)

    network = make_network()
    before = weights_of(network)
    _, weights = train(Flat(), network, max_iter=1, weight_decay=0.5)
    torch.testing.assert_close(weights["1.weight"], before["1.weight"] * 0.95**3)
    assert torch.equal(weights["1.bias"], before["1.bias"])


# Held-out losses


def test_the_best_weights_are_kept():
    task = Regression(script=[5.0, 3.0, 4.0, 3.5, 3.0, 9.0])
    training, weights = train(task, max_iter=50)
    assert training.held_out_losses == [5.0, 3.0, 4.0, 3.5, 3.0]  # equal is no gain
    assert len(training.losses) == 5
    assert_same(weights, task.held_out_weights[1])
    assert not torch.equal(weights["1.bias"], task.held_out_weights[-1]["1.bias"])


def test_a_gain_that_is_too_small_is_none():
    task = Regression(script=[5.0, 4.5, 4.0, 3.5])
    training, weights = train(task, max_iter=50, tol=2.0)
    assert len(training.losses) == 4
    assert_same(weights, task.held_out_weights[0])


def test_a_gain_begins_the_count_anew():
    script = [5.0, 6.0, 6.0, 4.0, 6.0, 6.0, 3.0, 6.0, 6.0]
    training, weights = train(task := Regression(script), max_iter=9)
    assert training.held_out_losses == script
    assert_same(weights, task.held_out_weights[6])


def test_what_is_not_finite_is_divergence():
    task = Regression(script=[4.0, 3.0, np.nan, 1.0])
    training, weights = train(task, max_iter=50)
    assert training.is_diverged
    assert training.losses == training.losses[:2]
    assert training.held_out_losses == [4.0, 3.0]
    assert_same(weights, task.held_out_weights[1])
    training, weights = train(Regression(script=[np.nan, 4.0]), max_iter=50)
    assert training.is_diverged
    assert weights is None


def test_weights_that_are_measured_do_not_disturb_training():
    plain, _ = train(max_iter=5, n_averaged_checkpoints=3)
    training, _ = train(
        Regression(script=[5, 4, 3, 2, 1.0]), max_iter=5, n_averaged_checkpoints=3
    )
    assert training.losses == plain.losses


# Averages


def test_the_last_weights_are_averaged():
    seen = []

    def look(training):
        seen.append(weights_of(training.network))
        return False

    _, weights = train(report=look, n_averaged_checkpoints=3)
    for name, found in weights.items():
        expected = torch.stack([w[name] for w in seen[-3:]]).mean(dim=0)
        torch.testing.assert_close(found, expected)
        assert not torch.equal(found, seen[-1][name])


def test_fewer_passes_than_are_averaged():
    seen = []

    def look(training):
        seen.append(weights_of(training.network))
        return False

    _, weights = train(report=look, n_averaged_checkpoints=10, max_iter=2)
    expected = (seen[0]["1.bias"] + seen[1]["1.bias"]) / 2
    torch.testing.assert_close(weights["1.bias"], expected)


def test_averages_are_measured():
    task = Regression(script=[5.0, 4.0, 6.0, 6.0, 6.0])
    seen = []

    def look(training):
        seen.append(weights_of(training.network))
        return False

    _, weights = train(task, report=look, n_averaged_checkpoints=2)
    expected = (seen[0]["1.weight"] + seen[1]["1.weight"]) / 2
    torch.testing.assert_close(task.held_out_weights[1]["1.weight"], expected)
    assert_same(weights, task.held_out_weights[1])


# Its end


def test_a_report_stops():
    training, weights = train(report=lambda training: len(training.losses) == 2)
    assert len(training.losses) == 2
    assert training.is_stopped
    whole, expected = train(max_iter=2)
    assert not whole.is_stopped
    assert_same(weights, expected)


class Clock:
    """Each look at it takes a second."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        self.now += 1.0
        return self.now


def test_time_stops(monkeypatch):
    monkeypatch.setattr(_loop, "monotonic", Clock())
    training, weights = train(max_iter=10**6, max_train_time=40.0)
    assert 1 <= len(training.losses) < 40
    assert_same(weights, weights_of(training.network))


def test_time_stops_within_a_pass(monkeypatch):
    monkeypatch.setattr(_loop, "monotonic", Clock())
    training, _ = train(max_train_time=2.0)
    assert training.n_steps < 3
    assert len(training.losses) == 1
    assert np.isfinite(training.losses[0])


def test_the_rate_falls_with_time(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(_loop, "monotonic", clock)
    training = NetworkTraining(
        make_network(),
        Regression(),
        OPTIONS._replace(lr_schedule="cosine", max_train_time=100.0),
        0,
    )
    training.start = clock.now
    clock.now += 74.0  # a look takes another second
    training._set_rate()
    rate = training.optimizer.param_groups[0]["lr"]
    assert rate == pytest.approx(0.1 * (0.5 - 0.5 * sin(pi / 4)))


def test_the_warm_up_is_a_share_of_the_time(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(_loop, "monotonic", clock)
    options = {"lr_schedule": "constant", "warmup_steps": 0.5, "max_train_time": 100.0}
    training = NetworkTraining(
        make_network(), Regression(), OPTIONS._replace(**options), 0
    )
    training.start = clock.now
    # Ten steps in a quarter of the time: twenty of them are the warm-up.
    training.n_steps, training.n_batches = 9, 1000
    clock.now += 24.0
    training._set_rate()
    assert training.optimizer.param_groups[0]["lr"] == pytest.approx(0.1 * 0.5)
    clock.now += 50.0
    training._set_rate()
    assert training.optimizer.param_groups[0]["lr"] == pytest.approx(0.1)


class Diverging(Regression):
    """The loss becomes infinite in the third pass, and weights with it."""

    n_passes = 0

    def batches(self, generator):
        self.n_passes += 1
        return super().batches(generator)

    def loss(self, network, batch):
        loss, n_units = super().loss(network, batch)
        return (loss * np.inf if self.n_passes == 3 else loss), n_units


@pytest.mark.parametrize("script", [(), [5.0, 4.0]], ids=["plain", "held out"])
def test_divergence_keeps_the_weights_before(script):
    training, weights = train(Diverging(script))
    assert training.is_diverged
    assert len(training.losses) == 2
    assert np.isfinite(training.losses).all()
    assert_same(weights, train(max_iter=2)[1])
    assert not torch.isfinite(training.network[1].bias).all()


def test_divergence_at_once_has_no_weights():
    training, weights = train(Regression(target=TARGET * np.nan))
    assert training.is_diverged
    assert weights is None
    assert training.losses == []


def test_weights_that_lost_their_sense_in_the_last_step_are_not_kept():
    # The loss of a pass is known before its last step, which may be the fatal one.
    class Fatal(Regression):
        def batches(self, generator):
            order = torch.from_numpy(generator.permutation(len(DATA)))
            return 1, iter([order])

        def loss(self, network, batch):
            loss, n_units = super().loss(network, batch)
            if len(self.seen) == 2:
                loss = loss + torch.sqrt(0.0 * network[1].bias.sum())
            self.seen.append(loss.item())
            return loss, n_units

    task = Fatal()
    task.seen = []
    training, weights = train(task)
    assert np.isfinite(training.losses).all()
    assert training.is_diverged
    assert all(torch.isfinite(w).all() for w in weights.values())


# Checkpoints


def interrupt(training):
    return len(training.losses) == 2


def same_run(one, other):
    assert one.losses == other.losses
    assert one.held_out_losses == other.held_out_losses
    assert one.n_steps == other.n_steps
    assert_same(weights_of(one.network), weights_of(other.network))
    pairs = zip(
        one.optimizer.state.values(), other.optimizer.state.values(), strict=True
    )
    for ours, theirs in pairs:
        assert_same(ours, theirs)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"n_averaged_checkpoints": 3, "weight_decay": 0.1, "max_grad_norm": 0.5},
        {"lr_schedule": "cosine", "warmup_steps": 7},
        {"lr_schedule": "linear", "warmup_steps": 0.4},
    ],
    ids=["plain", "averaged", "cosine", "linear"],
)
@pytest.mark.parametrize("way", ["report", "exception"])
def test_resumed_is_run_through(options, way, tmp_path):
    path = str(tmp_path / "state")
    through, expected = train(network=make_network(0.3), **options)
    task = Regression()
    if way == "exception":
        task.fails_at = 7  # in the third pass
        with pytest.raises(KeyboardInterrupt):
            train(task, make_network(0.3), checkpoint=path, **options)
    else:
        train(task, make_network(0.3), interrupt, checkpoint=path, **options)
    # Neither the first weights nor the first random numbers matter now.
    training = NetworkTraining(
        nn.Sequential(nn.Dropout(0.3), nn.Linear(3, 1)),
        Regression(),
        OPTIONS._replace(checkpoint=path, **options),
        seed=77,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(77)
        found = training.run(lambda: False)
    assert_same(found, expected)
    same_run(training, through)


def test_resumed_knows_the_best(tmp_path):
    path = str(tmp_path / "state")
    script = [3.0, 5.0, 4.0, 3.5, 1.0]
    through, expected = train(Regression(script), max_iter=50)
    train(Regression(script), report=interrupt, checkpoint=path, max_iter=50)
    rest = Regression(script[2:])
    resumed, found = train(rest, checkpoint=path, max_iter=50, seed=1)
    assert resumed.held_out_losses == script[:4]
    assert_same(found, expected)
    same_run(resumed, through)


def test_time_is_counted_over_interruptions(tmp_path, monkeypatch):
    monkeypatch.setattr(_loop, "monotonic", clock := Clock())
    path = str(tmp_path / "state")
    options = {"checkpoint": path, "max_iter": 10**6, "max_train_time": 100.0}
    first, _ = train(report=interrupt, **options)
    assert len(first.losses) == 2
    clock.now += 10**9  # while nothing is computed
    before = clock.now
    second, _ = train(**options)
    assert len(second.losses) > 3
    # What is left of the time, and not all of it.
    assert 60 < clock.now - before < 95


def test_what_is_done_is_not_done_again(tmp_path):
    path = str(tmp_path / "state")
    first, expected = train(checkpoint=path)
    task = Regression()
    second, found = train(task, checkpoint=path)
    assert task.orders == []
    assert_same(found, expected)
    same_run(second, first)


def test_a_checkpoint_leaves_nothing_else(tmp_path):
    train(checkpoint=str(tmp_path / "state"))
    assert [path.name for path in tmp_path.iterdir()] == ["state"]


def test_a_checkpoint_of_something_else_is_refused(tmp_path):
    path = str(tmp_path / "state")
    train(checkpoint=path, report=interrupt)
    with pytest.raises(
        ValueError, match=r"Regression: the checkpoint '.*state' is of a fit with other"
    ):
        train(checkpoint=path, fingerprint="b")


def test_a_folder_is_no_checkpoint(tmp_path):
    with pytest.raises(ValueError, match=r"Regression: the checkpoint .* cannot be"):
        train(checkpoint=str(tmp_path))


@pytest.mark.parametrize("n_bytes", [0, 4, 8, 60, 500, -200, -1])
def test_a_truncated_checkpoint_is_refused(n_bytes, tmp_path):
    path = tmp_path / "state"
    train(checkpoint=str(path), report=interrupt)
    path.write_bytes(path.read_bytes()[:n_bytes])
    with pytest.raises(ValueError, match=r"checkpoint .*state' cannot be read.*Delete"):
        train(checkpoint=str(path))


@pytest.mark.parametrize(
    "content", [b"garbage", b"\x80\x04]\x94.", b"\xff" * 100, b"\x10" + b"\0" * 7]
)
def test_garbage_is_refused(content, tmp_path):
    path = tmp_path / "state"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"checkpoint .*state' cannot be read"):
        train(checkpoint=str(path))


def read_parts(path):
    from safetensors import safe_open

    with safe_open(path, framework="pt") as stored:
        names = stored.keys()
        return {name: stored.get_tensor(name) for name in names}, stored.metadata()


@pytest.mark.parametrize("metadata", [None, {"format": "skml-checkpoint-0"}])
def test_a_foreign_file_is_refused(metadata, tmp_path):
    path = tmp_path / "state"
    save_file({"a": torch.zeros(2)}, path, metadata=metadata)
    with pytest.raises(ValueError, match=r"state' is no checkpoint of this version"):
        train(checkpoint=str(path))


def change_notes(change):
    def edit(tensors, metadata):
        notes = json.loads(metadata["notes"])
        change(notes)
        metadata["notes"] = json.dumps(notes)

    return edit


LIES = {
    "no notes": lambda tensors, metadata: metadata.pop("notes"),
    "notes": lambda tensors, metadata: metadata.update(notes="{"),
    "no object": lambda tensors, metadata: metadata.update(notes="[]"),
    "no losses": change_notes(lambda notes: notes.pop("losses")),
    "generator": change_notes(lambda notes: notes.update(generator={"a": 1})),
    "no weights": lambda tensors, metadata: tensors.pop("network/1.bias"),
    "shape": lambda tensors, metadata: tensors.update(
        {"network/1.bias": torch.zeros(7)}
    ),
    "best": lambda tensors, metadata: tensors.pop("best/1.bias"),
    "state": lambda tensors, metadata: tensors.update(generator=torch.zeros(3)),
    "no state": lambda tensors, metadata: tensors.pop("generator"),
    "optimizer": lambda tensors, metadata: tensors.update(
        {"optimizer/x/exp_avg": torch.zeros(3)}
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lying_checkpoint_is_refused(lie, tmp_path):
    path = tmp_path / "state"
    train(checkpoint=str(path), report=interrupt)
    tensors, metadata = read_parts(path)
    LIES[lie](tensors, metadata)
    save_file(tensors, path, metadata=metadata)
    with pytest.raises(ValueError, match=r"Regression.*state"):
        train(checkpoint=str(path))


# What is not its own


def test_global_generators_are_not_moved():
    before = np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
    train()  # without dropout, no torch generator is needed
    assert np.array_equal(np.random.get_state()[1], before[0])  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), before[1])


@pytest.mark.parametrize("fused", [False, True])
def test_adamw_is_that_of_pytorch(fused):
    networks = nn.Linear(3, 1), nn.Linear(3, 1)
    networks[1].load_state_dict(networks[0].state_dict())
    optimizers = [
        cls(network.parameters(), lr=0.1, weight_decay=0.01, fused=fused)
        for cls, network in zip((AdamW, torch.optim.AdamW), networks, strict=True)
    ]
    for _ in range(3):
        for network, optimizer in zip(networks, optimizers, strict=True):
            optimizer.zero_grad()
            nn.functional.mse_loss(network(DATA), TARGET).backward()
            optimizer.step()
    ours, theirs = (list(network.parameters()) for network in networks)
    assert all(map(torch.equal, ours, theirs))
    ours, theirs = (optimizer.state_dict() for optimizer in optimizers)
    assert ours["param_groups"] == theirs["param_groups"]
    assert ours["state"].keys() == theirs["state"].keys()


def test_the_first_step_does_not_import_the_compiler_of_pytorch():
    code = (
        "import sys, torch\n"
        "from skml._compat.torch import AdamW\n"
        "network = torch.nn.Linear(3, 1)\n"
        "optimizer = AdamW(network.parameters(), lr=0.1, fused=True)\n"
        "network(torch.ones(2, 3)).sum().backward()\n"
        "optimizer.step()\n"
        "optimizer.zero_grad(set_to_none=True)\n"
        "optimizer.load_state_dict(optimizer.state_dict())\n"
        "sys.exit('torch._dynamo' in sys.modules)"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)
