"""`live_page`: a graph as a page whose numbers follow the sliders of its leaves.

- `page`: the public function, and the file that it writes.
- `samples`: the samples that a page can choose from.
- `story`: the graph as data and as functions in JavaScript.
- `slopes`: the local derivatives as formulas, one for each branch.
- `pictures`: the compact pictures, for a wide and for a narrow window.
- `assets`: the page itself: its text, style and scripts.
"""
