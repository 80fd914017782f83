"""Pages on which readers train networks.

- `page` has `playground`, which writes the page.
- `contents` checks the model, the data and the settings that the page opens with.
- `functions` writes the activations and the losses in JavaScript, from the table of operations.

The page itself is in `assets`: `state.js` has its settings, `data.js` and `random.js` the data,
`network.js` and `training.js` the mathematics, `experiment.js` one experiment, and `app.js` the
page. `main.js` defines what scripts outside of the page can use.
"""

from nn.pages.page import playground

__all__ = ["playground"]
