"""The network that a Transformer applies at each position."""

from torch import nn

from skml.neural.modules._checks import check_choice, check_dropout, check_sizes
from skml.neural.modules._dropout import Dropout

ACTIVATIONS = {"relu": nn.ReLU, "gelu": nn.GELU}


class FeedForward(nn.Sequential):
    """One hidden layer, with dropout behind it."""

    def __init__(self, model_size, feed_forward_size, dropout, activation):
        check_sizes(model_size=model_size, feed_forward_size=feed_forward_size)
        check_dropout(dropout)
        check_choice("activation", activation, tuple(ACTIVATIONS))
        super().__init__(
            nn.Linear(model_size, feed_forward_size),
            ACTIVATIONS[activation](),
            Dropout(dropout),
            nn.Linear(feed_forward_size, model_size),
        )
