"""A recurrent encoder and decoder, put together."""

from typing import Any, Literal

import torch
from torch import Tensor

from skml.neural.modules._encoder_decoder import EncoderDecoder, Memory, mask_of
from skml.neural.modules._recurrent_decoder import RecurrentDecoder
from skml.neural.modules._recurrent_encoder import RecurrentEncoder
from skml.neural.modules._recurrent_state import reorder_state


class RecurrentEncoderDecoder(EncoderDecoder):
    """A recurrent encoder and decoder, with attention or without.

    Parameters
    ----------
    n_source : int
        The size of the source vocabulary.
    n_target : int
        The size of the target vocabulary.
    embedding_size : int, default=256
        Number of features of the embedding of an id.
    hidden_size : int, default=256
        The size of states.
    n_layers : int, default=1
        Number of layers of the encoder and of the decoder.
    cell : {"gru", "lstm"}, default="gru"
        The kind of cell.
    bidirectional : bool, default=True
        Whether the encoder reads in both directions.
    attention : {"additive", "dot-product"} or None, default="dot-product"
        The score by which the decoder attends to the outputs of the encoder.
    dropout : float, default=0.0
        Dropout probability in training.
    tie_embeddings : bool, default=True
        Whether a target id has the same vector when it is read and when it is written.

    See Also
    --------
    RecurrentEncoder, RecurrentDecoder : Its parts.

    Examples
    --------
    >>> import torch
    >>> from skml.neural.modules import RecurrentEncoderDecoder
    >>> network = RecurrentEncoderDecoder(10, 12, embedding_size=4, hidden_size=4)
    >>> source, lengths = torch.tensor([[4, 5, 3]]), torch.tensor([3])
    >>> features = network(source, lengths, target=torch.tensor([[2, 6]]))
    >>> network.logits(features).shape
    torch.Size([1, 2, 12])
    """

    def __init__(
        self,
        n_source: int,
        n_target: int,
        embedding_size: int = 256,
        hidden_size: int = 256,
        n_layers: int = 1,
        cell: Literal["gru", "lstm"] = "gru",
        bidirectional: bool = True,
        attention: Literal["additive", "dot-product"] | None = "dot-product",
        dropout: float = 0.0,
        tie_embeddings: bool = True,
    ):
        super().__init__(
            n_source, n_target, embedding_size, hidden_size, dropout, tie_embeddings
        )
        self.encoder = RecurrentEncoder(
            embedding_size, hidden_size, n_layers, cell, bidirectional, dropout
        )
        self.decoder = RecurrentDecoder(
            embedding_size,
            hidden_size,
            None if attention is None else self.encoder.output_size,
            n_layers,
            cell,
            attention,
            dropout,
        )

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
        outputs, state = self.encoder(
            self.dropout(self.source_embedding(source)), lengths
        )
        return Memory(outputs, mask_of(lengths, source.shape[1], source.device), state)

    def decode(
        self,
        target: Tensor,
        memory: Memory,
        *,
        teacher_forcing_ratio: float = 1.0,
        return_weights: bool = False,
    ):
        """Find features before each next id, given the ids before it.

        Parameters
        ----------
        target : Tensor of int of shape (n_sequences, n_positions)
            The ids, from the start on, padding behind.
        memory : Memory
            What `encode` returned.
        teacher_forcing_ratio : float, default=1.0
            How often the id before is that of the target; else it is the one that the
            network finds itself. The choice is the same for all sequences.
        return_weights : bool, default=False
            Whether weights over the source are returned as well.

        Returns
        -------
        features : Tensor of shape (n_sequences, n_positions, n_features)
            The features, of which `logits` makes scores of the next id.
        weights : Tensor of shape (n_sequences, n_positions, n_source_positions)
            The weights, if `return_weights`.
        """
        if teacher_forcing_ratio < 1:
            return self._decode_freely(target, memory, teacher_forcing_ratio)
        attends = self.decoder.attention is not None
        x = self.dropout(self.target_embedding(target))
        found = self.decoder(
            x,
            memory.state,
            memory.outputs if attends else None,
            memory.mask if attends else None,
            return_weights=return_weights,
        )
        return (found[0], found[2]) if return_weights else found[0]

    def _decode_freely(self, target, memory, ratio):
        state, token, features = self.start(memory), target[:, 0], []
        for position in range(target.shape[1]):
            if position:
                token = target[:, position]
                if torch.rand(()) >= ratio:
                    token = self.logits(features[-1]).argmax(dim=-1).detach()
            features.append(self.step(token, state))
        return torch.stack(features, dim=1)

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
        projected = None
        if self.decoder.attention is not None:
            projected = self.decoder.project_memory(memory.outputs)
        return RecurrentState(memory, projected)

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
        x = self.dropout(self.target_embedding(tokens[:, None]))
        attends = state.projected is not None
        features, hidden = self.decoder(
            x,
            state.memory.state,
            state.memory.outputs if attends else None,
            state.memory.mask if attends else None,
            projected_memory=state.projected,
        )
        state.memory = state.memory._replace(state=hidden)
        return features[:, 0]


class RecurrentState:
    """Where a recurrent decoder is in its sequences."""

    def __init__(self, memory, projected):
        self.memory = memory
        self.projected = projected

    def reorder(self, index, *, with_memory=True):
        """Replace the sequences by others of them."""
        if with_memory:
            self.memory = self.memory.take(index)
            if self.projected is not None:
                self.projected = self.projected.index_select(0, index)
        else:
            state = reorder_state(self.memory.state, index)
            self.memory = self.memory._replace(state=state)
