"""The encoder and decoder of the transformer, put together."""

from math import sqrt
from typing import Any, Literal

from torch import Tensor

from skml.neural.modules._encoder_decoder import EncoderDecoder, Memory, mask_of
from skml.neural.modules._positions import PositionalEncoding
from skml.neural.modules._transformer_decoder import TransformerDecoder
from skml.neural.modules._transformer_encoder import TransformerEncoder


class TransformerEncoderDecoder(EncoderDecoder):
    """The transformer of Vaswani et al. [1]_, encoder and decoder.

    Parameters
    ----------
    n_source : int
        The size of the source vocabulary.
    n_target : int
        The size of the target vocabulary.
    model_size : int, default=256
        The number of features everywhere.
    n_layers : int, default=3
        Number of layers of the encoder and of the decoder.
    n_heads : int, default=4
        Number of attention heads.
    feed_forward_size : int, default=1024
        Number of hidden units of the feed-forward network in each layer.
    positions : {"sinusoidal", "learned"}, default="sinusoidal"
        The positional encoding that is added to embeddings.
    max_length : int, default=512
        How many positions are learned.
    norm_first : bool, default=True
        Whether normalization comes before attention and network, else behind.
    activation : {"relu", "gelu"}, default="relu"
        Activation function of the hidden units.
    dropout : float, default=0.0
        Dropout probability in training.
    tie_embeddings : bool, default=True
        Whether a target id has the same vector when it is read and when it is written.

    See Also
    --------
    TransformerEncoder, TransformerDecoder : Its parts.

    References
    ----------
    .. [1] A. Vaswani et al., "Attention Is All You Need", NIPS 2017.

    Examples
    --------
    >>> import torch
    >>> from skml.neural.modules import TransformerEncoderDecoder
    >>> network = TransformerEncoderDecoder(10, 12, model_size=8, n_heads=2)
    >>> source, lengths = torch.tensor([[4, 5, 3]]), torch.tensor([3])
    >>> features = network(source, lengths, target=torch.tensor([[2, 6]]))
    >>> network.logits(features).shape
    torch.Size([1, 2, 12])
    """

    def __init__(
        self,
        n_source: int,
        n_target: int,
        model_size: int = 256,
        n_layers: int = 3,
        n_heads: int = 4,
        feed_forward_size: int = 1024,
        positions: Literal["sinusoidal", "learned"] = "sinusoidal",
        max_length: int = 512,
        norm_first: bool = True,
        activation: Literal["relu", "gelu"] = "relu",
        dropout: float = 0.0,
        tie_embeddings: bool = True,
    ):
        super().__init__(
            n_source, n_target, model_size, model_size, dropout, tie_embeddings
        )
        sizes = (n_layers, model_size, n_heads, feed_forward_size)
        self.scale = sqrt(model_size)
        self.source_positions = PositionalEncoding(model_size, max_length, positions)
        self.target_positions = PositionalEncoding(model_size, max_length, positions)
        self.encoder = TransformerEncoder(*sizes, dropout, activation, norm_first)
        self.decoder = TransformerDecoder(*sizes, dropout, activation, norm_first)

    def encode(self, source: Tensor, lengths: Tensor):
        """Read sources.

        Parameters
        ----------
        source : Tensor of int of shape (n_sequences, n_positions)
            The ids, padding behind.
        lengths : Tensor of int of shape (n_sequences,)
            How many ids each has.

        Returns
        -------
        memory : Memory
            A named tuple: `outputs` of shape (n_sequences, n_positions, n_features),
            the `mask` of what is no padding, and the last `state`, if there is one.
        """
        mask = mask_of(lengths, source.shape[1], source.device)
        x = self.source_positions(self.scale * self.source_embedding(source))
        return Memory(self.encoder(self.dropout(x), mask), mask)

    def decode(self, target: Tensor, memory: Memory, *, return_weights: bool = False):
        """Find features before each next id, given the ids before it.

        Parameters
        ----------
        target : Tensor of int of shape (n_sequences, n_positions)
            The ids, from the start on, padding behind.
        memory : Memory
            What `encode` returned.
        return_weights : bool, default=False
            Whether weights over the source are returned as well.

        Returns
        -------
        features : Tensor of shape (n_sequences, n_positions, n_features)
            The features, of which `logits` makes scores of the next id.
        weights : Tensor of shape (n_sequences, n_positions, n_source_positions)
            The weights of the last layer, the mean of its heads, if `return_weights`.
        """
        x = self.target_positions(self.scale * self.target_embedding(target))
        found = self.decoder(
            self.dropout(x), memory.outputs, memory.mask, return_weights=return_weights
        )
        if not return_weights:
            return found
        features, weights = found
        return features, weights[-1].mean(dim=1)  # of the last layer, over its heads

    def start(self, memory: Memory):
        """Begin to write.

        Parameters
        ----------
        memory : Memory
            What `encode` returned.

        Returns
        -------
        state : object
            The state before the first id, for `step`. Its method `reorder` replaces the
            sequences by others of them.
        """
        return self.decoder.new_cache(memory.outputs, memory.mask)

    def step(self, tokens: Tensor, state: Any) -> Tensor:
        """Find features before the next id.

        Parameters
        ----------
        tokens : Tensor of int of shape (n_sequences,)
            The ids before.
        state : object
            What `start` returned; it moves on.

        Returns
        -------
        features : Tensor of shape (n_sequences, n_features)
            The features.
        """
        x = self.scale * self.target_embedding(tokens[:, None])
        x = self.target_positions(x, start=len(state))
        return self.decoder(self.dropout(x), cache=state)[:, 0]
