"""
Word vectors for Chinese: characters, segmented words and subwords
==================================================================

In classical Chinese, most words are single characters, so that characters are good
tokens. This example learns character vectors from 72 short poems, shows nearest
neighbours and a two-dimensional map, and classifies poems by theme. The corpus is tiny,
so that the vectors are compared with simpler baselines: random vectors, TF-IDF and
latent semantic analysis.
"""

# %%
# Data: 72 poems with two themes
# ------------------------------
# All poems are from the Tang dynasty (618 to 907) and in the public domain. Each entry
# starts with the poet, who in one case is only known as "a man of the western border"
# (西鄙人), and the title. They are jueju of four lines (绝句), lüshi of eight (律诗)
# and a few in older forms. One half is about the frontier and its wars (边塞), the
# other about landscape and a quiet life (山水田园). Only clear cases were selected; in
# a whole anthology many poems are neither. Editions sometimes differ in a character.
FRONTIER = """
王昌龄《出塞》秦时明月汉时关，万里长征人未还。但使龙城飞将在，不教胡马度阴山。
王昌龄《从军行》烽火城西百尺楼，黄昏独上海风秋。更吹羌笛关山月，无那金闺万里愁。
王昌龄《从军行》琵琶起舞换新声，总是关山旧别情。撩乱边愁听不尽，高高秋月照长城。
王昌龄《从军行》青海长云暗雪山，孤城遥望玉门关。黄沙百战穿金甲，不破楼兰终不还。
王昌龄《从军行》大漠风尘日色昏，红旗半卷出辕门。前军夜战洮河北，已报生擒吐谷浑。
王昌龄《从军行》关城榆叶早疏黄，日暮云沙古战场。表请回军掩尘骨，莫教兵士哭龙荒。
王昌龄《塞下曲》饮马渡秋水，水寒风似刀。平沙日未没，黯黯见临洮。
    昔日长城战，咸言意气高。黄尘足今古，白骨乱蓬蒿。
王昌龄《塞上曲》蝉鸣空桑林，八月萧关道。出塞入塞寒，处处黄芦草。
    从来幽并客，皆共尘沙老。莫学游侠儿，矜夸紫骝好。
王之涣《凉州词》黄河远上白云间，一片孤城万仞山。羌笛何须怨杨柳，春风不度玉门关。
王翰《凉州词》葡萄美酒夜光杯，欲饮琵琶马上催。醉卧沙场君莫笑，古来征战几人回。
卢纶《塞下曲》鹫翎金仆姑，燕尾绣蝥弧。独立扬新令，千营共一呼。
卢纶《塞下曲》林暗草惊风，将军夜引弓。平明寻白羽，没在石棱中。
卢纶《塞下曲》月黑雁飞高，单于夜遁逃。欲将轻骑逐，大雪满弓刀。
卢纶《塞下曲》野幕敞琼筵，羌戎贺劳旋。醉和金甲舞，雷鼓动山川。
李益《夜上受降城闻笛》回乐烽前沙似雪，受降城外月如霜。
    不知何处吹芦管，一夜征人尽望乡。
李益《从军北征》天山雪后海风寒，横笛偏吹行路难。碛里征人三十万，一时回首月中看。
李益《塞下曲》伏波惟愿裹尸还，定远何须生入关。莫遣只轮归海窟，仍留一箭射天山。
陈陶《陇西行》誓扫匈奴不顾身，五千貂锦丧胡尘。可怜无定河边骨，犹是春闺梦里人。
岑参《逢入京使》故园东望路漫漫，双袖龙钟泪不干。马上相逢无纸笔，凭君传语报平安。
岑参《碛中作》走马西来欲到天，辞家见月两回圆。今夜不知何处宿，平沙万里绝人烟。
高适《塞上听吹笛》雪净胡天牧马还，月明羌笛戍楼间。借问梅花何处落，风吹一夜满关山。
高适《营州歌》营州少年厌原野，狐裘蒙茸猎城下。虏酒千钟不醉人，胡儿十岁能骑马。
常建《塞下曲》玉帛朝回望帝乡，乌孙归去不称王。天涯静处无征战，兵气销为日月光。
王维《使至塞上》单车欲问边，属国过居延。征蓬出汉塞，归雁入胡天。
    大漠孤烟直，长河落日圆。萧关逢候骑，都护在燕然。
王维《少年行》出身仕汉羽林郎，初随骠骑战渔阳。孰知不向边庭苦，纵死犹闻侠骨香。
王维《少年行》一身能擘两雕弧，虏骑千群只似无。偏坐金鞍调白羽，纷纷射杀五单于。
李白《塞下曲》五月天山雪，无花只有寒。笛中闻折柳，春色未曾看。
    晓战随金鼓，宵眠抱玉鞍。愿将腰下剑，直为斩楼兰。
李白《关山月》明月出天山，苍茫云海间。长风几万里，吹度玉门关。
    汉下白登道，胡窥青海湾。由来征战地，不见有人还。
    戍客望边色，思归多苦颜。高楼当此夜，叹息未应闲。
李白《从军行》百战沙场碎铁衣，城南已合数重围。突营射杀呼延将，独领残兵千骑归。
杜甫《前出塞》挽弓当挽强，用箭当用长。射人先射马，擒贼先擒王。
    杀人亦有限，列国自有疆。苟能制侵陵，岂在多杀伤。
杨炯《从军行》烽火照西京，心中自不平。牙璋辞凤阙，铁骑绕龙城。
    雪暗凋旗画，风多杂鼓声。宁为百夫长，胜作一书生。
柳中庸《征人怨》岁岁金河复玉关，朝朝马策与刀环。三春白雪归青冢，万里黄河绕黑山。
令狐楚《少年行》弓背霞明剑照霜，秋风走马出咸阳。未收天子河湟地，不拟回头望故乡。
李贺《马诗》大漠沙如雪，燕山月似钩。何当金络脑，快走踏清秋。
西鄙人《哥舒歌》北斗七星高，哥舒夜带刀。至今窥牧马，不敢过临洮。
戴叔伦《塞上曲》汉家旌帜满阴山，不遣胡儿匹马还。愿得此身长报国，何须生入玉门关。
"""

LANDSCAPE = """
王维《鹿柴》空山不见人，但闻人语响。返景入深林，复照青苔上。
王维《竹里馆》独坐幽篁里，弹琴复长啸。深林人不知，明月来相照。
王维《鸟鸣涧》人闲桂花落，夜静春山空。月出惊山鸟，时鸣春涧中。
王维《辛夷坞》木末芙蓉花，山中发红萼。涧户寂无人，纷纷开且落。
王维《山中》荆溪白石出，天寒红叶稀。山路元无雨，空翠湿人衣。
王维《栾家濑》飒飒秋雨中，浅浅石溜泻。跳波自相溅，白鹭惊复下。
王维《山居秋暝》空山新雨后，天气晚来秋。明月松间照，清泉石上流。
    竹喧归浣女，莲动下渔舟。随意春芳歇，王孙自可留。
王维《终南别业》中岁颇好道，晚家南山陲。兴来每独往，胜事空自知。
    行到水穷处，坐看云起时。偶然值林叟，谈笑无还期。
王维《过香积寺》不知香积寺，数里入云峰。古木无人径，深山何处钟。
    泉声咽危石，日色冷青松。薄暮空潭曲，安禅制毒龙。
王维《酬张少府》晚年惟好静，万事不关心。自顾无长策，空知返旧林。
    松风吹解带，山月照弹琴。君问穷通理，渔歌入浦深。
孟浩然《春晓》春眠不觉晓，处处闻啼鸟。夜来风雨声，花落知多少。
孟浩然《宿建德江》移舟泊烟渚，日暮客愁新。野旷天低树，江清月近人。
孟浩然《过故人庄》故人具鸡黍，邀我至田家。绿树村边合，青山郭外斜。
    开轩面场圃，把酒话桑麻。待到重阳日，还来就菊花。
柳宗元《江雪》千山鸟飞绝，万径人踪灭。孤舟蓑笠翁，独钓寒江雪。
韦应物《滁州西涧》独怜幽草涧边生，上有黄鹂深树鸣。春潮带雨晚来急，野渡无人舟自横。
贾岛《寻隐者不遇》松下问童子，言师采药去。只在此山中，云深不知处。
杜甫《绝句》两个黄鹂鸣翠柳，一行白鹭上青天。窗含西岭千秋雪，门泊东吴万里船。
杜甫《绝句》迟日江山丽，春风花草香。泥融飞燕子，沙暖睡鸳鸯。
杜甫《绝句》江碧鸟逾白，山青花欲燃。今春看又过，何日是归年。
李白《独坐敬亭山》众鸟高飞尽，孤云独去闲。相看两不厌，只有敬亭山。
李白《望庐山瀑布》日照香炉生紫烟，遥看瀑布挂前川。飞流直下三千尺，疑是银河落九天。
李白《望天门山》天门中断楚江开，碧水东流至此回。两岸青山相对出，孤帆一片日边来。
李白《山中问答》问余何意栖碧山，笑而不答心自闲。桃花流水窅然去，别有天地非人间。
杜牧《山行》远上寒山石径斜，白云生处有人家。停车坐爱枫林晚，霜叶红于二月花。
杜牧《江南春》千里莺啼绿映红，水村山郭酒旗风。南朝四百八十寺，多少楼台烟雨中。
刘禹锡《望洞庭》湖光秋月两相和，潭面无风镜未磨。遥望洞庭山水翠，白银盘里一青螺。
白居易《暮江吟》一道残阳铺水中，半江瑟瑟半江红。可怜九月初三夜，露似真珠月似弓。
张旭《桃花溪》隐隐飞桥隔野烟，石矶西畔问渔船。桃花尽日随流水，洞在清溪何处边。
张旭《山中留客》山光物态弄春晖，莫为轻阴便拟归。纵使晴明无雨色，入云深处亦沾衣。
常建《题破山寺后禅院》清晨入古寺，初日照高林。曲径通幽处，禅房花木深。
    山光悦鸟性，潭影空人心。万籁此都寂，但余钟磬音。
祖咏《终南望余雪》终南阴岭秀，积雪浮云端。林表明霁色，城中增暮寒。
刘长卿《逢雪宿芙蓉山主人》日暮苍山远，天寒白屋贫。柴门闻犬吠，风雪夜归人。
刘长卿《送灵澈上人》苍苍竹林寺，杳杳钟声晚。荷笠带斜阳，青山独归远。
张继《枫桥夜泊》月落乌啼霜满天，江枫渔火对愁眠。姑苏城外寒山寺，夜半钟声到客船。
司空曙《江村即事》钓罢归来不系船，江村月落正堪眠。纵然一夜风吹去，只在芦花浅水边。
王维《白石滩》清浅白石滩，绿蒲向堪把。家住水东西，浣纱明月下。
"""

# %%
# A line that is not indented starts a new poem.
import re

poems, poets, themes = [], [], []
for theme, collection in [("frontier", FRONTIER), ("landscape", LANDSCAPE)]:
    for entry in re.split(r"\n(?=\S)", collection.strip()):
        heading, poem = entry.split("》")
        poems.append("".join(poem.split()))
        poets.append(heading.split("《")[0])
        themes.append(theme)


def characters_only(poem):
    return re.sub(r"\W", "", poem)


n_characters = sum(len(characters_only(poem)) for poem in poems)
print(f"{len(poems)} poems of {len(set(poets))} poets, {n_characters} characters")
print(f"The first, by {poets[0]}: {poems[0]}")

# %%
# Training character vectors
# --------------------------
# With ``analyzer="char"``, each character is a token; the ``preprocessor`` removes
# punctuation. As 2 000 characters are very little text, the parameters differ from the
# defaults:
#
# - short vectors, ``vector_size=50``;
# - ``min_count=1``, since about half of the characters occur once;
# - ``max_iter=30`` epochs;
# - a wide window that does not shrink. It covers one or two lines to each side, and
#   thus captures topics rather than syntax.
#
# ``subsample`` keeps its default, which subsamples the most frequent characters. The
# parameters were tuned on these poems, as were those of the baselines below, so that
# all accuracies are slightly optimistic.
from skml.text import Word2VecTransformer

analysis = {"analyzer": "char", "preprocessor": characters_only}
training = {
    "vector_size": 50,
    "min_count": 1,
    "max_iter": 30,
    "window": 10,
    "shrink_window": False,
    "random_state": 0,
}
word2vec = Word2VecTransformer(**training, **analysis)
poem_vectors = word2vec.fit_transform(poems)
losses = word2vec.loss_curve_
print(f"{len(word2vec.vocabulary_)} characters, vectors of {poem_vectors.shape[1]}")
print(f"Loss {losses[0]:.2f} in the first epoch, {losses[-1]:.2f} in the last")

# %%
# Nearest neighbours
# ------------------
# The queries are nouns, colours and verbs that occur at least five times. The vector of
# a character that occurs once is close to that of its poem.
from skml.text import WordVectors

glossary = """
月 moon, 日 sun, 天 sky, 云 cloud, 风 wind, 雪 snow, 雨 rain, 烟 smoke, 山 mountain,
石 stone, 沙 sand, 江 river, 水 water, 海 sea, 林 forest, 花 flower, 鸟 bird, 春 spring,
秋 autumn, 夜 night, 暮 dusk, 人 person, 家 home, 门 gate, 楼 tower, 城 wall, 关 pass,
寺 temple, 钟 bell, 笛 flute, 渔 fishing, 马 horse, 骑 rider, 弓 bow, 射 shoot,
战 battle, 征 campaign, 将 general, 胡 nomad, 汉 Han, 玉 jade, 金 gold, 青 green,
红 red, 白 white, 黄 yellow, 空 empty, 深 deep, 落 fall, 归 return, 还 come back
"""
meanings = dict(entry.split(maxsplit=1) for entry in re.split(r",\s", glossary.strip()))
images = list(meanings)
vectors = WordVectors(word2vec.word_vectors_[images], images)


def show(title, similar):
    print(f"{title:>13}: " + ", ".join(f"{c} {meanings[c]}" for c, _ in similar))


for character in "月山花人马江雪":
    similar = vectors.most_similar(character, topn=5)
    show(f"{character} {meanings[character]}", similar)

# %%
# Some neighbours are meaningful and some are noise: characters that co-occur in three
# poems already have similar vectors. The vectors mainly encode which characters
# co-occur in poems. The characters most similar to the difference between the mean
# vectors of frontier and landscape poems are therefore typical of the themes.
import numpy as np

is_frontier = np.array(themes) == "frontier"
direction = poem_vectors[is_frontier].mean(axis=0)
direction -= poem_vectors[~is_frontier].mean(axis=0)
show("frontier", vectors.nearest(direction, topn=8))
show("landscape", vectors.nearest(-direction, topn=8))

# %%
# Map of poems and characters (PCA)
# ---------------------------------
# The vector of a poem is the mean of the vectors of its characters, so that both can be
# projected onto the first two principal components of the poems. PCA does not use the
# themes, yet the first component separates them. Without a font that has Chinese
# characters, the labels show the translations only.
import matplotlib.pyplot as plt
from matplotlib import font_manager
from sklearn.decomposition import PCA

chinese_fonts = [
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "WenQuanYi Micro Hei",
    "PingFang SC",
    "Microsoft YaHei",
    "SimHei",
]
installed = set(font_manager.get_font_names())
font = next((name for name in chinese_fonts if name in installed), None)

plane = PCA(n_components=2, random_state=0).fit(poem_vectors)
figure, axes = plt.subplots(figsize=(10, 8), layout="constrained")
for theme, color in [("frontier", "tab:orange"), ("landscape", "tab:green")]:
    points = plane.transform(poem_vectors[np.array(themes) == theme])
    axes.scatter(*points.T, s=20, color=color, label=f"poems: {theme}")
places = plane.transform(vectors.vectors)
axes.scatter(*places.T, s=6, color="tab:gray", label="characters")
for (character, meaning), place in zip(meanings.items(), places, strict=True):
    label = f"{character} {meaning}" if font else meaning
    axes.annotate(label, place, fontsize=8, fontfamily=font)
axes.set(
    title=f"Vectors of {len(poems)} Tang poems and their characters",
    xlabel="first principal component",
    ylabel="second principal component",
)
axes.legend()
plt.show()

# %%
# Classification by theme
# -----------------------
# A logistic regression predicts the theme from several kinds of features, in two
# settings:
#
# - *All labels*: five-fold cross-validation, repeated three times. The features are
#   learned from the training folds only. Folds are grouped by poet, so that the style
#   of a poet does not leak.
# - *Ten labels*: ten poems are labelled, and the others are the test set. The
#   features are learned from all poems, without labels (semi-supervised learning).
#
# The accuracy of random guessing is 0.5. With 72 poems, an accuracy of 0.9 has a
# standard error of about 0.035; smaller differences are not significant.
from sklearn.decomposition import TruncatedSVD
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    StratifiedGroupKFold,
    StratifiedShuffleSplit,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline

from skml.text import EmbeddingTransformer, TfidfWeighter

folds = [
    fold
    for seed in range(3)
    for fold in StratifiedGroupKFold(5, shuffle=True, random_state=seed).split(
        poems, themes, poets
    )
]
ten_labels = StratifiedShuffleSplit(40, train_size=10, random_state=0)


def evaluate(title, features):
    classify = LogisticRegression(C=10, max_iter=1000)
    whole = make_pipeline(features, classify)
    all_labels = cross_val_score(whole, poems, themes, cv=folds)
    learned = features.fit_transform(poems)
    few_labels = cross_val_score(classify, learned, themes, cv=ten_labels)
    scores = f"{all_labels.mean():>12.3f}{few_labels.mean():>12.3f}"
    print(f"{title:<30}{scores}", flush=True)


random_vectors = WordVectors(
    np.random.default_rng(0).normal(size=word2vec.vectors_.shape), word2vec.vocabulary_
)
print(f"{'Accuracy':<30}{'all labels':>12}{'ten labels':>12}")
evaluate("Random character vectors", EmbeddingTransformer(random_vectors, **analysis))
evaluate("Learned character vectors", word2vec)
evaluate("TF-IDF of characters", TfidfWeighter(**analysis))
evaluate(
    "TF-IDF, five SVD components",
    make_pipeline(TfidfWeighter(**analysis), TruncatedSVD(5, random_state=0)),
)

# %%
# Learned vectors are better than random vectors. With all labels, TF-IDF of the
# characters is as good or better: there are enough poems to learn one weight for each
# character. With ten labels, most characters of the test poems are not in the labelled
# poems. The vectors are better there, as they encode which characters co-occur in
# unlabelled poems. A truncated SVD of the TF-IDF (latent semantic analysis) is about as
# good on so little text, and simpler. For vectors trained on a large corpus, save them
# once and pass the path to :class:`~skml.text.EmbeddingTransformer`.

# %%
# Segmented words, with and without subwords
# ------------------------------------------
# Words of modern Chinese have several characters. Any function from a ``str`` to a list
# of words can be the ``tokenizer``. For jieba, write one in a module that can be
# imported, ``def cut(text): return jieba.lcut(text)``, since the method ``jieba.lcut``
# itself can be neither cloned nor pickled. The toy segmenter here splits each line of
# verse into pairs, with a single character at its end.


def cut_in_twos(poem):
    lines = re.findall(r"\w+", poem)
    return [word for line in lines for word in re.findall("..?", line)]


print("The first poem, segmented:", " ".join(cut_in_twos(poems[0])))

# %%
# Most of these words occur once, which is too little to learn a vector. With
# ``subwords=(1, 2)``, the vector of a word is composed of its own vector and those of
# its characters and character bigrams, where the beginning and the end
# of the word count as characters. The vector of a character is then learned from all
# words that contain it.
training |= {"window": 5, "max_iter": 60}
words = Word2VecTransformer(tokenizer=cut_in_twos, **training)
composed = Word2VecTransformer(tokenizer=cut_in_twos, subwords=(1, 2), **training)
evaluate("TF-IDF of segmented words", TfidfWeighter(tokenizer=cut_in_twos))
evaluate("Segmented words", words)
evaluate("Segmented words, subwords", composed)
n_once = np.count_nonzero(composed.counts_ == 1)
print(f"{n_once} of {len(composed.vocabulary_)} words occur once")

# %%
# The TF-IDF of words is far below that of characters, for the same reason. Without
# subwords, word vectors are no better than random vectors. With subwords and
# ten labels, they are nearly as good as character vectors. Out-of-vocabulary words of
# known characters have a vector, too. The most similar words share a character with the
# query, or a poem with one of its characters. ``evaluate`` has fitted the model to
# all poems.
for word in ["边月", "江雪", "秋山"]:
    similar = composed.word_vectors_.most_similar(word, topn=5)
    is_new = "new" if word not in composed.vocabulary_ else "known"
    print(f"{word} ({is_new}): {', '.join(other for other, _ in similar)}")
