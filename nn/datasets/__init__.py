"""Data sets, and ways to divide data.

A data set is `(X, y)`: an array X of shape (samples, features), and an array y with a class, an int
from 0, or a number for each sample. `random_state` is a seed, a `numpy.random.RandomState`, or None
for NumPy's global generator. The functions that are named as in scikit-learn give the numbers that
scikit-learn gives.

>>> X, y = make_moons(n_samples=200, noise=0.1, random_state=0)
>>> X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=0)
>>> X_train.shape, y_test.shape
((150, 2), (50,))
>>> [len(chosen) for chosen in batches(150, 64, 0)]
[64, 64, 22]
"""

from nn.datasets.loaders import load_diabetes, load_digits, load_iris
from nn.datasets.splits import batches, train_test_split
from nn.datasets.synthetic import (
    karpathy_toy,
    make_blobs,
    make_circles,
    make_moons,
    spiral,
    xor,
    yin_yang,
)

__all__ = [
    "batches",
    "karpathy_toy",
    "load_diabetes",
    "load_digits",
    "load_iris",
    "make_blobs",
    "make_circles",
    "make_moons",
    "spiral",
    "train_test_split",
    "xor",
    "yin_yang",
]
