"""The decoder of a Transformer."""

from typing import Literal

from torch import Tensor, nn

from skml.neural.modules._caches import KeyValueCache, TransformerCache
from skml.neural.modules._checks import check_sequences, check_sizes
from skml.neural.modules._feed_forward import FeedForward
from skml.neural.modules._multi_head import MultiHeadAttention
from skml.neural.modules._residual import Residual


class TransformerDecoderLayer(nn.Module):
    """One layer of a Transformer's decoder [1]_.

    Attention to itself and what came before, attention to the memory of the encoder,
    then a network. Each is added to what comes in, and each is normalized.

    Parameters
    ----------
    model_size : int
        The number of features.
    n_heads : int
        The number of heads, which divides `model_size`.
    feed_forward_size : int
        The number of hidden values of the network.
    dropout : float, default=0.0
        Dropout probability of attention weights, of hidden units and of the outputs
        that are added.
    activation : {"relu", "gelu"}, default="relu"
        Activation function of the hidden units.
    norm_first : bool, default=True
        Whether normalization comes before attention and network [2]_; else behind the
        sums.

    Raises
    ------
    ValueError
        If a size is not a positive integer, the heads do not divide the features,
        `activation` is unknown, or `dropout` is not in [0, 1).

    References
    ----------
    .. [1] A. Vaswani et al., "Attention Is All You Need", NIPS 2017.
    .. [2] R. Xiong et al., "On Layer Normalization in the Transformer Architecture",
       ICML 2020.

    Examples
    --------
    >>> import torch
    >>> from skml.neural.modules import TransformerDecoderLayer
    >>> layer = TransformerDecoderLayer(8, n_heads=2, feed_forward_size=32)
    >>> y, memory = torch.rand(4, 3, 8), torch.rand(4, 5, 8)
    >>> layer(y, memory).shape
    torch.Size([4, 3, 8])
    """

    def __init__(
        self,
        model_size: int,
        n_heads: int,
        feed_forward_size: int,
        dropout: float = 0.0,
        activation: Literal["relu", "gelu"] = "relu",
        norm_first: bool = True,
    ):
        super().__init__()
        self.self_attention = MultiHeadAttention(model_size, n_heads, dropout)
        self.self_residual = Residual(model_size, dropout, norm_first)
        self.memory_attention = MultiHeadAttention(model_size, n_heads, dropout)
        self.memory_residual = Residual(model_size, dropout, norm_first)
        self.feed_forward = FeedForward(
            model_size, feed_forward_size, dropout, activation
        )
        self.feed_forward_residual = Residual(model_size, dropout, norm_first)

    def new_cache(self, memory: Tensor):
        """Begin to decode position by position.

        Parameters
        ----------
        memory : Tensor of shape (n_sequences, n_memory, model_size)
            What the encoder returned.

        Returns
        -------
        cache : tuple of two KeyValueCache
            An empty one of the layer's own positions, and a fixed one of the memory.

        Raises
        ------
        ValueError
            If the shape does not fit.
        """
        return KeyValueCache(), self.memory_attention.project(memory)

    def forward(
        self,
        y: Tensor,
        memory: Tensor | None = None,
        memory_mask: Tensor | None = None,
        *,
        cache: tuple[KeyValueCache, KeyValueCache] | None = None,
        return_weights: bool = False,
    ):
        """Decode sequences.

        Parameters
        ----------
        y : Tensor of shape (n_sequences, n_positions, model_size)
            The sequences; with a cache, only the positions that are not in it.
        memory : Tensor of shape (n_sequences, n_memory, model_size), default=None
            What the encoder returned; None with a cache, which has it.
        memory_mask : Tensor of bool of shape (n_sequences, n_memory), default=None
            Which positions of the memory may be seen (True). None means all.
        cache : tuple of two KeyValueCache, default=None
            What `new_cache` returned; the positions are appended to it.
        return_weights : bool, default=False
            Whether weights over the memory are returned as well.

        Returns
        -------
        y : Tensor of shape (n_sequences, n_positions, model_size)
            The decoded sequences.
        weights : Tensor of shape (n_sequences, n_heads, n_positions, n_memory)
            The weights over the memory, if `return_weights`.

        Raises
        ------
        ValueError
            If shapes do not fit, or there is a memory beside a cache, or neither.
        """
        check_sequences("y", y, self.self_attention.query_map.in_features)
        _check_memory(memory, cache)
        own_cache, memory_cache = (None, None) if cache is None else cache
        seen = self.self_residual.prepare(y)
        found = self.self_attention(seen, is_causal=True, cache=own_cache)
        y = self.self_residual(y, found)
        found = self.memory_attention(
            self.memory_residual.prepare(y),
            memory,
            mask=memory_mask,
            cache=memory_cache,
            return_weights=return_weights,
        )
        found, weights = found if return_weights else (found, None)
        y = self.memory_residual(y, found)
        seen = self.feed_forward_residual.prepare(y)
        y = self.feed_forward_residual(y, self.feed_forward(seen))
        return (y, weights) if return_weights else y


class TransformerDecoder(nn.Module):
    """Layers of attention to what came before, and to the memory of an encoder [1]_.

    No position sees a later one, so that padding behind a sequence needs no mask. The
    decoder does not know positions: add them before, with :class:`PositionalEncoding`.

    Parameters
    ----------
    n_layers : int
        The number of layers.
    model_size : int
        The number of features.
    n_heads : int
        The number of heads, which divides `model_size`.
    feed_forward_size : int
        Number of hidden units of the feed-forward network in each layer.
    dropout : float, default=0.0
        Dropout probability of attention weights, of hidden units and of the outputs
        that are added.
    activation : {"relu", "gelu"}, default="relu"
        Activation function of the hidden units.
    norm_first : bool, default=True
        Whether normalization comes before attention and network [2]_, and once more at
        the end; else behind the sums.

    Raises
    ------
    ValueError
        If a size is not a positive integer, the heads do not divide the features,
        `activation` is unknown, or `dropout` is not in [0, 1).

    References
    ----------
    .. [1] A. Vaswani et al., "Attention Is All You Need", NIPS 2017.
    .. [2] R. Xiong et al., "On Layer Normalization in the Transformer Architecture",
       ICML 2020.

    Examples
    --------
    >>> import torch
    >>> from skml.neural.modules import TransformerDecoder
    >>> decoder = TransformerDecoder(2, 8, n_heads=2, feed_forward_size=32)
    >>> y, memory = torch.rand(1, 3, 8), torch.rand(1, 5, 8)
    >>> features = decoder(y, memory)

    The same, position by position:

    >>> cache = decoder.new_cache(memory)
    >>> steps = [decoder(y[:, t : t + 1], cache=cache) for t in range(3)]
    >>> torch.allclose(torch.cat(steps, dim=1), features, atol=1e-5)
    True
    """

    def __init__(
        self,
        n_layers: int,
        model_size: int,
        n_heads: int,
        feed_forward_size: int,
        dropout: float = 0.0,
        activation: Literal["relu", "gelu"] = "relu",
        norm_first: bool = True,
    ):
        super().__init__()
        check_sizes(n_layers=n_layers)
        self.layers = nn.ModuleList(
            TransformerDecoderLayer(
                model_size, n_heads, feed_forward_size, dropout, activation, norm_first
            )
            for _ in range(n_layers)
        )
        self.norm = nn.LayerNorm(model_size) if norm_first else nn.Identity()

    def new_cache(self, memory: Tensor, memory_mask: Tensor | None = None):
        """Begin to decode position by position.

        Parameters
        ----------
        memory : Tensor of shape (n_sequences, n_memory, model_size)
            What the encoder returned.
        memory_mask : Tensor of bool of shape (n_sequences, n_memory), default=None
            Which positions of it may be seen (True). None means all.

        Returns
        -------
        cache : TransformerCache
            The memory as each layer needs it, and no position yet.

        Raises
        ------
        ValueError
            If the shape does not fit.
        """
        layers = [layer.new_cache(memory) for layer in self.layers]
        return TransformerCache(layers, memory_mask)

    def forward(
        self,
        y: Tensor,
        memory: Tensor | None = None,
        memory_mask: Tensor | None = None,
        *,
        cache: TransformerCache | None = None,
        return_weights: bool = False,
    ):
        """Decode sequences.

        Parameters
        ----------
        y : Tensor of shape (n_sequences, n_positions, model_size)
            The sequences, with positions added; with a cache, only the positions that
            are not in it.
        memory : Tensor of shape (n_sequences, n_memory, model_size), default=None
            What the encoder returned; None with a cache, which has it.
        memory_mask : Tensor of bool of shape (n_sequences, n_memory), default=None
            Which positions of the memory may be seen (True). None means all, or those
            that the cache says.
        cache : TransformerCache, default=None
            What `new_cache` returned; the positions are appended to it.
        return_weights : bool, default=False
            Whether weights over the memory are returned as well.

        Returns
        -------
        features : Tensor of shape (n_sequences, n_positions, model_size)
            The decoded sequences; with a cache, only of the positions in `y`.
        weights : tuple of Tensor of shape (n_sequences, n_heads, n_positions, n_memory)
            For each layer the weights over the memory, if `return_weights`.

        Raises
        ------
        ValueError
            If shapes do not fit, or there is a memory beside a cache, or neither.
        """
        _check_memory(memory, cache)
        if cache is not None:
            if memory_mask is not None:
                raise ValueError("The cache has the memory_mask; expected None.")
            memory_mask = cache.memory_mask
        caches = [None] * len(self.layers) if cache is None else cache.layers
        weights = []
        for layer, layer_cache in zip(self.layers, caches, strict=True):
            y = layer(
                y,
                memory,
                memory_mask,
                cache=layer_cache,
                return_weights=return_weights,
            )
            if return_weights:
                y, of_layer = y
                weights.append(of_layer)
        features = self.norm(y)
        return (features, tuple(weights)) if return_weights else features


def _check_memory(memory, cache):
    """There must be a memory, or a cache, which has one."""
    if memory is None and cache is None:
        raise ValueError("Neither a memory nor a cache is given; expected one.")
    if memory is not None and cache is not None:
        raise ValueError("The cache has the memory already; expected memory=None.")
