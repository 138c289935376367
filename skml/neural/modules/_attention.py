"""Attention with one head: scores, weights, a weighted mean of values."""

from math import sqrt

import torch
from torch import Tensor, nn

from skml.neural.modules._checks import (
    check_dropout,
    check_mask,
    check_sequences,
    check_sizes,
)
from skml.neural.modules._dropout import Dropout
from skml.neural.modules._masked import masked_softmax


class DotProductAttention(nn.Module):
    r"""Attention by the inner product of query and key [1]_.

    .. math:: \mathrm{softmax}_k\left(\frac{q^\top k}{\sqrt{d}}\right) v

    It has no parameters.

    Parameters
    ----------
    scaled : bool, default=True
        Whether scores are divided by the root of d, the number of features.
    dropout : float, default=0.0
        Dropout probability of attention weights.

    Raises
    ------
    ValueError
        If `dropout` is not in [0, 1).

    See Also
    --------
    skml.attention.scaled_dot_product_score : The scores of arrays.

    References
    ----------
    .. [1] A. Vaswani et al., "Attention Is All You Need", NIPS 2017.

    Examples
    --------
    >>> import torch
    >>> from skml.neural.modules import DotProductAttention
    >>> attend = DotProductAttention()
    >>> queries, keys = torch.zeros(1, 1, 2), torch.rand(1, 3, 2)
    >>> values = torch.tensor([[[1.0], [3.0], [50.0]]])

    The last key may not be seen:

    >>> mask = torch.tensor([[True, True, False]])
    >>> pooled, weights = attend(queries, keys, values, mask)
    >>> pooled
    tensor([[[2.]]])
    >>> weights
    tensor([[[0.5000, 0.5000, 0.0000]]])
    """

    def __init__(self, scaled: bool = True, dropout: float = 0.0):
        super().__init__()
        check_dropout(dropout)
        self.scaled = scaled
        self.dropout = Dropout(dropout)

    def forward(
        self, queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None = None
    ):
        """Look up what the queries ask for.

        Parameters
        ----------
        queries : Tensor of shape (n_sequences, n_queries, n_features)
            The queries.
        keys : Tensor of shape (n_sequences, n_keys, n_features)
            The keys.
        values : Tensor of shape (n_sequences, n_keys, n_value_features)
            Values, one per key; what is averaged.
        mask : Tensor of bool, default=None
            Which keys may be seen (True), of shape (n_sequences, n_keys) or
            (n_sequences, n_queries, n_keys). None means all.

        Returns
        -------
        pooled : Tensor of shape (n_sequences, n_queries, n_value_features)
            The weighted means; zeros where a query may see nothing.
        weights : Tensor of shape (n_sequences, n_queries, n_keys)
            The weights, before any drop out.

        Raises
        ------
        ValueError
            If shapes do not fit.
        """
        check_sequences("queries", queries)
        check_sequences("keys", keys, queries.shape[-1], len(queries))
        if self.scaled:
            # Fewer numbers than there are scores.
            queries = queries / sqrt(queries.shape[-1])
        scores = queries @ keys.transpose(1, 2)
        return _pool(scores, values, mask, self.dropout)


class AdditiveAttention(nn.Module):
    r"""Attention by a small network that sees query and key [1]_.

    .. math:: \mathrm{softmax}_k\left(w^\top \tanh(W q + U k)\right) v

    Parameters
    ----------
    query_size : int
        The number of features of queries.
    key_size : int
        The number of features of keys.
    hidden_size : int
        The number of hidden values.
    dropout : float, default=0.0
        Dropout probability of attention weights.

    Raises
    ------
    ValueError
        If a size is not a positive integer, or `dropout` not in [0, 1).

    See Also
    --------
    skml.attention.additive_score : The scores of arrays.

    References
    ----------
    .. [1] D. Bahdanau, K. Cho, Y. Bengio, "Neural Machine Translation by Jointly
       Learning to Align and Translate", ICLR 2015.

    Examples
    --------
    >>> import torch
    >>> from skml.neural.modules import AdditiveAttention
    >>> attend = AdditiveAttention(query_size=4, key_size=6, hidden_size=8)
    >>> queries, memory = torch.rand(2, 1, 4), torch.rand(2, 5, 6)
    >>> pooled, weights = attend(queries, memory, memory)
    >>> pooled.shape, weights.shape
    (torch.Size([2, 1, 6]), torch.Size([2, 1, 5]))

    Where the same keys are asked again and again, project them once:

    >>> projected = attend.project_keys(memory)
    >>> again, _ = attend(queries, None, memory, projected_keys=projected)
    >>> torch.equal(again, pooled)
    True
    """

    def __init__(
        self, query_size: int, key_size: int, hidden_size: int, dropout: float = 0.0
    ):
        super().__init__()
        check_sizes(query_size=query_size, key_size=key_size, hidden_size=hidden_size)
        check_dropout(dropout)
        self.query_map = nn.Linear(query_size, hidden_size, bias=False)
        self.key_map = nn.Linear(key_size, hidden_size, bias=False)
        self.vector = nn.Linear(hidden_size, 1, bias=False)
        self.dropout = Dropout(dropout)

    def project_keys(self, keys: Tensor) -> Tensor:
        """Compute what scores need of the keys, U k.

        Parameters
        ----------
        keys : Tensor of shape (n_sequences, n_keys, key_size)
            The keys.

        Returns
        -------
        projected_keys : Tensor of shape (n_sequences, n_keys, hidden_size)
            The projected keys.

        Raises
        ------
        ValueError
            If the shape does not fit.
        """
        check_sequences("keys", keys, self.key_map.in_features)
        return self.key_map(keys)

    def forward(
        self,
        queries: Tensor,
        keys: Tensor | None,
        values: Tensor,
        mask: Tensor | None = None,
        *,
        projected_keys: Tensor | None = None,
    ):
        """Look up what the queries ask for.

        Parameters
        ----------
        queries : Tensor of shape (n_sequences, n_queries, query_size)
            The queries.
        keys : Tensor of shape (n_sequences, n_keys, key_size) or None
            The keys; None if `projected_keys` are given.
        values : Tensor of shape (n_sequences, n_keys, n_value_features)
            Values, one per key; what is averaged.
        mask : Tensor of bool, default=None
            Which keys may be seen (True), of shape (n_sequences, n_keys) or
            (n_sequences, n_queries, n_keys). None means all.
        projected_keys : Tensor, default=None
            What `project_keys` returned, of shape (n_sequences, n_keys, hidden_size),
            instead of `keys`.

        Returns
        -------
        pooled : Tensor of shape (n_sequences, n_queries, n_value_features)
            The weighted means; zeros where a query may see nothing.
        weights : Tensor of shape (n_sequences, n_queries, n_keys)
            The weights, before any drop out.

        Raises
        ------
        ValueError
            If shapes do not fit, or keys are given twice or not at all.
        """
        check_sequences("queries", queries, self.query_map.in_features)
        if (keys is None) == (projected_keys is None):
            raise ValueError("Give either keys or projected_keys, and not both.")
        if projected_keys is None:
            projected_keys = self.project_keys(keys)
        check_sequences(
            "projected_keys", projected_keys, self.key_map.out_features, len(queries)
        )
        hidden = self.query_map(queries)[:, :, None] + projected_keys[:, None]
        scores = self.vector(torch.tanh(hidden)).squeeze(-1)
        return _pool(scores, values, mask, self.dropout)


def _pool(scores, values, mask, dropout):
    """Weighted means of values, and the weights."""
    n_sequences, n_queries, n_keys = scores.shape
    check_sequences("values", values, n_sequences=n_sequences)
    if values.shape[1] != n_keys:
        raise ValueError(f"There are {values.shape[1]} values for {n_keys} keys.")
    mask = check_mask(mask, n_sequences, n_queries, n_keys)
    weights = masked_softmax(scores, mask)
    return dropout(weights) @ values, weights
