"""A last layer that computes nothing but what a classifier reads: the first piece."""

from transformers.models.bert.modeling_bert import (
    BertForSequenceClassification,
    BertLayer,
)

from skml.neural._torch._attention import NAME, pool


class FirstPieceLayer(BertLayer):
    """A layer of BERT whose output is that of the first piece alone.

    All pieces are looked at, so that keys and values are of all of them; queries and
    the feed-forward block, which are five sixths of the work, are of the first one.
    """

    def forward(self, hidden_states, attention_mask=None, *args, **kwargs):
        own, first = self.attention.self, hidden_states[:, :1]
        shape = (len(hidden_states), -1, own.num_attention_heads)
        query, key, value = (
            project(pieces).view(*shape, own.attention_head_size).transpose(1, 2)
            for project, pieces in (
                (own.query, first),
                (own.key, hidden_states),
                (own.value, hidden_states),
            )
        )
        if attention_mask is not None:
            attention_mask = attention_mask[:, :, :1]
        dropout = own.dropout.p if own.training else 0.0
        context = pool(query, key, value, attention_mask, dropout)
        context = context.transpose(1, 2).flatten(2)
        return self.feed_forward_chunk(self.attention.output(context, first))


def skip_unread_pieces(network):
    """Let a classifier's last layer compute no more than is read of it.

    Other families than BERT are left as they are.
    """
    if type(network) is not BertForSequenceClassification:
        return
    if network.config._attn_implementation not in {"sdpa", NAME}:
        return
    for last in network.base_model.encoder.layer[-1:]:  # there may be none
        if type(last) is BertLayer:
            last.__class__ = FirstPieceLayer
