"""What a notebook shows of values, programs and pages."""

from micrograd import Value, compile, step_page  # noqa: A004


def test_a_value_is_a_table_with_its_label_escaped():
    x = Value(2.0, label="<x>")
    y = x * 3
    y.backward()
    assert "<td>&lt;x&gt;</td><td>2.0</td><td>3.0</td>" in x._repr_html_()
    assert "<td>6.0</td><td>1</td><td>*</td>" in y._repr_html_()
    y.label = 3  # any attribute may be set
    assert "<td></td><td>6.0</td>" in y._repr_html_()


def test_a_program_is_a_table_of_its_instructions():
    f = compile(lambda x: (x * 2).tanh(), backend="numpy")
    assert "not called yet" in f._repr_html_()
    f(1.0)
    assert f._repr_html_().count("<tr>") == 1 + len(f.program.instructions)
    assert "tanh" in f._repr_html_()


def test_a_page_is_text_that_a_notebook_shows_in_a_frame():
    page = step_page(Value(2.0, label="x") * 3)
    assert isinstance(page, str)
    assert page._repr_html_().startswith('<iframe srcdoc="&lt;!doctype html&gt;') or (
        "&lt;html" in page._repr_html_()
    )
    assert "<script" not in page._repr_html_()
