"""Small data, and small translators that learn them in a second or two."""

import numpy as np

from skml.neural import Seq2SeqTranslator, TransformerTranslator

ENGLISH = [
    "Go away.",
    "I am cold.",
    "He runs fast.",
    "She sings well.",
    "We are at home.",
    "They know the way.",
    "Where is the cat?",
    "The cat is on the bed.",
    "I like white wine.",
    "Do you speak French?",
    "It is raining today.",
    "My brother is tall.",
    "Close the door, please.",
    "Who are you?",
    "I lost my keys.",
    "The train is late.",
    "She bought a new car.",
    "We eat at seven.",
    "Nobody believes me.",
    "Thank you very much.",
]
FRENCH = [
    "Va-t'en !",
    "J'ai froid.",
    "Il court vite.",
    "Elle chante bien.",
    "Nous sommes à la maison.",
    "Ils connaissent le chemin.",
    "Où est le chat ?",
    "Le chat est sur le lit.",
    "J'aime le vin blanc.",
    "Parles-tu français ?",
    "Il pleut aujourd'hui.",
    "Mon frère est grand.",
    "Fermez la porte, s'il vous plaît.",
    "Qui es-tu ?",
    "J'ai perdu mes clés.",
    "Le train est en retard.",
    "Elle a acheté une nouvelle voiture.",
    "Nous mangeons à sept heures.",
    "Personne ne me croit.",
    "Merci beaucoup.",
]
CHINESE = [
    "走开。",
    "我很冷。",
    "他跑得很快。",
    "她唱歌很好听。",
    "我们在家。",
    "他们认识路。",
    "猫在哪里？",
    "猫在床上。",
    "我喜欢白酒。",
    "你会说法语吗？",
    "今天下雨。",
    "我哥哥很高。",
    "请关门。",
    "你是谁？",
    "我丢了钥匙。",
    "火车晚点了。",
    "她买了一辆新车。",
    "我们七点吃饭。",
    "没有人相信我。",
    "非常感谢。",
]
TOKENS = [text.split() for text in ENGLISH]
CLASSES = [Seq2SeqTranslator, TransformerTranslator]
SIZES = {
    Seq2SeqTranslator: {"hidden_size": 8, "embedding_size": 8},
    TransformerTranslator: {
        "model_size": 8,
        "n_heads": 2,
        "n_layers": 1,
        "feed_forward_size": 16,
    },
}
LARGER = {
    Seq2SeqTranslator: {"hidden_size": 32, "embedding_size": 32},
    TransformerTranslator: {
        "model_size": 32,
        "n_heads": 2,
        "n_layers": 1,
        "feed_forward_size": 64,
    },
}
FEW = {
    "tokenizer": "word",
    "vocabulary_size": 300,
    "max_iter": 2,
    "beam_size": 2,
    "batch_size": 256,
    "warmup_steps": 2,
    "learning_rate": 0.01,
    "precision": "float32",
    "device": "cpu",
    "random_state": 0,
}
LEARNING = {
    **FEW,
    "warmup_steps": 10,
    "batch_size": 512,
    "dropout": 0.0,
    "label_smoothing": 0.0,
    "early_stopping": False,
}


def small(cls, **parameters):
    """A translator that is soon fitted, and has learned next to nothing."""
    return cls(**{**SIZES[cls], **FEW, **parameters})


def learner(cls, **parameters):
    """A translator that learns by heart."""
    return cls(**{**LARGER[cls], **LEARNING, **parameters})


def short_lists(n_lists=300, n_tokens=6, longest=5):
    """Lists of tokens, of no meaning."""
    rng = np.random.default_rng(0)
    tokens = [chr(ord("a") + i) for i in range(n_tokens)]
    lengths = rng.integers(1, longest + 1, size=n_lists)
    return [[tokens[i] for i in rng.integers(n_tokens, size=n)] for n in lengths]


def weights_of(model):
    return {name: w.numpy() for name, w in model.network_.state_dict().items()}


def assert_same_weights(one, other):
    one, other = weights_of(one), weights_of(other)
    assert one.keys() == other.keys()
    for name, w in one.items():
        np.testing.assert_array_equal(w, other[name], strict=True)


def are_same_weights(one, other):
    pairs = zip(weights_of(one).values(), weights_of(other).values(), strict=True)
    return all(np.array_equal(*pair) for pair in pairs)
