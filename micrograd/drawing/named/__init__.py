"""The compact picture of a graph, one box for each named value: `draw_dot(L, level="named")`.

- `roles`: what each value is for, which decides its colours.
- `builder`: what is shown, as a `Picture` with typeset formulas.
- `layout`: where it is shown, so that the picture fits the width.
- `fitting`: how much of it is shown in a frame of a given size.
- `dot`, `svg`, `tikz`: the picture in these formats. Graphviz draws the DOT text; both it and the
  project's own SVG use the same places, texts and colours.
"""
