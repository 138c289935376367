"""Tables with missing values, read as a sensible user would.

Each loader takes the folder that holds the data and returns the columns to learn from
(a DataFrame, nothing imputed, scaled or encoded), the target, and the task, which is
"classification" or "regression". Only identifiers and columns that give the target away
are dropped. LOADERS has them by name.
"""

from pathlib import Path

import pandas as pd

# Names of columns, where a file has none, with blanks between them.
_ADULT = (
    "age workclass fnlwgt education education-num marital-status occupation "
    "relationship race sex capital-gain capital-loss hours-per-week native-country "
    "income"
)

_HORSE = (
    "surgery age hospital_number rectal_temperature pulse respiratory_rate "
    "temperature_of_extremities peripheral_pulse mucous_membranes capillary_refill "
    "pain peristalsis abdominal_distension nasogastric_tube nasogastric_reflux "
    "reflux_ph rectal_examination abdomen packed_cell_volume total_protein "
    "abdominocentesis_appearance abdominocentesis_protein outcome surgical_lesion "
    "lesion_1 lesion_2 lesion_3 cp_data"
)

# "linear" in the description of the attributes; all others there are codes.
_HORSE_NUMBERS = (
    "rectal_temperature pulse respiratory_rate reflux_ph packed_cell_volume "
    "total_protein abdominocentesis_protein"
)

_WINE = (
    "fixed_acidity volatile_acidity citric_acid residual_sugar chlorides "
    "free_sulfur_dioxide total_sulfur_dioxide density pH sulphates alcohol quality"
)

# The files of each loader, in the folder that holds the data.
FILES = {
    "adult": ["adult/adult-train.csv"],
    "ames": ["ames_housing/AmesHousing.txt"],
    "horse_colic": ["horse_colic/horse-colic.csv"],
    "mammographic_masses": ["mammographic_masses/mammographic_masses.data"],
    "penguins": ["penguins/penguins.csv"],
    "nyc_weather": ["nyc_weather/weather.csv"],
    "diamonds": ["diamonds/diamonds.csv"],
    "california_housing": ["california_housing/housing.csv"],
    "bike_sharing": ["bike_sharing/hour.csv"],
    "winequality": [
        "winequality/winequality-red.csv",
        "winequality/winequality-white.csv",
    ],
}


def adult(folder):
    """Income above 50 000 dollars; unknown work, occupation, country are "?"."""
    frame = pd.read_csv(
        Path(folder, *FILES["adult"]),
        names=_ADULT.split(),
        na_values="?",
        skipinitialspace=True,
    )
    return *_split(frame, "income"), "classification"


def ames(folder):
    """Sale prices of houses; "NA" is missing also where it says that there is none."""
    frame = pd.read_csv(
        Path(folder, *FILES["ames"]),
        sep="\t",
        dtype={"MS SubClass": str},  # a code, says the documentation
    )
    return *_split(frame.drop(columns=["Order", "PID"]), "SalePrice"), "regression"


def horse_colic(folder):
    """Whether the lesion was surgical; a fifth of the cells is missing.

    The outcome and the type of the lesion are known only afterwards (the description
    lists them as other targets); cp_data "is of no significance".
    """
    frame = pd.read_csv(
        Path(folder, *FILES["horse_colic"]),
        names=_HORSE.split(),
        na_values="?",
    )
    leaks = ["outcome", "lesion_1", "lesion_2", "lesion_3"]
    frame = frame.drop(columns=["hospital_number", "cp_data", *leaks])
    X, y = _split(frame, "surgical_lesion")
    codes = X.columns.difference(_HORSE_NUMBERS.split())
    return X.astype(dict.fromkeys(codes, "category")), y, "classification"


def mammographic_masses(folder):
    """Whether a mass is malignant.

    The description says that BI-RADS, the physicians' own verdict, is not to predict
    from, that shape and margin are nominal, and that density is ordinal.
    """
    frame = pd.read_csv(Path(folder, *FILES["mammographic_masses"]), na_values="?")
    X, y = _split(frame.drop(columns="BI-RADS"), "Severity")
    return X.astype({"Shape": "category", "Margin": "category"}), y, "classification"


def penguins(folder):
    """The species of a penguin, of three."""
    frame = pd.read_csv(Path(folder, *FILES["penguins"]))
    return *_split(frame, "species"), "classification"


def nyc_weather(folder):
    """Temperature at an hour; with the humidity, the dew point would tell it."""
    frame = pd.read_csv(Path(folder, *FILES["nyc_weather"]))
    frame = frame.drop(columns=["year", "time_hour", "dewp"]).dropna(subset="temp")
    return *_split(frame, "temp"), "regression"


def diamonds(folder):
    """Prices of diamonds."""
    frame = pd.read_csv(Path(folder, *FILES["diamonds"]))
    return *_split(frame, "price"), "regression"


def california_housing(folder):
    """Median values of houses in a district."""
    frame = pd.read_csv(Path(folder, *FILES["california_housing"]))
    return *_split(frame, "median_house_value"), "regression"


def bike_sharing(folder):
    """Bikes hired in an hour, which casual and registered users add up to."""
    frame = pd.read_csv(Path(folder, *FILES["bike_sharing"]))
    frame = frame.drop(columns=["instant", "dteday", "casual", "registered"])
    return *_split(frame, "cnt"), "regression"


def winequality(folder):
    """How good experts find a wine, red or white."""
    colours = {
        colour: pd.read_csv(Path(folder, file), names=_WINE.split())
        for colour, file in zip(("red", "white"), FILES["winequality"], strict=True)
    }
    frame = pd.concat(colours, names=["colour"]).reset_index("colour")
    return *_split(frame.reset_index(drop=True), "quality"), "regression"


def _split(frame, target):
    frame = frame.reset_index(drop=True)
    return frame.drop(columns=target), frame[target]


LOADERS = {
    loader.__name__: loader
    for loader in (
        adult,
        ames,
        horse_colic,
        mammographic_masses,
        penguins,
        nyc_weather,
        diamonds,
        california_housing,
        bike_sharing,
        winequality,
    )
}
