"""One program for each article: its claim, its numbers, its derivations and its plots.

`python -m examples.article_1_weighted_sum --out DIR` runs one of them, and
`python -m micrograd demo --out DIR` runs all and also writes `index.html`, a page that collects
everything in English and in Chinese. Without `--out`, only the numbers are computed.

`python -m examples.gpt` is a language model of scalars that learns to write names.
"""

ARTICLES = (
    "article_1_weighted_sum",
    "article_2_two_layers",
    "article_3_fitting_a_line",
    "article_4_nine_lines",
    "article_5_dense_layers",
)
