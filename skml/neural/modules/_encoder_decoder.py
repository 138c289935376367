"""Encoders and decoders of sequences of ids, put together."""

from math import sqrt
from typing import Any, NamedTuple

import torch
from torch import nn

from skml.neural.modules._cross_entropy import linear_cross_entropy
from skml.neural.modules._dropout import Dropout
from skml.neural.modules._positions import PositionalEncoding
from skml.neural.modules._recurrent_decoder import RecurrentDecoder
from skml.neural.modules._recurrent_encoder import RecurrentEncoder
from skml.neural.modules._recurrent_state import reorder_state
from skml.neural.modules._transformer_decoder import TransformerDecoder
from skml.neural.modules._transformer_encoder import TransformerEncoder


class Memory(NamedTuple):
    """What an encoder found in source sequences."""

    outputs: torch.Tensor  # (n_sequences, n_positions, n_features)
    mask: torch.Tensor  # (n_sequences, n_positions), True where there is a token
    state: Any = None  # of a recurrent encoder

    def take(self, index):
        """Some of the sequences, each perhaps several times."""
        state = None if self.state is None else reorder_state(self.state, index)
        return Memory(
            self.outputs.index_select(0, index), self.mask.index_select(0, index), state
        )


def mask_of(lengths, n_positions, device):
    """Which positions are within the length of each sequence."""
    return torch.arange(n_positions, device=device) < lengths.to(device)[:, None]


class EncoderDecoder(nn.Module):
    """What the networks that read one sequence and write another share.

    A subclass encodes and decodes; here ids become vectors, and features scores of ids.

    Parameters
    ----------
    n_source, n_target : int
        The sizes of both vocabularies.
    embedding_size : int
        The number of numbers of an id's vector.
    feature_size : int
        The number of features that the decoder gives.
    dropout : float, default=0.0
        The share of numbers that a step of training does not use.
    tie_embeddings : bool, default=True
        Whether a target id has the same vector when it is read and when it is written.
    """

    def __init__(
        self,
        n_source,
        n_target,
        embedding_size,
        feature_size,
        dropout=0.0,
        tie_embeddings=True,
    ):
        super().__init__()
        self.source_embedding = nn.Embedding(n_source, embedding_size)
        self.target_embedding = nn.Embedding(n_target, embedding_size)
        for embedding in (self.source_embedding, self.target_embedding):
            nn.init.normal_(embedding.weight, std=1 / sqrt(embedding_size))
        self.dropout = Dropout(dropout)
        self.to_embedding = nn.Identity()
        if tie_embeddings and feature_size != embedding_size:
            self.to_embedding = nn.Linear(feature_size, embedding_size)
        self.own_output_weight = None
        if not tie_embeddings:
            weight = torch.randn(n_target, feature_size) / sqrt(feature_size)
            self.own_output_weight = nn.Parameter(weight)
        self.output_bias = nn.Parameter(torch.zeros(n_target))

    @property
    def output_weight(self):
        """The vectors of target ids when they are written."""
        is_tied = self.own_output_weight is None
        return self.target_embedding.weight if is_tied else self.own_output_weight

    def logits(self, features):
        """Score all target ids.

        Parameters
        ----------
        features : Tensor of shape (..., n_features)
            What `decode` or `step` returned.

        Returns
        -------
        logits : Tensor of shape (..., n_target)
            The scores, of which a softmax makes probabilities.
        """
        return nn.functional.linear(
            self.to_embedding(features), self.output_weight, self.output_bias
        )

    def loss(self, features, ids, *, label_smoothing=0.0):
        """Sum up the cross-entropies of ids.

        Parameters
        ----------
        features : Tensor of shape (n_ids, n_features)
            What `decode` returned before each of the ids.
        ids : Tensor of int of shape (n_ids,)
            The ids that are right.
        label_smoothing : float, default=0.0
            How much probability is wanted for all ids together.

        Returns
        -------
        loss : Tensor of shape ()
            The sum, natural logarithms.
        """
        return linear_cross_entropy(
            self.to_embedding(features),
            self.output_weight,
            self.output_bias,
            ids,
            label_smoothing=label_smoothing,
        )

    def forward(self, source, lengths, target, **options):
        """Read sources, and decode targets.

        Parameters
        ----------
        source : Tensor of int of shape (n_sequences, n_source_positions)
            The ids of sources, padding behind.
        lengths : Tensor of int of shape (n_sequences,)
            How many ids each source has.
        target : Tensor of int of shape (n_sequences, n_positions)
            The ids of targets, from the start on.
        **options : dict
            Arguments of `decode`.

        Returns
        -------
        features : Tensor of shape (n_sequences, n_positions, n_features)
            What `decode` returns.
        """
        return self.decode(target, self.encode(source, lengths), **options)


class RecurrentEncoderDecoder(EncoderDecoder):
    """A recurrent encoder and decoder, with attention or without.

    Parameters
    ----------
    n_source : int
        The size of the source vocabulary.
    n_target : int
        The size of the target vocabulary.
    embedding_size : int, default=256
        The number of numbers of an id's vector.
    hidden_size : int, default=256
        The size of states.
    n_layers : int, default=1
        The number of layers of each.
    cell : {"gru", "lstm"}, default="gru"
        The kind of cell.
    bidirectional : bool, default=True
        Whether the encoder reads in both directions.
    attention : {"additive", "dot-product"} or None, default="dot-product"
        How the decoder attends to what the encoder found.
    dropout : float, default=0.0
        The share of numbers that a step of training does not use.
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
        n_source,
        n_target,
        embedding_size=256,
        hidden_size=256,
        n_layers=1,
        cell="gru",
        bidirectional=True,
        attention="dot-product",
        dropout=0.0,
        tie_embeddings=True,
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

    def encode(self, source, lengths):
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
        self, target, memory, *, teacher_forcing_ratio=1.0, return_weights=False
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

    def start(self, memory):
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

    def step(self, tokens, state):
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
        The number of layers of each.
    n_heads : int, default=4
        The number of heads.
    feed_forward_size : int, default=1024
        The number of hidden values of the network in each layer.
    positions : {"sinusoidal", "learned"}, default="sinusoidal"
        What is added to vectors to tell where they stand.
    max_length : int, default=512
        How many positions are learned.
    norm_first : bool, default=True
        Whether normalization comes before attention and network, else behind.
    activation : {"relu", "gelu"}, default="relu"
        What is applied to hidden values.
    dropout : float, default=0.0
        The share of numbers that a step of training does not use.
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
        n_source,
        n_target,
        model_size=256,
        n_layers=3,
        n_heads=4,
        feed_forward_size=1024,
        positions="sinusoidal",
        max_length=512,
        norm_first=True,
        activation="relu",
        dropout=0.0,
        tie_embeddings=True,
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

    def encode(self, source, lengths):
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

    def decode(self, target, memory, *, return_weights=False):
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

    def start(self, memory):
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

    def step(self, tokens, state):
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
