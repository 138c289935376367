"""
Sequence-to-sequence learning: digits, French and Chinese
=========================================================

A sequence-to-sequence model is trained on pairs of a source and a target sequence, and
predicts a target for each new source. This example trains
:class:`~skml.neural.Seq2SeqTranslator` to reverse strings of digits, and then to
translate English to French and to Chinese, with two hundred training sentences each. It
shows the attention weights of a translation and how to recognize overfitting.

The French and Chinese sentences come from a template grammar, so the BLEU scores below
are much higher than on real text. See :ref:`neural_score` for a benchmark on real text.
"""

# %%
# Reversing strings of digits
# ---------------------------
# With ``tokenizer="char"`` the tokens are characters. The network is given no rule; it
# learns the reversal from 1000 pairs. ``verbose=1`` would print the loss and the time
# left after each epoch.
import matplotlib.pyplot as plt
import numpy as np

from skml import Seq2SeqTranslator
from skml.plotting import AttentionDisplay, LearningHistoryDisplay

rng = np.random.default_rng(0)
lengths = rng.integers(2, 7, size=1100)
numbers = ["".join(map(str, rng.integers(10, size=n))) for n in lengths]
reversed_numbers = [number[::-1] for number in numbers]

model = Seq2SeqTranslator(
    tokenizer="char",
    hidden_size=64,
    embedding_size=64,
    dropout=0.0,
    label_smoothing=0.0,
    batch_size=256,  # tokens, not pairs: raise it for longer strings
    learning_rate=0.01,
    warmup_steps=20,
    max_iter=20,
    bleu_tokenize="char",
    random_state=0,
)
model.fit(numbers[:1000], reversed_numbers[:1000])
print(model.predict(["1234", "90210"]))
exact = model.predict(numbers[1000:]) == np.array(reversed_numbers[1000:])
print(f"{exact.mean():.0%} of 100 new numbers are right")

# %%
# A parallel corpus from a template
# ---------------------------------
# Each sentence has a subject, a verb, an adjective and a noun, with twenty choices for
# each. In French these adjectives follow the noun and agree with its gender.
SUBJECTS = """
the teacher/le professeur/老师, the doctor/le médecin/医生, the woman/la femme/女人,
the boy/le garçon/男孩, my sister/ma sœur/我姐姐, my brother/mon frère/我弟弟,
my mother/ma mère/我妈妈, my father/mon père/我爸爸, my friend/mon ami/我朋友,
the neighbour/le voisin/邻居, the king/le roi/国王, the queen/la reine/女王,
the baker/le boulanger/面包师, the farmer/le paysan/农民, the painter/le peintre/画家,
the cook/le cuisinier/厨师, the pilot/le pilote/飞行员, Mary/Marie/玛丽,
she/elle/她, he/il/他
"""
VERBS = """
sees/voit/看见, buys/achète/买, sells/vend/卖, likes/aime/喜欢, wants/veut/想要,
finds/trouve/找到, takes/prend/拿, draws/dessine/画, hides/cache/藏,
brings/apporte/带来, cleans/nettoie/清洗, loses/perd/弄丢, shows/montre/展示,
keeps/garde/保留, carries/porte/搬, touches/touche/触摸, repairs/répare/修理,
chooses/choisit/选择, breaks/casse/打破, forgets/oublie/忘记
"""
ADJECTIVES = """
brown/brun/brune/棕, green/vert/verte/绿, blue/bleu/bleue/蓝, black/noir/noire/黑,
white/blanc/blanche/白, yellow/jaune/jaune/黄, grey/gris/grise/灰, round/rond/ronde/圆,
square/carré/carrée/方, heavy/lourd/lourde/重, light/léger/légère/轻,
expensive/cher/chère/贵, clean/propre/propre/干净, dirty/sale/sale/脏,
warm/chaud/chaude/热, cold/froid/froide/冷, empty/vide/vide/空,
modern/moderne/moderne/现代, strange/étrange/étrange/奇怪, simple/simple/simple/简单
"""
NOUNS = """
car/la voiture/车, house/la maison/房子, table/la table/桌子, book/le livre/书,
door/la porte/门, box/la boîte/盒子, hat/le chapeau/帽子, bag/le sac/包,
shirt/la chemise/衬衫, lamp/la lampe/灯, chair/la chaise/椅子, boat/le bateau/船,
bed/le lit/床, knife/le couteau/刀, cup/la tasse/杯子, bottle/la bouteille/瓶子,
bicycle/le vélo/自行车, coat/le manteau/大衣, ball/le ballon/球, flower/la fleur/花
"""
slots = [
    [entry.strip().split("/") for entry in words.split(",")]
    for words in (SUBJECTS, VERBS, ADJECTIVES, NOUNS)
]


def make_sentences(subject, verb, adjective, noun):
    """The same sentence in English, French and Chinese."""
    french_adjective = adjective[2 if noun[1].startswith("la ") else 1]
    return (
        f"{subject[0]} {verb[0]} the {adjective[0]} {noun[0]}.",
        f"{subject[1]} {verb[1]} {noun[1]} {french_adjective}.",
        f"{subject[2]}{verb[2]}{adjective[3]}的{noun[2]}。",
    )


# %%
# There are 160 000 possible sentences. We sample 240 so that each word occurs in twelve
# of them, and hold out forty for testing: their words occur in the training set, their
# combinations of words do not.
rows = np.column_stack([rng.permutation(np.arange(240) % 20) for _ in slots])
sentences = [make_sentences(*map(list.__getitem__, slots, row)) for row in rows]
english, french, chinese = map(list, zip(*sentences, strict=True))
for sentence in sentences[0]:
    print(sentence)

# %%
# English to French
# -----------------
# With so few sentences, words are better tokens than the subword tokens of
# ``tokenizer="bpe"``. The score is the corpus BLEU of the held-out sentences.
parameters = {
    "tokenizer": "word",
    "hidden_size": 64,
    "embedding_size": 64,
    "batch_size": 512,  # tokens of both sides, and padding
    "learning_rate": 0.01,
    "warmup_steps": 20,
    "max_iter": 40,
    "random_state": 0,
}
model = Seq2SeqTranslator(**parameters).fit(english[:200], french[:200])
translated = model.predict(english[200:])
for source, target in zip(english[200:204], translated, strict=False):
    print(f"{source:36} {target}")
print(f"BLEU of held-out sentences: {model.score(english[200:], french[200:]):.2f}")

# %%
# Visualizing attention weights
# -----------------------------
# Each row is a token of the translation and shows the source tokens that it attends
# to. Adjective and noun change places, and the article attends to the noun, which
# determines its gender.
display = AttentionDisplay.from_estimator(model, english[200:201])
display.ax_.set_title("Attention weights of a translation")
plt.show()

# %%
# English to Chinese
# ------------------
# Chinese is written without spaces between words. Characters as tokens need no word
# segmentation. Here the targets are lists of characters, while the sources are text and
# are split into words; ``tokenizer="char"`` would split both into characters.
model = Seq2SeqTranslator(**parameters)
model.fit(english[:200], [list(sentence) for sentence in chinese[:200]])
translated = model.predict(english[200:])
for source, target in zip(english[200:204], translated, strict=False):
    print(source, "".join(target))
references = [list(sentence) for sentence in chinese[200:]]
print(f"BLEU of held-out sentences: {model.score(english[200:], references):.2f}")

# %%
# Recognizing overfitting
# -----------------------
# Training uses teacher forcing: the decoder gets the correct previous tokens. In
# ``predict`` it gets its own predictions, so that one wrong word can cause others. A
# low loss is therefore not yet a good translation, in particular a low training loss.
# With 70 training pairs the network memorizes them: the training loss falls to nearly
# zero, while the validation loss does not follow. With 170 pairs it does.
fig, axes = plt.subplots(1, 2, figsize=(10, 4), sharey=True, layout="constrained")
watched = Seq2SeqTranslator(**parameters).set_params(
    dropout=0.0,
    label_smoothing=0.0,
    lr_schedule="constant",
    early_stopping=True,
    n_iter_no_change=40,
)
for n_pairs, ax in zip((100, 200), axes, strict=True):
    watched.set_params(validation_fraction=30 / n_pairs)
    watched.fit(english[:n_pairs], french[:n_pairs])
    score = watched.score(english[200:], french[200:])
    LearningHistoryDisplay.from_estimator(watched, ax=ax)
    title = f"{n_pairs - 30} training pairs: BLEU {score:.2f}"
    ax.set(title=title, ylabel="Cross-entropy per token")
plt.show()

# %%
# More data is the best remedy. Without it, ``early_stopping`` keeps the weights of the
# epoch with the lowest validation loss, and ``dropout``, ``label_smoothing``,
# ``weight_decay`` and a smaller network reduce memorization. See
# :ref:`neural_overfitting` for all remedies.
