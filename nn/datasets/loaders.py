"""Real data, which scikit-learn brings along."""

from __future__ import annotations

from nn.datasets.synthetic import Data


def load_digits() -> Data:
    """Return 1,797 handwritten digits of 8 by 8 pixels, with numbers from 0 to 16.

    Needs scikit-learn, whose `load_digits` names the source.

    >>> X, y = load_digits()
    >>> X.shape, sorted(set(y.tolist()))
    ((1797, 64), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    """
    return _from_sklearn("digits")


def load_iris() -> Data:
    """Return 150 irises of three species, with four lengths in centimetres each (Fisher 1936).

    Needs scikit-learn.

    >>> X, y = load_iris()
    >>> X.shape, sorted(set(y.tolist()))
    ((150, 4), [0, 1, 2])
    """
    return _from_sklearn("iris")


def load_diabetes() -> Data:
    """Return ten scaled measurements of 442 patients, and how their diabetes progressed in a year.

    A regression problem, from Efron and others 2004, "Least angle regression". Needs scikit-learn.

    >>> X, y = load_diabetes()
    >>> X.shape, y[:2].tolist()
    ((442, 10), [151.0, 75.0])
    """
    return _from_sklearn("diabetes")


def _from_sklearn(name: str) -> Data:
    try:
        from sklearn import datasets
    except ImportError as error:
        raise ImportError(
            f"load_{name} needs scikit-learn: pip install scikit-learn ({error})"
        ) from error
    X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    return X, y
