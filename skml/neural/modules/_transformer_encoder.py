"""The encoder of a Transformer."""

from typing import Literal

from torch import Tensor, nn

from skml.neural.modules._checks import check_sequences, check_sizes
from skml.neural.modules._feed_forward import FeedForward
from skml.neural.modules._multi_head import MultiHeadAttention
from skml.neural.modules._residual import Residual


class TransformerEncoderLayer(nn.Module):
    """One layer of a Transformer's encoder: attention, then a network [1]_.

    Both are added to what comes in, and both are normalized.

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
    >>> from skml.neural.modules import TransformerEncoderLayer
    >>> layer = TransformerEncoderLayer(8, n_heads=2, feed_forward_size=32)
    >>> layer(torch.rand(4, 5, 8)).shape
    torch.Size([4, 5, 8])
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
        self.attention = MultiHeadAttention(model_size, n_heads, dropout)
        self.attention_residual = Residual(model_size, dropout, norm_first)
        self.feed_forward = FeedForward(
            model_size, feed_forward_size, dropout, activation
        )
        self.feed_forward_residual = Residual(model_size, dropout, norm_first)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Encode sequences.

        Parameters
        ----------
        x : Tensor of shape (n_sequences, n_positions, model_size)
            The sequences.
        mask : Tensor of bool of shape (n_sequences, n_positions), default=None
            Which positions may be seen (True). None means all.

        Returns
        -------
        x : Tensor of shape (n_sequences, n_positions, model_size)
            The encoded sequences.

        Raises
        ------
        ValueError
            If shapes do not fit.
        """
        check_sequences("x", x, self.attention.query_map.in_features)
        seen = self.attention_residual.prepare(x)
        x = self.attention_residual(x, self.attention(seen, mask=mask))
        seen = self.feed_forward_residual.prepare(x)
        return self.feed_forward_residual(x, self.feed_forward(seen))


class TransformerEncoder(nn.Module):
    """Layers of attention in which each position sees all others [1]_.

    It does not know positions: add them before, with :class:`PositionalEncoding`.

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
    >>> from skml.neural.modules import TransformerEncoder
    >>> encoder = TransformerEncoder(2, 8, n_heads=2, feed_forward_size=32)
    >>> x, mask = torch.rand(1, 3, 8), torch.tensor([[True, True, False]])
    >>> memory = encoder(x, mask)

    What is masked changes nothing:

    >>> torch.allclose(memory[:, :2], encoder(x[:, :2]), atol=1e-6)
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
            TransformerEncoderLayer(
                model_size, n_heads, feed_forward_size, dropout, activation, norm_first
            )
            for _ in range(n_layers)
        )
        self.norm = nn.LayerNorm(model_size) if norm_first else nn.Identity()

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Encode sequences.

        Parameters
        ----------
        x : Tensor of shape (n_sequences, n_positions, model_size)
            The sequences, with positions added.
        mask : Tensor of bool of shape (n_sequences, n_positions), default=None
            Which positions may be seen (True). None means all.

        Returns
        -------
        memory : Tensor of shape (n_sequences, n_positions, model_size)
            The encoded sequences; at positions that may not be seen, numbers without
            meaning.

        Raises
        ------
        ValueError
            If shapes do not fit.
        """
        for layer in self.layers:
            x = layer(x, mask)
        return self.norm(x)
