r"""A layer of gated recurrent units on a CPU, forward beside backward.

.. math::
    r &= \sigma(W_r x + a_r + U_r h + b_r) \\
    z &= \sigma(W_z x + a_z + U_z h + b_z) \\
    n &= \tanh(W_n x + a_n + r (U_n h + b_n)) \\
    h' &= (1 - z) n + z h

PyTorch's own is differentiated step by step, with a product and a sum of the size of
the weights at each; here the gradients of the weights are one product for all steps,
and products are in bfloat16 where autocast says so.
"""

import torch
from torch import nn

from skml.neural.modules._dropout import Dropout
from skml.neural.modules._precision import prepare_products


class GatedRecurrence(torch.autograd.Function):
    """Runs a layer over sequences; see :func:`run_gru`."""

    @staticmethod
    def forward(ctx, x, state, mask, w_x, w_h, b_x, b_h, dtype):
        n_steps, n_sequences, _ = x.shape
        size = w_h.shape[1]
        of_x = torch.addmm(b_x.to(dtype), x.flatten(0, 1).to(dtype), w_x.t().to(dtype))
        of_x = of_x.to(x.dtype).view(n_steps, n_sequences, 3 * size)
        w_h_t, b_h_cast = w_h.t().to(dtype).contiguous(), b_h.to(dtype)
        gates = x.new_empty(n_steps, n_sequences, 2 * size)
        news, parts = x.new_empty(2, n_steps, n_sequences, size)
        states = x.new_empty(n_steps + 1, n_sequences, size)
        states[0] = state
        for t in range(n_steps):
            h = states[t]
            of_h = torch.addmm(b_h_cast, h.to(dtype), w_h_t).to(x.dtype)
            torch.add(of_x[t, :, : 2 * size], of_h[:, : 2 * size], out=gates[t])
            r, z = gates[t].sigmoid_().chunk(2, dim=1)
            parts[t] = of_h[:, 2 * size :]
            torch.addcmul(of_x[t, :, 2 * size :], r, parts[t], out=news[t])
            news[t].tanh_()
            torch.lerp(news[t], h, z, out=states[t + 1])
            if mask is not None:
                states[t + 1] = torch.where(mask[t], states[t + 1], h)
        ctx.save_for_backward(x, mask, w_x, w_h, gates, news, parts, states)
        ctx.dtype = dtype
        return states[1:].clone()

    @staticmethod
    def backward(ctx, gradient):
        x, mask, w_x, w_h, gates, news, parts, states = ctx.saved_tensors
        n_steps, n_sequences, size = news.shape
        of_x, of_h = x.new_empty(2, n_steps, n_sequences, 3 * size)
        w_h_cast = w_h.to(ctx.dtype)
        carried = torch.zeros_like(states[0])
        for t in reversed(range(n_steps)):
            r, z = gates[t].chunk(2, dim=1)
            n, h = news[t], states[t]
            at = carried + gradient[t]
            here = at if mask is None else at * mask[t]
            of_new = here * (1 - z) * (1 - n * n)
            of_x[t, :, 2 * size :] = of_new
            of_x[t, :, size : 2 * size] = here * (h - n) * z * (1 - z)
            of_x[t, :, :size] = of_new * parts[t] * r * (1 - r)
            of_h[t, :, : 2 * size] = of_x[t, :, : 2 * size]
            of_h[t, :, 2 * size :] = of_new * r
            carried = (of_h[t].to(ctx.dtype) @ w_h_cast).to(x.dtype) + here * z
            if mask is not None:
                carried = carried + at - here
        flat_x, flat_h = (g.flatten(0, 1).to(ctx.dtype) for g in (of_x, of_h))
        before = states[:-1].flatten(0, 1).to(ctx.dtype)
        return (
            (flat_x @ w_x.to(ctx.dtype)).to(x.dtype).view(x.shape),
            carried,
            None,
            (flat_x.t() @ x.flatten(0, 1).to(ctx.dtype)).to(w_x.dtype),
            (flat_h.t() @ before).to(w_h.dtype),
            of_x.sum(dim=(0, 1)),
            of_h.sum(dim=(0, 1)),
            None,
        )


def learns_on_cpu(network, x):
    """Whether :func:`run_gru` is the faster way to run a network."""
    is_on_cpu = isinstance(network, nn.GRU) and x.device.type == "cpu"
    return is_on_cpu and torch.is_grad_enabled()


def run_recurrent(network, x, state=None):
    """Run a recurrent network over sequences of the same length."""
    if learns_on_cpu(network, x):
        return run_gru(network, x, state)
    return network(x, state)


def run_gru(gru, x, state=None, lengths=None):
    """Run the layers of an ``nn.GRU`` over sequences.

    Shapes are those of the module, batch first. Behind the `lengths`, states stay as
    they are and outputs are zero; the other direction begins with the last that counts.
    """
    x, dtype = prepare_products(x)
    mask = None
    if lengths is not None:
        steps = torch.arange(x.shape[1])[:, None]
        mask = (steps < lengths)[:, :, None]
    n_directions = 2 if gru.bidirectional else 1
    if state is None:
        n_states = gru.num_layers * n_directions
        state = x.new_zeros(n_states, x.shape[0], gru.hidden_size)
    below, ends = x.transpose(0, 1), []
    for layer in range(gru.num_layers):
        if layer:
            below = Dropout(gru.dropout).train(gru.training)(below)
        outputs = []
        for direction in range(n_directions):
            suffix = f"l{layer}" + ("_reverse" if direction else "")
            weights = [
                getattr(gru, f"{kind}_{suffix}")
                for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            ]
            first = state[layer * n_directions + direction]
            flip = (lambda t: t.flip(0)) if direction else (lambda t: t)
            seen = None if mask is None else flip(mask)
            found = GatedRecurrence.apply(
                flip(below).contiguous(), first, seen, *weights, dtype
            )
            ends.append(found[-1])
            found = flip(found)
            outputs.append(found if mask is None else found * mask)
        below = torch.cat(outputs, dim=2) if len(outputs) > 1 else outputs[0]
    # In float32 until here, and then in the type of the weights, as PyTorch's own.
    own = gru.weight_ih_l0.dtype
    return below.transpose(0, 1).to(own), torch.stack(ends).to(own)
