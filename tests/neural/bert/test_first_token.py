"""The last layer of a classifier, which computes the first token alone."""

import pytest
import torch
from transformers import AutoModelForSequenceClassification, BertConfig

from skml.neural._torch._first_token import FirstTokenLayer, skip_unread_tokens
from tests.neural.bert.models import tiny_model


def both(**changes):
    """A classifier as it is, and one that skips what is not read."""
    networks = []
    for _ in range(2):
        torch.manual_seed(0)
        networks.append(
            AutoModelForSequenceClassification.from_pretrained(
                tiny_model(),
                num_labels=3,
                hidden_dropout_prob=0.0,
                attention_probs_dropout_prob=0.0,
                **changes,
            )
        )
    skip_unread_tokens(networks[1])
    return networks


def some_inputs(has_padding):
    ids = torch.randint(5, 90, (4, 9), generator=torch.Generator().manual_seed(0))
    mask = torch.ones_like(ids)
    if has_padding:
        mask[1, 4:] = mask[2, 7:] = 0
    return {"input_ids": ids, "attention_mask": mask}


@pytest.mark.parametrize("has_padding", [False, True])
def test_logits_and_gradients_are_the_same(has_padding):
    whole, short = both()
    inputs = some_inputs(has_padding)
    found = []
    for network in (whole, short):
        logits = network.train()(**inputs).logits
        logits.square().sum().backward()
        gradients = {name: p.grad for name, p in network.named_parameters()}
        found.append((logits, gradients))
    torch.testing.assert_close(found[1][0], found[0][0], rtol=0, atol=1e-5)
    assert found[0][1].keys() == found[1][1].keys()
    for name, gradient in found[0][1].items():
        torch.testing.assert_close(found[1][1][name], gradient, rtol=1e-4, atol=1e-5)


def test_only_the_last_layer_is_another_one():
    whole, short = both()
    first, last = short.base_model.encoder.layer
    assert type(last) is FirstTokenLayer
    assert type(first) is type(whole.base_model.encoder.layer[0])
    assert whole.state_dict().keys() == short.state_dict().keys()
    hidden = short.base_model(**some_inputs(False)).last_hidden_state
    assert hidden.shape == (4, 1, 32)


def test_others_are_left_as_they_are():
    _, eager = both(attn_implementation="eager")
    assert type(eager.base_model.encoder.layer[-1]) is not FirstTokenLayer
    config = BertConfig.from_pretrained(tiny_model())
    body = AutoModelForSequenceClassification.from_config(config).base_model
    skip_unread_tokens(body)
    assert type(body.encoder.layer[-1]) is not FirstTokenLayer
