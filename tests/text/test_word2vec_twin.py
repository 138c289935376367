"""Tests of the plain twin of word2vec: its steps descend the documented loss."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import expit

from skml.text._word2vec_tables import huffman_tree
from tests.oracles.word2vec import Twin, gradients_of_pair, loss_of_pair


def numerical_gradient(function, array, step=1e-5):
    gradient = np.zeros_like(array)
    for place in np.ndindex(array.shape):
        ahead, behind = array.copy(), array.copy()
        ahead[place] += step
        behind[place] -= step
        gradient[place] = (function(ahead) - function(behind)) / (2 * step)
    return gradient


def test_gradients_of_a_pair():
    rng = np.random.default_rng(0)
    x, outputs = rng.normal(size=4), rng.normal(size=(5, 4))
    rest = np.array([1.0, 0, 0, 1, 0]), np.array([1.0, 1, 0, 1, 1])
    by_x, by_outputs = gradients_of_pair(x, outputs, *rest)
    expected = numerical_gradient(lambda x: loss_of_pair(x, outputs, *rest), x)
    assert_allclose(by_x, expected, rtol=0, atol=1e-9)
    expected = numerical_gradient(lambda o: loss_of_pair(x, o, *rest), outputs)
    assert_allclose(by_outputs, expected, rtol=0, atol=1e-9)


def make_twin(skip_gram, counts):
    """A twin with random matrices of one row a word, three floats wide."""
    matrices = np.random.default_rng(1).normal(size=(2, len(counts), 3))
    tree = huffman_tree(np.array(counts))
    return Twin(
        *matrices,
        vector_size=3,
        keep=None,
        noise=np.empty(0),
        path_offsets=tree.offsets,
        path_steps=tree.steps,
        skip_gram=skip_gram,
        n_negatives=3,
        window=5,
        shrink_window=False,
    )


def documented_loss(inputs, outputs, word, noise):
    """The formula of the class docstring, letter by letter."""
    loss = 0.0
    for x in inputs:
        loss -= np.log(expit(x @ outputs[word]))
        loss -= sum(np.log(expit(-x @ outputs[n])) for n in noise)
    return loss


@pytest.mark.parametrize("architecture", ["skip-gram", "cbow"])
@pytest.mark.parametrize("contexts", [[4], [1, 2, 4], [3, 1, 3, 3]])
def test_a_step_descends_the_documented_loss(architecture, contexts):
    word, noise, rate = 0, [3, 5, 3], 0.1
    twin = make_twin(architecture == "skip-gram", [1] * 6)
    inputs, outputs = twin.inputs.copy(), twin.outputs.copy()

    def inputs_of(x):
        return x[contexts] if architecture == "skip-gram" else [x[contexts].mean(0)]

    def loss(x, o):
        return documented_loss(inputs_of(x), o, word, noise)

    targets = np.array([word, *noise]), np.array([1.0, 0, 0, 0]), np.ones(4)
    assert_allclose(twin.step(contexts, targets, rate), loss(inputs, outputs))
    by_inputs = numerical_gradient(lambda x: loss(x, outputs), inputs)
    by_outputs = numerical_gradient(lambda o: loss(inputs, o), outputs)
    if architecture == "cbow":
        # A word has 1 / n of the mean's gradient, but receives the whole of it.
        by_inputs *= len(contexts)
    assert_allclose(twin.outputs, outputs - rate * by_outputs, rtol=0, atol=1e-9)
    assert_allclose(twin.inputs, inputs - rate * by_inputs, rtol=0, atol=1e-9)


def test_tree_loss_is_a_distribution():
    """exp(-loss) is the probability of a word: over all words they add to one."""
    twin = make_twin(True, [9, 5, 3, 3, 1])
    x = twin.inputs[2]
    losses = []
    for word in range(5):
        rows, *rest = twin.find_targets(word, None)
        losses.append(loss_of_pair(x, twin.outputs[rows], *rest))
    assert np.exp(-np.array(losses)).sum() == pytest.approx(1)
