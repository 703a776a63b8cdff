"""Rivals from PyPI, each with its published defaults; `requirements.txt` beside this file lists them.

They are imported when they are made, so that those installed can run without the others. Several draw from numpy's
global generator: it is seeded here, in a process that runs nothing else (`method_worker.py`).
"""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import pandas as pd
from encoding import Encoding, Feature, Floats

from agentsynth.seeding import child_seed


class Packaged(ABC):
    """What they share: the table as a matrix, and back."""

    module: str
    takes_missing = False
    """Whether the package learns from rows with NaN (all of them draw rows without)."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.package = importlib.import_module(self.module)

    def fit(self, train: pd.DataFrame, target: str | None = None) -> Packaged:
        """Learn from a table as it was read; `target` names its label, for those that treat it apart."""
        self.encoding_ = Encoding.learn(train)
        self._seed_everything(self.seed, "fit")
        matrix = self.encoding_.matrix(train) if self.takes_missing else self.encoding_.filled(train, self.seed)
        self.learn(matrix, self.encoding_.features, target)
        return self

    def sample(self, rows: int, seed: int) -> pd.DataFrame:
        """Draw so many rows."""
        self._seed_everything(seed, "sample")
        return self.encoding_.table(self.draw(rows, child_seed(seed, "draw") % 2**31))

    @abstractmethod
    def learn(self, matrix: Floats, features: tuple[Feature, ...], target: str | None) -> None:
        """Fit the package's model to the matrix (n, features)."""

    @abstractmethod
    def draw(self, rows: int, seed: int) -> Floats:
        """Return a matrix (rows, features) drawn from the package's model."""

    def _seed_everything(self, seed: int, name: str) -> None:
        np.random.seed(child_seed(seed, name))  # noqa: NPY002  # the packages draw from it


class AdversarialForest(Packaged):
    """Adversarial random forest, `arfpy` (MIT): leaves of a forest that tells real from shuffled, normal inside.

    Source: Watson, Blesch, Kapar & Wright, "Adversarial random forests for density estimation and generative
    modeling", AISTATS 2023.
    """

    module = "arfpy.arf"

    def learn(self, matrix: Floats, features: tuple[Feature, ...], target: str | None) -> None:  # noqa: ARG002
        """Fit the forest and its densities."""
        frame = pd.DataFrame(matrix, columns=[f"x{place}" for place in range(len(features))])
        for place, feature in enumerate(features):
            if feature.categorical:
                frame[f"x{place}"] = frame[f"x{place}"].astype(int).astype("category")
        self.model_ = self.package.arf(frame, verbose=False, random_state=child_seed(self.seed, "forest") % 2**31)
        self.model_.forde()

    def draw(self, rows: int, seed: int) -> Floats:  # noqa: ARG002  # from the global generator
        """Draw from the densities."""
        return np.asarray(self.model_.forge(rows).astype(float), dtype=np.float64)


class Unmasking(Packaged):
    """UnmaskingTrees, `utrees` (MIT): columns unmasked in random order by gradient boosting, numbers bin by bin.

    Source: McCarter, "Unmasking trees for tabular data", arXiv:2407.05593 (2024).
    """

    module = "utrees"
    takes_missing = True

    def learn(self, matrix: Floats, features: tuple[Feature, ...], target: str | None) -> None:  # noqa: ARG002
        """Fit the trees."""
        kinds = ["categorical" if f.categorical else "integer" if f.whole else "continuous" for f in features]
        self.model_ = self.package.UnmaskingTrees(random_state=child_seed(self.seed, "trees") % 2**31)
        self.model_.fit(matrix, kinds)

    def draw(self, rows: int, seed: int) -> Floats:
        """Unmask rows of nothing but masks."""
        self.model_.random_state_ = np.random.RandomState(seed)  # its type
        return np.asarray(self.model_.generate(rows), dtype=np.float64)


class ForestFlow(Packaged):
    """Forest-Flow, `ForestDiffusion` (MIT): flow matching with gradient boosting, 50 times and 100 copies of the rows.

    A label of classes gets models of its own for each class, as in the paper. Source: Jolicoeur-Martineau, Fatras &
    Kachman, "Generating and imputing tabular data via diffusion and flow-based gradient-boosted trees", AISTATS 2024.
    """

    module = "ForestDiffusion"
    takes_missing = True
    times, copies = 50, 100

    def learn(self, matrix: Floats, features: tuple[Feature, ...], target: str | None) -> None:
        """Fit the models of all times."""
        label = [place for place, f in enumerate(features) if f.name == target and f.categorical and not f.flag]
        rest = [place for place in range(len(features)) if place not in label]
        # Its way back from one-hot mixes up columns 1 and 11 (it looks for "1_"): levels go where all
        # places have as many digits, with constant columns to get there.
        many, few = self._split(features, rest)
        padding = max(0, 10 - len(few)) if len(many) > 10 else 0
        self.order_ = [*few, *many] if len(many) > 10 else [*many, *few]
        self.padding_, self.label_, self.width_ = padding, label, len(features)
        columns = np.concatenate([np.zeros((len(matrix), padding)), matrix[:, self.order_]], axis=1)
        place_of = {place: padding + at for at, place in enumerate(self.order_)}
        two = [place for place in rest if (levels := features[place].levels) is not None and len(levels) <= 2]
        whole = [place for place in rest if not features[place].categorical and features[place].whole]
        self.model_ = self.package.ForestDiffusionModel(
            columns,
            label_y=matrix[:, label[0]] if label else None,
            cat_indexes=[place_of[place] for place in many],
            bin_indexes=[place_of[place] for place in two],
            int_indexes=[place_of[place] for place in whole],
            n_t=self.times,
            duplicate_K=self.copies,
            n_jobs=1,
            seed=child_seed(self.seed, "flow") % 2**31,
        )

    def draw(self, rows: int, seed: int) -> Floats:  # noqa: ARG002  # from the global generator
        """Follow the flow from noise."""
        made = np.asarray(self.model_.generate(batch_size=rows), dtype=np.float64)
        matrix = np.empty((rows, self.width_))
        matrix[:, self.order_] = made[:, self.padding_ : self.padding_ + len(self.order_)]
        if self.label_:
            matrix[:, self.label_[0]] = made[:, -1]
        return matrix

    @staticmethod
    def _split(features: tuple[Feature, ...], places: list[int]) -> tuple[list[int], list[int]]:
        """Return the places of columns with three levels or more, which become one-hot, and of the others."""
        many = [place for place in places if (levels := features[place].levels) is not None and len(levels) > 2]
        return many, [place for place in places if place not in many]


class ReducedForestFlow(ForestFlow):
    """The same with a twelfth of the work, for tables on which the published settings take too long."""

    times, copies = 20, 20


class SequentialTrees(Packaged):
    """CART synthesis as packaged in `seqtrees` (Apache-2.0), numbers interpolated within leaves.

    Source: El Emam, Mosquera & Zheng, "Optimizing the synthesis of clinical trial data using sequential trees",
    JAMIA 28 (2020).
    """

    module = "seqtrees"

    def learn(self, matrix: Floats, features: tuple[Feature, ...], target: str | None) -> None:  # noqa: ARG002
        """Grow the trees."""
        frame = pd.DataFrame(matrix, columns=[f"x{place}" for place in range(len(features))])
        discrete = [f"x{place}" for place, feature in enumerate(features) if feature.categorical]
        frame[discrete] = frame[discrete].astype(int)
        options: dict[str, Any] = {
            "discrete_columns": discrete,
            "continuous_columns": [name for name in frame.columns if name not in discrete],
        }
        self.model_ = self.package.SequentialTreeSynthesizer(
            continuous_strategy="interpolate", tree_backend="sklearn", random_state=self.seed, **options
        )
        self.model_.fit(frame)

    def draw(self, rows: int, seed: int) -> Floats:
        """Walk down the trees."""
        made: Floats = self.model_.sample(rows, random_state=seed).to_numpy(dtype=np.float64)
        return made
