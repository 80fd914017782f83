"""`nn.plots`: what is drawn, in which language, and that no global state changes."""

import random
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from micrograd import Value
from micrograd.writing import languages
from nn import MLP
from nn.datasets import make_blobs, make_moons, spiral

matplotlib = pytest.importorskip("matplotlib")
from matplotlib.figure import Figure  # noqa: E402
from PIL import Image  # noqa: E402

from nn import plots  # noqa: E402
from nn.callbacks import State  # noqa: E402
from nn.history import History  # noqa: E402
from nn.plots import axes as axes_module  # noqa: E402
from nn.plots import regions  # noqa: E402
from nn.plots.axes import Words, colour  # noqa: E402

X, Y = make_moons(60, noise=0.1, random_state=0)


@pytest.fixture(autouse=True)
def _seed():
    state = random.getstate()
    random.seed(1)
    yield
    random.setstate(state)


@pytest.fixture(autouse=True)
def _nothing_global_is_changed():
    before = dict(matplotlib.rcParams), "matplotlib.pyplot" in sys.modules
    yield
    assert (dict(matplotlib.rcParams), "matplotlib.pyplot" in sys.modules) == before


@pytest.fixture
def model():
    return MLP(2, [8, 1], activation="tanh")


@pytest.fixture
def ax():
    return Figure(layout="constrained").subplots()


def pixels(axes):
    """The picture as numbers, drawn as a person would see it."""
    axes.figure.set_dpi(50)
    canvas = axes.figure.canvas
    if not hasattr(canvas, "buffer_rgba"):
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        canvas = FigureCanvasAgg(axes.figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[:, :, :3].copy(), canvas


def colours_at(axes, *points):
    """The colours of the picture at points of the data."""
    picture, _ = pixels(axes)
    places = axes.transData.transform(points)
    return [picture[round(len(picture) - 1 - row), round(column)] / 255 for column, row in places]


def tint(k):
    """The colour of the region of class number k, as it is seen."""
    return pytest.approx(regions._tint(plots.COLOURS[k]), abs=0.01)


def texts(axes):
    legend = axes.get_legend()
    return [
        axes.get_title(),
        axes.get_xlabel(),
        axes.get_ylabel(),
        *(label.get_text() for label in axes.get_xticklabels()),
        *(text.get_text() for text in ([] if legend is None else legend.get_texts())),
        *(text.get_text() for text in axes.texts),
    ]


def line(slope, level):
    """A model of one output, which is 0 on the line x1 = slope * x2 + level."""
    model = MLP(2, [1])
    for parameter, number in zip(model.parameters(), (1, -slope, -level), strict=True):
        parameter.data = number
    return model


# ------------------------------------------------------------------------------- decision regions


def test_regions_have_the_colour_of_the_class_that_the_model_gives_there():
    points = np.array([[-1.0, -1.0], [1.0, 1.0], [-1.0, 1.0], [1.0, -1.0]])
    axes = plots.decision_regions(line(0, 0.25), points, [-1, 1, -1, 1], resolution=50)
    left, right = colours_at(axes, (0.2, 0.5), (0.3, -0.5))
    assert left == tint(0)
    assert right == tint(1)
    assert axes.get_title() == "100.0% of 4 points correct"


@pytest.mark.slow
def test_the_boundary_lies_where_the_output_is_the_threshold():
    points = np.array([[-1.0, -1.0], [1.0, 1.0]])
    for labels, threshold, edge in (
        ([-1, 1], None, 0),
        ([0, 1], None, 0.5),
        ([0, 1], 0, 0),
        ([-1, 1], -0.5, -0.5),
    ):
        axes = plots.decision_regions(
            line(0, 0), points, labels, threshold=threshold, resolution=50
        )
        left, right = colours_at(axes, (edge - 0.1, 0.3), (edge + 0.1, 0.3))
        assert left == tint(0)
        assert right == tint(1)


def test_with_several_outputs_the_largest_is_the_class():
    corners = np.array([[1.0, 0.0], [-0.5, 0.9], [-0.5, -0.9]])
    model = MLP(2, [3])
    for neuron, corner in zip(model.layers[0].neurons, corners, strict=True):
        neuron.w[0].data, neuron.w[1].data = corner.tolist()
    axes = plots.decision_regions(model, corners, [0, 1, 2], resolution=50)
    for k, found in enumerate(colours_at(axes, *(0.7 * corners))):
        assert found == tint(k)
    assert axes.get_title() == "100.0% of 3 points correct"


def test_every_point_is_drawn_in_the_colour_and_shape_of_its_class(model):
    axes = plots.decision_regions(model, X, Y)
    for k, drawn in enumerate(axes.collections[-3:-1]):
        assert drawn.get_offsets().tolist() == X[k == Y].tolist()
        assert drawn.get_facecolor()[0] == pytest.approx(
            matplotlib.colors.to_rgba(plots.COLOURS[k])
        )
    shapes = {(colour(k), regions._shape(k)) for k in range(64)}
    assert len(shapes) == 64


@pytest.mark.parametrize("number", [int, float])
def test_points_that_are_classified_wrong_have_a_ring(number):
    points = np.array([[-1.0, 0.0], [1.0, 0.0], [2.0, 0.0]])
    axes = plots.decision_regions(line(0, 0), points, [number(-1), number(1), number(-1)])
    assert axes.collections[-1].get_offsets().tolist() == [[2, 0]]
    assert texts(axes)[-3:] == ["class −1", "class 1", "misclassified"]
    assert axes.get_title() == "66.7% of 3 points correct"


@pytest.mark.slow
@pytest.mark.parametrize(
    "y", [Y, 2.0 * Y - 1, Y[:, None], np.eye(2)[Y], Y.tolist(), 3 + 4 * Y, Y.astype(bool)]
)
def test_labels_may_be_numbers_signs_bools_or_rows_of_zeros_and_a_one(model, y):
    options = {"resolution": 20, "threshold": 0}  # the default depends on the labels
    axes = plots.decision_regions(model, X, y, **options)
    # The same points are right, however their classes are written.
    assert axes.get_title() == plots.decision_regions(model, X, Y, **options).get_title()
    assert len([text for text in texts(axes) if text.startswith("class ")]) == 2


def test_labels_of_several_outputs_may_be_words():
    points, y = make_blobs(30, random_state=0)
    names = np.array(["low", "middle", "high"])[y]
    axes = plots.decision_regions(MLP(2, [3]), points, names, resolution=20)
    assert {"class high", "class low", "class middle"} < set(texts(axes))


def test_an_output_that_is_the_same_everywhere_is_one_region(model):
    for parameter in model.parameters():
        parameter.data = 0.0
    model.layers[-1].neurons[0].b.data = -1.0
    axes = plots.decision_regions(model, X, 2 * Y - 1, resolution=20)
    assert colours_at(axes, (-0.8, -0.4)) == [tint(0)]


@pytest.mark.parametrize(
    ("points", "y", "outputs", "complaint"),
    [
        (X[:, :1], Y, 1, "X has two columns; got \\(60, 1\\)"),
        (np.ones((5, 3)), Y[:5], 1, "X has two columns; got \\(5, 3\\)"),
        (X[:0], Y[:0], 1, "X has two columns; got \\(0, 2\\)"),
        (X, Y[:10], 1, "X has 60 samples, but y has 10 labels"),
        (X, np.zeros(60), 1, "one output separates two classes"),
        (X, np.arange(60), 1, "one output separates two classes"),
        (X, np.array(["a", "b"])[Y], 1, "one output separates two classes"),
        (X, np.arange(60) % 5, 4, "4 outputs, one for each class, and y has 5 labels"),
    ],
)
def test_data_that_cannot_be_drawn_in_a_plane_are_a_value_error(points, y, outputs, complaint):
    columns = points.shape[1]
    with pytest.raises(ValueError, match=complaint):
        plots.decision_regions(MLP(columns, [outputs]), points, y)


# ------------------------------------------------------------------------------------------ curves


def test_loss_curves_show_training_and_validation_by_epoch():
    history = {"loss": [3, 2, 1], "val_loss": [3.5, 3, 2.5], "accuracy": [0.1, 0.2, 0.3]}
    axes = plots.loss_curves(history)
    assert [list(each.get_xdata()) for each in axes.lines] == [[1, 2, 3]] * 2
    assert [list(each.get_ydata()) for each in axes.lines] == [[3, 2, 1], [3.5, 3, 2.5]]
    assert texts(axes)[-2:] == ["training", "validation"]
    assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_yscale()) == ("epoch", "loss", "linear")


def test_losses_that_fall_far_are_on_a_logarithmic_scale_unless_one_is_zero():
    assert plots.loss_curves({"loss": [1, 0.01]}).get_yscale() == "log"
    assert plots.loss_curves({"loss": [1, 0.01, 0]}).get_yscale() == "linear"
    assert plots.loss_curves({"loss": [1, 0.01, float("nan")]}).get_yscale() == "log"
    assert plots.loss_curves({"loss": [float("nan")]}).get_yscale() == "linear"


def test_other_columns_can_be_drawn_and_those_that_are_missing_are_left_out():
    history = {"loss": [1.0], "accuracy": [0.5], "val_accuracy": [0.25], "r2": []}
    axes = plots.loss_curves(history, columns=("accuracy", "val_accuracy", "val_loss"))
    assert texts(axes)[-2:] == ["accuracy", "val_accuracy"]
    assert axes.get_ylabel() == "accuracy"
    assert axes.lines[0].get_marker() == "o"
    with pytest.raises(ValueError, match=r"none of r2; its columns: loss, accuracy, val_accuracy"):
        plots.loss_curves(history, columns=["r2"])
    with pytest.raises(ValueError, match="its columns: none"):
        plots.loss_curves({})


def test_the_best_epoch_is_marked():
    history = History({"loss": [3, 1, 2]})
    history.best_epoch = 2
    assert "best, epoch 2" in texts(history.plot())


def test_the_length_of_the_gradient_is_drawn_by_epoch_or_by_layer(model):
    by_epoch = plots.gradient_norms({"gradient_norm": [1, 0.1, 0.001]})
    assert list(by_epoch.lines[0].get_ydata()) == [1, 0.1, 0.001]
    assert by_epoch.get_yscale() == "log"
    (model([0.5, -1.0]) ** 2).backward()
    by_layer = plots.gradient_norms(model)
    expected = [sum(p.grad**2 for p in layer.parameters()) ** 0.5 for layer in model.layers]
    assert by_layer.lines[0].get_ydata() == pytest.approx(expected, rel=1e-12)
    assert "layer 1\nneurons: 8" in texts(by_layer)
    with pytest.raises(ValueError, match="no gradient_norm; its columns: loss"):
        plots.gradient_norms({"loss": [1]})


# --------------------------------------------------------------------------------- within a network


def test_activations_count_dead_neurons():
    model = MLP(2, [4, 1])
    for neuron in model.layers[0].neurons[:3]:
        neuron.b.data = -100.0
    axes = plots.activations(model, X)
    assert [text.get_text().strip() for text in axes.texts] == ["dead: 3"]
    assert texts(axes)[3:5] == ["layer 1\nneurons: 4", "layer 2\nneurons: 1"]


def test_activations_are_those_of_every_layer(model):
    axes = plots.activations(model, X)
    hidden = np.array([[v.data for v in model.layers[0](row)] for row in X.tolist()])
    outputs = np.array([model(row).data for row in X.tolist()])
    bars = [(bar.get_x() + bar.get_width() / 2, bar) for bar in axes.patches if bar.get_width() > 0]
    for number, signals in ((1, hidden), (2, outputs)):
        mine = [bar for middle, bar in bars if round(middle) == number]
        assert min(bar.get_y() for bar in mine) == pytest.approx(signals.min(), abs=0.1)
        top = max(bar.get_y() + bar.get_height() for bar in mine)
        assert top == pytest.approx(signals.max(), abs=0.1)


def test_a_layer_with_constant_outputs_is_drawn(model):
    for parameter in model.parameters():
        parameter.data = 0.0
    axes = plots.activations(model, X)
    assert [text.get_text().strip() for text in axes.texts] == ["dead: 8", "dead: 1"]


def test_weights_are_fields_of_colours_with_the_bias_last(model):
    model.layers[0].neurons[0].b.data = 5.0
    axes = plots.weights(model)
    first = np.asarray(axes.collections[0].get_array())
    assert first.shape == (8, 3)
    assert first[-1].tolist() == [v.data for v in model.layers[0].neurons[0].parameters()]
    assert {each.get_clim() for each in axes.collections} == {(-5.0, 5.0)}
    assert texts(axes)[3:5] == ["layer 1\nneurons: 8", "layer 2\nneurons: 1"]


def test_a_model_without_neurons_has_no_weights_to_draw():
    with pytest.raises(ValueError, match="SimpleNamespace has no layers of neurons"):
        plots.weights(SimpleNamespace(layers=[abs]))


# -------------------------------------------------------------------------------------------- film


def state(model, epoch, epochs=5):
    return State(model, None, History({"loss": [1.0] * epoch}), epochs, X, Y[:, None])


def frames(path):
    with Image.open(path) as film:
        assert film.format == "GIF"
        return film.n_frames, film.size


@pytest.mark.slow
def test_a_film_has_a_picture_of_every_epoch_and_is_written_at_the_end(model, tmp_path):
    path = tmp_path / "folder" / "moons.gif"
    film = plots.film(path, resolution=20)
    for epoch in range(1, 4):
        film(state(model, epoch))
        model.layers[0].neurons[0].b.data += 1.0  # so that the pictures differ
    assert not path.exists()
    film.finish(state(model, 3))
    assert frames(path)[0] == 3


def test_a_film_takes_the_first_epoch_and_every_nth(model, tmp_path):
    film = plots.film(tmp_path / "a.gif", X, Y, every=3, resolution=10, lang="zh")
    taken = []
    film._take = lambda state: taken.append(state.epoch)
    for epoch in range(1, 9):
        film(state(model, epoch))
    assert taken == [1, 3, 6]
    long = plots.film(tmp_path / "b.gif")
    long._take = lambda state: taken.append(state.epoch)
    taken.clear()
    for epoch in range(1, 1001):
        long(state(model, epoch, 1000))
    assert len(taken) == 101


@pytest.mark.slow
def test_fit_films_the_boundary_that_it_learns_and_the_last_picture_stays(tmp_path):
    from nn.training import fit

    model = MLP(2, [8, 3], activation="tanh")
    points, classes = spiral(20)
    film = plots.film(tmp_path / "spiral.gif", every=2, seconds=0.2, resolution=20)
    fit(model, points, classes, loss="cross_entropy", epochs=3, callbacks=[film], progress=False)
    with Image.open(tmp_path / "spiral.gif") as written:
        durations = []
        for k in range(written.n_frames):
            written.seek(k)
            durations.append(written.info["duration"])
    assert durations == [200, 200, 2000]  # after epochs 1, 2 and 3


@pytest.mark.parametrize(
    ("arguments", "options", "complaint"),
    [
        (("a.png",), {}, "'a.png': a film is a .gif"),
        (("a.gif", X), {}, "both X and y"),
        (("a.gif",), {"every": 0}, "every is a number of epochs"),
        (("a.gif",), {"seconds": 0}, "seconds is from 0.02 to 60"),
    ],
)
def test_a_bad_option_of_a_film_is_a_value_error_before_training(arguments, options, complaint):
    with pytest.raises(ValueError, match=complaint):
        plots.film(*arguments, **options)


# ----------------------------------------------------------------------------- words, axes, imports

HISTORY = {"loss": [3, 2], "val_loss": [3, 2.5], "gradient_norm": [1, 2]}
DRAWN = {
    "decision_regions": lambda model, **options: plots.decision_regions(
        model, X, Y, resolution=20, **options
    ),
    "loss_curves": lambda model, **options: plots.loss_curves(HISTORY, **options),
    "gradient_norms": lambda model, **options: plots.gradient_norms(HISTORY, **options),
    "gradient_norms of a model": lambda model, **options: plots.gradient_norms(model, **options),
    "activations": lambda model, **options: plots.activations(model, X, **options),
    "weights": lambda model, **options: plots.weights(model, **options),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", DRAWN)
def test_a_plot_is_drawn_into_the_axes_that_it_is_given_or_into_its_own(name, model, ax):
    assert DRAWN[name](model, ax=ax) is ax
    picture, _ = pixels(ax)
    own = DRAWN[name](model)
    assert own is not ax
    assert own.figure is not ax.figure
    for drawn in (picture, pixels(own)[0]):
        assert len(np.unique(drawn.reshape(-1, 3), axis=0)) > 10


@pytest.mark.slow
@pytest.mark.parametrize("name", DRAWN)
def test_chinese_words_have_letters_where_there_is_a_font(name, model, recwarn):
    if Words("zh").words == languages.words("en", "plot"):
        pytest.skip("no font with Chinese letters here")
    axes = DRAWN[name](model, lang="zh")
    english = DRAWN[name](model)
    assert any("\u4e00" <= letter <= "\u9fff" for text in texts(axes) for letter in text)
    assert not any("\u4e00" <= letter <= "\u9fff" for text in texts(english) for letter in text)
    pixels(axes)
    assert not [each for each in recwarn if "missing from font" in str(each.message)]


@pytest.mark.parametrize("name", DRAWN)
def test_without_such_a_font_the_words_are_english(name, model, monkeypatch):
    monkeypatch.setattr(axes_module, "FONTS", ("No Such Font",))
    assert texts(DRAWN[name](model, lang="zh")) == texts(DRAWN[name](model))


@pytest.mark.parametrize("name", DRAWN)
def test_another_language_is_a_value_error_that_lists_them(name, model):
    with pytest.raises(ValueError, match=r"lang is one of en, .*got 'xx'"):
        DRAWN[name](model, lang="xx")


@pytest.mark.parametrize("name", DRAWN)
def test_a_plot_changes_neither_weights_nor_gradients(name, model):
    (model([0.5, -1.0]) ** 2).backward()
    before = [(p.data, p.grad) for p in model.parameters()]
    DRAWN[name](model)
    assert [(p.data, p.grad) for p in model.parameters()] == before
    assert all(type(p) is Value for p in model.parameters())


@pytest.mark.parametrize("name", [*DRAWN, "film"])
def test_without_matplotlib_a_plot_says_what_to_install(name, model, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    draw = {**DRAWN, "film": lambda model: plots.film("a.gif")}[name]
    with pytest.raises(ImportError, match="pip install matplotlib"):
        draw(model)


@pytest.mark.slow
def test_importing_plots_imports_no_matplotlib():
    code = "import sys, nn.plots; print('matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_one_column_works_like_a_list_of_one():
    history = {"loss": [1.0, 0.5], "accuracy": [0.5, 0.75]}
    ax = plots.loss_curves(history, columns="accuracy")
    assert [line.get_ydata().tolist() for line in ax.lines] == [[0.5, 0.75]]
    with pytest.raises(ValueError, match="the history has none of accurracy"):
        plots.loss_curves(history, columns="accurracy")
