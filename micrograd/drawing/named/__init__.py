"""The compact picture of a graph, one box for each named value: `draw_dot(L, level="named")`.

- `roles`: what each value is for, which decides its colours.
- `builder`: what is shown, as a `Picture` with typeset formulas.
- `layout`: where it is shown, so that the picture fits the width.
- `fitting`: how much of it is shown in a frame of a given size.
- `dot`: the picture in the DOT language, with the places, texts and colours of the project's SVG.
"""
