"""A last layer that computes nothing but what a classifier reads: the first token."""

from torch import nn

from skml._compat.transformers import attention_of, last_bert_layer
from skml.neural._torch._attention import NAME, pool


class FirstTokenLayer(nn.Module):
    """A layer of BERT, of the same weights, whose output is that of the first token.

    All tokens are attended to, so that keys and values are of all of them; queries and
    the feed-forward block, which are five sixths of the work, are of the first one.
    """

    def __init__(self, layer):
        super().__init__()
        self.attention = layer.attention
        self.intermediate = layer.intermediate
        self.output = layer.output
        self.n_heads = layer.attention.self.num_attention_heads
        self.train(layer.training)

    def forward(self, hidden_states, attention_mask=None, *args, **kwargs):
        own, first = self.attention.self, hidden_states[:, :1]
        query, key, value = (
            project(tokens).unflatten(-1, (self.n_heads, -1)).transpose(1, 2)
            for project, tokens in (
                (own.query, first),
                (own.key, hidden_states),
                (own.value, hidden_states),
            )
        )
        if attention_mask is not None:
            attention_mask = attention_mask[:, :, :1]
        dropout = own.dropout.p if own.training else 0.0
        context = pool(query, key, value, attention_mask, dropout)
        attended = self.attention.output(context.transpose(1, 2).flatten(2), first)
        return self.output(self.intermediate(attended), attended)


def skip_unread_tokens(network):
    """Let the last layer of a BERT that classifies compute what is read of it alone."""
    if attention_of(network) not in {"sdpa", NAME}:
        return
    layer = last_bert_layer(network)
    if layer is not None:
        network.base_model.encoder.layer[-1] = FirstTokenLayer(layer)
