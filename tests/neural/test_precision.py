"""In what precision networks are trained: what the processor and the network can do."""

import shutil
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from transformers import AutoConfig, AutoModel

from skml.neural import BertClassifier, Seq2SeqTranslator
from skml.neural._torch._device import find_dtype
from skml.neural._torch._translation import TranslationTask
from tests.neural.bert.models import SENTENCES, tiny_model
from tests.neural.cases import CLASSES, ENGLISH, FRENCH, assert_same_weights, small

INTEL = {"cpu_name": "Intel Xeon", "avx512_bf16": True, "amx_bf16": False}
PROCESSORS = {
    "AVX2 alone": ("AVX2", {"cpu_name": "AMD EPYC", "avx512_bf16": False}, False),
    "Intel, AVX-512": ("AVX512", INTEL, False),
    "Intel, AMX": ("AVX512", {**INTEL, "amx_bf16": True}, True),
    "Intel, AMX, held back": ("AVX2", {**INTEL, "amx_bf16": True}, False),
    "AMD, AVX-512": ("AVX512", {"cpu_name": "AMD EPYC", "avx512_bf16": True}, True),
    "AMD, older": ("AVX512", {"cpu_name": "AMD EPYC", "avx512_bf16": False}, False),
    "ARM": ("DEFAULT", {"architecture": "aarch64", "bf16": True}, False),
}


def pretend(monkeypatch, processor):
    level, capabilities, _ = PROCESSORS[processor]
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: level)
    monkeypatch.setattr(
        torch.cpu, "get_capabilities", lambda: capabilities, raising=False
    )


@pytest.mark.parametrize("processor", PROCESSORS)
def test_the_processor_decides(processor, monkeypatch):
    pretend(monkeypatch, processor)
    is_fast = find_dtype("auto", torch.device("cpu")) == torch.bfloat16
    assert is_fast == PROCESSORS[processor][2]


@pytest.fixture(scope="module")
def deberta(tmp_path_factory):
    """The folder of a DeBERTa, which cannot be computed in bfloat16."""
    folder, source = tmp_path_factory.mktemp("models") / "deberta", tiny_model(1)
    config = AutoConfig.for_model(
        "deberta",
        vocab_size=AutoConfig.from_pretrained(source).vocab_size,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
        relative_attention=True,
        pos_att_type=["c2p", "p2c"],
    )
    AutoModel.from_config(config).save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(Path(source, name), folder)
    return folder


# DeBERTa's own modules use what is deprecated in PyTorch, in older transformers.
@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_the_network_decides(deberta, monkeypatch):
    def fit(precision):
        model = BertClassifier(
            deberta, max_iter=1, precision=precision, device="cpu", random_state=0
        )
        return model.fit(SENTENCES, list("abababab"))

    with pytest.raises(
        ValueError,
        match=r"BertClassifier: precision='bfloat16', and this network cannot be "
        r"computed in it on this cpu: .*precision='float32', or 'auto'",
    ):
        fit("bfloat16")
    pretend(monkeypatch, "Intel, AMX")
    found, expected = (fit(p).predict_proba(SENTENCES) for p in ("auto", "float32"))
    np.testing.assert_array_equal(found, expected)


def has_lstm():
    """Whether PyTorch has an LSTM in bfloat16 on this processor."""
    try:
        with torch.autocast("cpu", torch.bfloat16):
            nn.LSTM(1, 1)(torch.ones(1, 1))
    except RuntimeError:
        return False
    return True


def test_the_network_and_the_processor_decide(monkeypatch):
    pretend(monkeypatch, "Intel, AMX")
    models = {
        precision: small(Seq2SeqTranslator, cell="lstm", precision=precision)
        for precision in ("auto", "bfloat16", "float32")
    }
    models["auto"].fit(ENGLISH, FRENCH)
    expected = "bfloat16"
    if not has_lstm():
        expected = "float32"
        with pytest.raises(ValueError, match=r"precision='bfloat16', and this network"):
            models["bfloat16"].fit(ENGLISH, FRENCH)
    assert_same_weights(models["auto"], models[expected].fit(ENGLISH, FRENCH))


class Products(TorchDispatchMode):
    """Notes the types of products of matrices."""

    def __init__(self):
        super().__init__()
        self.dtypes = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if "mm" in str(func):
            self.dtypes.add(args[-1].dtype)
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("cls", CLASSES)
def test_all_products_of_training_are_in_the_precision(cls, precision, monkeypatch):
    products, loss = Products(), TranslationTask.loss

    def observed(*args, is_training=True):
        with products if is_training else nullcontext():
            return loss(*args, is_training=is_training)

    monkeypatch.setattr(TranslationTask, "loss", observed)
    small(cls, precision=precision).fit(ENGLISH, FRENCH)
    assert products.dtypes == {getattr(torch, precision)}


@pytest.mark.parametrize("cls", CLASSES)
def test_a_trial_of_half_precision_draws_nothing(cls, monkeypatch):
    found = [small(cls, precision="bfloat16").fit(ENGLISH, FRENCH)]
    path = "skml.neural._torch._loop.find_obstacle"
    monkeypatch.setattr(path, lambda *args: None)
    found.append(small(cls, precision="bfloat16").fit(ENGLISH, FRENCH))
    assert_same_weights(*found)
