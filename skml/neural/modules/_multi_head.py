"""Attention in several heads."""

import torch
from torch import Tensor, nn

from skml.neural.modules._caches import KeyValueCache
from skml.neural.modules._checks import (
    check_dropout,
    check_mask,
    check_sequences,
    check_sizes,
)
from skml.neural.modules._dropout import Dropout
from skml.neural.modules._fused import attend, attend_with_weights


class MultiHeadAttention(nn.Module):
    r"""Attention in several heads, each to its own part of projected features [1]_.

    .. math:: \mathrm{concat}_h \left( \mathrm{softmax} \left(
        \frac{Q_h K_h^\top}{\sqrt{d}} \right) V_h \right) W_o + b_o

    where Q, K and V are linear maps of queries, keys and values, and d is the number of
    features of a head. Weights begin as in Glorot and Bengio (2010), biases as zeros.

    Parameters
    ----------
    model_size : int
        The number of features, of everything that comes in and goes out.
    n_heads : int
        The number of heads, which divides `model_size`.
    dropout : float, default=0.0
        Dropout probability of attention weights.

    Raises
    ------
    ValueError
        If a size is not a positive integer, the heads do not divide the features, or
        `dropout` is not in [0, 1).

    See Also
    --------
    skml.attention.multi_head_attention : The same for arrays.

    References
    ----------
    .. [1] A. Vaswani et al., "Attention Is All You Need", NIPS 2017.

    Examples
    --------
    >>> import torch
    >>> from skml.neural.modules import KeyValueCache, MultiHeadAttention
    >>> attend = MultiHeadAttention(model_size=8, n_heads=2)
    >>> x = torch.rand(1, 3, 8)
    >>> attend(x).shape
    torch.Size([1, 3, 8])

    The weights of each head, where no position sees a later one:

    >>> _, weights = attend(x, is_causal=True, return_weights=True)
    >>> weights[0, 1, 0]
    tensor([1., 0., 0.], grad_fn=<SelectBackward0>)

    One position after another:

    >>> cache = KeyValueCache()
    >>> steps = [attend(x[:, t : t + 1], is_causal=True, cache=cache) for t in range(3)]
    >>> torch.allclose(torch.cat(steps, dim=1), attend(x, is_causal=True), atol=1e-6)
    True
    """

    def __init__(self, model_size: int, n_heads: int, dropout: float = 0.0):
        super().__init__()
        check_sizes(model_size=model_size, n_heads=n_heads)
        check_dropout(dropout)
        if model_size % n_heads:
            raise ValueError(
                f"n_heads={n_heads} does not divide model_size={model_size}; each head "
                "gets an equal part of the features."
            )
        self.n_heads = n_heads
        self.query_map = nn.Linear(model_size, model_size)
        self.key_map = nn.Linear(model_size, model_size)
        self.value_map = nn.Linear(model_size, model_size)
        self.output_map = nn.Linear(model_size, model_size)
        self.dropout = Dropout(dropout)
        self.reset_parameters()

    def reset_parameters(self):
        """Draw the weights anew, and set biases to zero."""
        for linear in (self.query_map, self.key_map, self.value_map, self.output_map):
            nn.init.xavier_uniform_(linear.weight)
            nn.init.zeros_(linear.bias)

    def project(self, memory: Tensor):
        """Project keys and values that stay the same, once for all calls.

        Parameters
        ----------
        memory : Tensor of shape (n_sequences, n_keys, model_size)
            Keys and values, as an encoder returns them.

        Returns
        -------
        cache : KeyValueCache
            A fixed one, for `forward`.

        Raises
        ------
        ValueError
            If the shape does not fit.
        """
        return KeyValueCache(*self._project(memory, memory), is_fixed=True)

    def forward(
        self,
        queries: Tensor,
        keys: Tensor | None = None,
        values: Tensor | None = None,
        mask: Tensor | None = None,
        *,
        is_causal: bool = False,
        cache: KeyValueCache | None = None,
        return_weights: bool = False,
    ):
        """Look up what the queries ask for.

        Parameters
        ----------
        queries : Tensor of shape (n_sequences, n_queries, model_size)
            The queries.
        keys : Tensor of shape (n_sequences, n_keys, model_size), default=None
            The keys. None means the queries, or the keys of a fixed cache.
        values : Tensor of shape (n_sequences, n_keys, model_size), default=None
            Values, one per key; what is averaged. None means the keys.
        mask : Tensor of bool, default=None
            Which keys may be seen (True), those in the cache among them, of shape
            (n_sequences, n_keys) or (n_sequences, n_queries, n_keys). None means all.
        is_causal : bool, default=False
            Whether no query sees a later key. The last query stands at the last key.
        cache : KeyValueCache, default=None
            Earlier keys and values, to which these are appended; or, if it is fixed,
            all keys and values.
        return_weights : bool, default=False
            Whether weights are returned as well, which is slower.

        Returns
        -------
        attended : Tensor of shape (n_sequences, n_queries, model_size)
            What the queries found. One that may see nothing finds zeros in each head,
            so that nothing but the bias of the output is left.
        weights : Tensor of shape (n_sequences, n_heads, n_queries, n_keys)
            The weights before any drop out, if `return_weights`.

        Raises
        ------
        ValueError
            If shapes do not fit, or there are keys beside a fixed cache.
        """
        check_sequences("queries", queries, self.query_map.in_features)
        query_heads = self._split(self.query_map(queries))
        key_heads, value_heads = self._keys_and_values(queries, keys, values, cache)
        n_queries, n_keys = query_heads.shape[2], key_heads.shape[2]
        mask = check_mask(mask, len(queries), n_queries, n_keys)
        heads = (query_heads, key_heads, value_heads)
        weights = None
        if return_weights:
            pooled, weights = self._pool_with_weights(*heads, mask, is_causal)
        else:
            pooled = self._pool(*heads, mask, is_causal)
        attended = self.output_map(pooled.transpose(1, 2).flatten(2))
        return (attended, weights) if return_weights else attended

    def _keys_and_values(self, queries, keys, values, cache):
        """The heads of all keys and values that there are."""
        if cache is None or not cache.is_fixed:
            keys = queries if keys is None else keys
            heads = self._project(keys, keys if values is None else values)
            if cache is not None:
                heads = cache.append(*heads)
        elif keys is None and values is None:
            heads = cache.keys, cache.values
        else:
            raise ValueError("The cache is fixed; expected neither keys nor values.")
        if len(heads[0]) != len(queries):
            raise ValueError(
                f"There are queries of {len(queries)} sequences, and keys of "
                f"{len(heads[0])}."
            )
        return heads

    def _project(self, keys, values):
        check_sequences("keys", keys, self.key_map.in_features)
        check_sequences("values", values, self.value_map.in_features, len(keys))
        if keys.shape[1] != values.shape[1]:
            raise ValueError(
                f"There are {values.shape[1]} values for {keys.shape[1]} keys."
            )
        return self._split(self.key_map(keys)), self._split(self.value_map(values))

    def _split(self, points):
        """Features of each head apart: (n_sequences, n_heads, n_points, head_size)."""
        return points.unflatten(-1, (self.n_heads, -1)).transpose(1, 2)

    def _pool(self, queries, keys, values, mask, is_causal):
        """Weighted means by PyTorch's fused kernel, which forms no weights."""
        n_queries, n_keys = queries.shape[2], keys.shape[2]
        dropout = self.dropout.p if self.training else 0.0
        if dropout and queries.device.type == "cpu":
            # With dropout it is not fused there, and draws each number apart.
            return self._pool_with_weights(queries, keys, values, mask, is_causal)[0]
        if is_causal and mask is None and n_queries == n_keys:
            return attend(queries, keys, values, dropout_p=dropout, is_causal=True)
        seen = _combine(mask, is_causal, n_queries, n_keys, queries.device)
        if seen is None:
            return attend(queries, keys, values, dropout_p=dropout)
        # What a kernel makes of a row that sees nothing differs between devices.
        blind = ~seen.any(dim=-1, keepdim=True)
        pooled = attend(
            queries, keys, values, attn_mask=seen | blind, dropout_p=dropout
        )
        return pooled.masked_fill(blind, 0)

    def _pool_with_weights(self, queries, keys, values, mask, is_causal):
        sizes = queries.shape[2], keys.shape[2]
        seen = _combine(mask, is_causal, *sizes, queries.device)
        return attend_with_weights(queries, keys, values, seen, self.dropout)


def _combine(mask, is_causal, n_queries, n_keys, device):
    """Which keys are seen: None for all, else with a dimension of one for heads."""
    seen = None if mask is None else mask[:, None]
    # A single query stands at the last key, and sees all.
    if is_causal and n_queries > 1:
        pairs = torch.ones(n_queries, n_keys, dtype=torch.bool, device=device)
        earlier = pairs.tril(n_keys - n_queries)
        seen = earlier[None, None] if seen is None else seen & earlier
    return seen
