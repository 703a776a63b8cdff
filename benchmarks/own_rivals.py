"""Rivals of our own making: independent columns, a Gaussian copula, and CART synthesis (re-creations, no package)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
from encoding import Encoding, Feature
from numpy.typing import NDArray
from scipy.stats import norm, rankdata
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from agentsynth.seeding import child_seed, stream

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]


class IndependentColumns:
    """Every column drawn by itself, with replacement: right in every column, and in no relation."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def fit(self, train: pd.DataFrame, target: str | None = None) -> IndependentColumns:  # noqa: ARG002  # as all
        """Keep the rows."""
        self.train_ = train.reset_index(drop=True)
        return self

    def sample(self, rows: int, seed: int) -> pd.DataFrame:
        """Draw so many rows."""
        drawn = {
            name: self.train_[name].iloc[stream(seed, f"column {place}").integers(len(self.train_), size=rows)]
            for place, name in enumerate(self.train_.columns)
        }
        return pd.DataFrame({name: column.reset_index(drop=True) for name, column in drawn.items()})


class GaussianCopula:
    """Columns as they are, joined by the correlations of their normal scores; levels are cut from a normal, too.

    Source: Nelsen, "An introduction to copulas" (2006), section 2.3; for levels: Patki, Wedge & Veeramachaneni, "The
    synthetic data vault", DSAA 2016 (each level an interval of [0, 1] as wide as its share, most frequent first).
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def fit(self, train: pd.DataFrame, target: str | None = None) -> GaussianCopula:  # noqa: ARG002  # as all
        """Learn margins and correlations."""
        self.encoding_ = Encoding.learn(train)
        matrix, rng = self.encoding_.matrix(train), stream(self.seed, "copula ties")
        self.margins_ = [np.sort(values[~np.isnan(values)]) for values in matrix.T]
        scores = pd.DataFrame({place: _normal_scores(values, rng) for place, values in enumerate(matrix.T)})
        # Each correlation from the rows that have both; columns that never vary have none.
        correlations = scores.corr().fillna(0).to_numpy(copy=True)
        np.fill_diagonal(correlations, 1)
        values, vectors = np.linalg.eigh(correlations)
        self.root_ = vectors * np.sqrt(np.maximum(values, 0))
        return self

    def sample(self, rows: int, seed: int) -> pd.DataFrame:
        """Draw so many rows."""
        scores = stream(seed, "copula rows").standard_normal((rows, len(self.root_))) @ self.root_.T
        # Negative eigenvalues, cut off above, leave variances a little above 1.
        shares = norm.cdf(scores / np.sqrt((self.root_**2).sum(axis=1)))
        made = [
            np.quantile(margin, share, method="inverted_cdf" if feature.categorical else "linear")
            for margin, share, feature in zip(self.margins_, shares.T, self.encoding_.features, strict=True)
        ]
        return self.encoding_.table(np.stack(made, axis=1))


def _normal_scores(values: Floats, rng: np.random.Generator) -> Floats:
    """Return the normal scores (n,) of values (n,), NaN of NaN; equal ones are spread over their ranks at random."""
    known = np.flatnonzero(~np.isnan(values))
    order = rng.permutation(known)
    scores = np.full(len(values), np.nan)
    scores[order] = norm.ppf((rankdata(values[order], method="ordinal") - 0.5) / len(order))
    return scores


class CartSynthesis:
    """Our own re-creation of CART synthesis: each column by one tree given the columns before it.

    As in the R package synthpop (Nowok, Raab & Dibben, J. Stat. Softw. 74 (2016), section 3): columns in the table's
    order, trees grown until a leaf has 5 rows, a value drawn from the leaf's. A number that no other training row has
    is then smoothed by a normal kernel with the leaf's bandwidth, within the observed range, which keeps heaps
    and rounding as they are and lets no rare value through as it was.
    Source: Reiter, "Using CART to generate partially synthetic public use microdata", J. Off. Stat. 21 (2005), p. 441.
    """

    def __init__(self, seed: int, min_leaf: int = 5) -> None:
        self.seed, self.min_leaf = seed, min_leaf

    def fit(self, train: pd.DataFrame, target: str | None = None) -> CartSynthesis:  # noqa: ARG002  # as all
        """Grow the trees."""
        self.encoding_ = Encoding.learn(train)
        matrix, features = self.encoding_.filled(train, self.seed), self.encoding_.features
        flags = [place for place, feature in enumerate(features) if feature.flag]
        self.trees_ = []
        for place, feature in enumerate(features):
            # Where the number was missing, it is made up and says nothing.
            known = matrix[:, place - 1] == 0 if place - 1 in flags and not feature.flag else slice(None)
            seed = child_seed(self.seed, f"tree {place}")
            self.trees_.append(_Tree.grow(matrix[known, :place], matrix[known, place], features, self.min_leaf, seed))
        return self

    def sample(self, rows: int, seed: int) -> pd.DataFrame:
        """Draw so many rows."""
        made = np.empty((rows, len(self.trees_)))
        for place, tree in enumerate(self.trees_):
            made[:, place] = tree.draw(made[:, :place], stream(seed, f"column {place}"))
        return self.encoding_.table(made)


@dataclass(frozen=True)
class _Tree:
    """A grown tree of one column.

    Attributes:
        orders: for each categorical predictor, by its place, the rank of each code.
        tree: None where nothing can be split.
        starts, values: the leaves' training values, one leaf after the other, and where each leaf (by node) begins.
        bandwidths: for each value, the standard deviation of its kernel; 0 = drawn as it is.
    """

    orders: dict[int, Integers]
    tree: DecisionTreeRegressor | DecisionTreeClassifier | None
    starts: Integers
    values: Floats
    bandwidths: Floats

    @classmethod
    def grow(cls, before: Floats, values: Floats, features: tuple[Feature, ...], min_leaf: int, seed: int) -> _Tree:
        """Grow the tree of a column (n,) given the columns before it (n, place)."""
        feature = features[before.shape[1]]
        orders = {
            place: _level_order(before[:, place], values, known.levels, feature.categorical)
            for place, known in enumerate(features[: before.shape[1]])
            if known.levels is not None
        }
        tree, leaves = None, np.zeros(len(values), dtype=np.int64)
        if before.shape[1] and np.ptp(values) > 0:
            kind = DecisionTreeClassifier if feature.categorical else DecisionTreeRegressor
            tree = kind(min_samples_leaf=min_leaf, random_state=seed).fit(_ordered(before, orders), values)
            leaves = tree.apply(_ordered(before, orders))
        inside = np.argsort(leaves, kind="stable")
        starts = np.searchsorted(leaves[inside], np.arange(leaves.max() + 2))
        widths = np.zeros(len(values)) if feature.categorical else _bandwidths(values[inside], leaves[inside])
        return cls(orders, tree, starts, values[inside], widths)

    def draw(self, before: Floats, rng: np.random.Generator) -> Floats:
        """Return a value for each row of (rows, place)."""
        leaves = np.zeros(len(before), dtype=np.int64)
        if self.tree is not None:
            leaves = self.tree.apply(_ordered(before, self.orders))
        first, end = self.starts[leaves], self.starts[leaves + 1]
        chosen = rng.integers(first, end)
        moved = self.values[chosen] + self.bandwidths[chosen] * rng.standard_normal(len(before))
        return np.clip(moved, self.values.min(), self.values.max())


def _level_order(codes: Floats, values: Floats, levels: tuple[str | None, ...], classes: bool) -> Integers:
    """Return the rank of each level (levels,) by which a tree may cut it, as scikit-learn's cuts numbers only.

    By the mean of a number, or the first principal component of the class shares: for a number and for two classes
    the best cut of the levels is then a cut of the ranks (Breiman, Friedman, Olshen & Stone, "Classification and
    regression trees" (1984), theorem 4.5; for more classes Coppersmith, Hong & Hosking, 1999).
    """
    place = codes.astype(np.int64)
    known = np.eye(int(values.max()) + 1)[values.astype(np.int64)] if classes else values[:, None]
    sums = np.zeros((len(levels), known.shape[1]))
    np.add.at(sums, place, known)
    counts = np.bincount(place, minlength=len(levels))[:, None]
    means = np.where(counts > 0, sums / np.maximum(counts, 1), known.mean(axis=0))
    centred = (means - known.mean(axis=0)) * np.sqrt(counts)
    direction = np.linalg.svd(centred, full_matrices=False)[2][0]
    ranks: Integers = np.argsort(np.argsort(means @ direction, kind="stable"), kind="stable")
    return ranks


def _ordered(before: Floats, orders: dict[int, Integers]) -> Floats:
    """Return (rows, place) with the codes of levels replaced by their ranks."""
    ordered = before.copy()
    for place, ranks in orders.items():
        ordered[:, place] = ranks[before[:, place].astype(np.int64)]
    return ordered


def _bandwidths(values: Floats, leaves: Integers) -> Floats:
    """Return Silverman's bandwidth 0.9 s n^(-1/5) of each value's leaf, 0 for values that repeat; all (n,)."""
    counts = np.bincount(leaves)
    means = np.bincount(leaves, values) / np.maximum(counts, 1)
    squares = np.bincount(leaves, (values - means[leaves]) ** 2)
    deviations = np.sqrt(squares / np.maximum(counts - 1, 1))
    widths = 0.9 * deviations * np.maximum(counts, 1) ** -0.2
    _, equal, times = np.unique(values, return_inverse=True, return_counts=True)
    return np.where(times[equal] == 1, widths[leaves], 0.0)
