"""Every result that an article prints, by the name of its row: found by reading the articles.

Only these may be called a number of the article.
"""

PRINTED: dict[int, dict[str, str]] = {
    1: {
        "∂prediction/∂wlrec, its weight": "0.2",
        "a·b": "0",
        "b·c": "1",
        "c·d": "0.5",
        "e·e": "2",
    },
    2: {
        "prediction for (0, 0, 1)": "0.023",
        "prediction for (0, 1, 1)": "0.979",
        "prediction for (1, 0, 1)": "0.975",
        "prediction for (1, 1, 1)": "0.025",
    },
    3: {},
    4: {"answer to the new situation (1, 0, 0)": "0.99993704"},
    5: {
        f"layer {layer}, sample {sample}, neuron {neuron}": digits
        for layer, outputs in enumerate(
            (
                ("4.8 1.21 2.385", "8.9 -1.81 0.2", "1.41 1.051 0.026"),
                (
                    "0.5031 -1.04185 -2.03875",
                    "0.2434 -2.7332 -5.7633",
                    "-0.99314 1.41254 -0.35655",
                ),
            ),
            1,
        )
        for sample, row in enumerate(outputs, 1)
        for neuron, digits in enumerate(row.split(), 1)
    }
    | {
        f"spiral, point {point}, output {output}": digits
        for point, row in enumerate(
            (
                "0 0 0",
                "-1.0475188e-04 1.1395361e-04 -4.7983500e-05",
                "-2.7414842e-04 3.1729150e-04 -8.6921798e-05",
                "-4.2188365e-04 5.2666257e-04 -5.5912682e-05",
                "-5.7707680e-04 7.1401405e-04 -8.9430439e-05",
            ),
            1,
        )
        for output, digits in enumerate(row.split(), 1)
    },
}
