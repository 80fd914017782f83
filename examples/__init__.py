"""One program for each article, which computes its numbers and writes a companion to it.

`python -m examples.article_1_weighted_sum --out DIR` runs one of them. It writes the companion in
English and in Chinese as Markdown and LaTeX, with pictures in SVG and PNG.
`python -m micrograd demo --out DIR` runs all and also writes `index.html`, a page to read from top
to bottom. Without `--out`, only the numbers are computed.

`python -m examples.gpt` is a language model of scalars that learns to write names.
"""

ARTICLES = (
    "article_1_weighted_sum",
    "article_2_two_layers",
    "article_3_fitting_a_line",
    "article_4_nine_lines",
    "article_5_dense_layers",
)
