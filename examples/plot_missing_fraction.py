"""
Growing fractions of missing values, beside an imputing pipeline
================================================================

scikit-learn's usual answer to missing values is a pipeline of an imputer, a scaler and
a model. The estimators for tables do without. We remove more and more values of a
complete table, at random and depending on the value, and compare both.
"""

# %%
# Two ways to lose values
# -----------------------
# The breast cancer data set of scikit-learn has 569 rows of 30 measurements, all of
# them complete. Values are removed at random, or the highest of each column with the
# greatest probability, as if a device could not record them.
import numpy as np
from sklearn.datasets import load_breast_cancer

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
uniform = np.random.default_rng(0).random(X.shape)
ranks = X.rank(pct=True).to_numpy()


def remove(fraction, depends_on_value):
    probability = fraction * (2 * ranks if depends_on_value else 1)
    return X.mask(uniform < probability)


# %%
# The models
# ----------
# The second pipeline also has missing indicators, which its scaler scales as well: one
# that is rarely 1 gets a large value there, and regularization hardly limits it.
# :class:`~skml.tabular.LRClassifier` adds indicators by itself, which stay 0 or 1.
# :class:`~skml.tabular.LightGBMClassifier` needs no imputation: at each split, missing
# values go to the side where they reduce the loss more.
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skml import LightGBMClassifier, LRClassifier


def imputing_pipeline(add_indicator):
    imputer = SimpleImputer(strategy="median", add_indicator=add_indicator)
    return make_pipeline(imputer, StandardScaler(), LogisticRegression())


models = {
    "imputer and LogisticRegression": imputing_pipeline(add_indicator=False),
    "the same, with indicators": imputing_pipeline(add_indicator=True),
    "LRClassifier": LRClassifier(),
    "LightGBMClassifier": LightGBMClassifier(
        n_estimators=60, max_leaf_nodes=8, random_state=0
    ),
}

# %%
# The comparison
# --------------
from sklearn.model_selection import StratifiedKFold, cross_val_score

fractions = [0, 0.1, 0.2, 0.3, 0.4, 0.5]
folds = StratifiedKFold(5, shuffle=True, random_state=0)
titles = {False: "Missing at random", True: "High values are missing"}
scores = {}
for depends_on_value, title in titles.items():
    print(f"{title:32}" + "".join(f"{fraction:>7.0%}" for fraction in fractions))
    tables = [remove(fraction, depends_on_value) for fraction in fractions]
    for name, model in models.items():
        scores[title, name] = [
            cross_val_score(model, table, y, cv=folds, scoring="neg_log_loss").mean()
            for table in tables
        ]
        print(f"{name:32}" + "".join(f"{-s:>7.3f}" for s in scores[title, name]))

# %%
import matplotlib.pyplot as plt

figure, panels = plt.subplots(
    ncols=2, sharey=True, figsize=(10, 4.2), layout="constrained"
)
for axes, title in zip(panels, titles.values(), strict=True):
    for name, style in zip(models, ["o-", "s--", "^:", "D-."], strict=True):
        axes.plot(fractions, -np.array(scores[title, name]), style, label=name)
    axes.set(title=title, xlabel="Fraction of missing values")
    axes.xaxis.set_major_formatter("{x:.0%}")
panels[0].set(ylabel="Log loss (5 folds), lower is better", ylim=(0, None))
panels[0].legend()
plt.show()

# %%
# When not to use it
# ------------------
# If values are missing at random, indicators are noise, and the plain pipeline is as
# good as any. If they are not, it helps to know what is missing, the more values are
# missing: the plain pipeline has the smallest log loss at 10 %, and more than twice
# that of the others at 50 %. Indicators should not be scaled: the second pipeline and
# LRClassifier have the same ones, and at 10 % the log loss of the pipeline is larger by
# .04. Boosting is behind on this small table, unless high values are missing and at
# least 30 % of them. On complete tables, a scaler and
# :class:`~sklearn.linear_model.LogisticRegression` do all that
# :class:`~skml.tabular.LRClassifier` does. If columns are correlated, an imputer that
# predicts a column from the others, such as scikit-learn's ``IterativeImputer``, can
# be better than the median, and takes longer.
