"""Encoders and decoders of sequences of ids, put together."""

from math import sqrt
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from skml.neural.modules._cross_entropy import linear_cross_entropy
from skml.neural.modules._dropout import Dropout
from skml.neural.modules._recurrent_state import reorder_state


class Memory(NamedTuple):
    """The outputs of an encoder for source sequences."""

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

    A subclass encodes and decodes; here ids become vectors, and features, of which the
    decoder gives `feature_size`, scores of ids.
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

    def logits(self, features: Tensor) -> Tensor:
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

    def loss(
        self, features: Tensor, ids: Tensor, *, label_smoothing: float = 0.0
    ) -> Tensor:
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

    def forward(
        self, source: Tensor, lengths: Tensor, target: Tensor, **options
    ) -> Tensor:
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
