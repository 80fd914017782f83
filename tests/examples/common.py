"""What several tests of the articles share."""

from __future__ import annotations

from examples import (
    article_1_weighted_sum,
    article_2_two_layers,
    article_3_fitting_a_line,
    article_4_nine_lines,
    article_5_dense_layers,
)
from examples._common import Words

MODULES = (
    article_1_weighted_sum,
    article_2_two_layers,
    article_3_fitting_a_line,
    article_4_nine_lines,
    article_5_dense_layers,
)
NUMBERS = range(1, 6)
NOTHING = Words.same("")
