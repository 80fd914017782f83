"""Tables from files: cells, lines, headers, and what is learned from their columns."""

from __future__ import annotations

import gzip
import math
import random

import pytest

np = pytest.importorskip("numpy")

from nn.cells import reading  # noqa: E402
from nn.columns import Encoder, labels, left_out  # noqa: E402
from nn.tables import TableError, read  # noqa: E402


@pytest.fixture
def table(tmp_path):
    """A function that reads a text as a file."""

    def made(content, **options):
        path = tmp_path / "table.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read(path, **options)

    return made


# -------------------------------------------------------------------------------------------- cells


@pytest.mark.parametrize(
    ("text", "point", "comma"),
    [
        ("12", 12, 12),
        ("-1.5e3", -1500, None),
        ("+.5", 0.5, None),
        ("1,5", None, 1.5),
        ("0,123", None, 0.123),
        ("1234,567", None, 1234.567),
        ("1,234", 1234, 1.234),
        ("1,234e3", None, 1234),
        ("1.234", 1.234, 1234),
        ("1,234.5", 1234.5, None),
        ("1.234,5", None, 1234.5),
        ("1,234,567", 1234567, None),
        ("1.234.567", None, 1234567),
        ("1 234,5", None, 1234.5),
        ("1\u202f234", 1234, 1234),
        ("1'234.5", 1234.5, None),
        ("\u22125", -5, -5),
        ("-$5", -5, -5),
        ("１２", 12, 12),
    ],
)
def test_a_number_is_read_by_its_decimal_mark(text, point, comma):
    assert reading(text)[:2] == (point, comma)


@pytest.mark.parametrize(
    ("text", "unit"), [("12%", "%"), ("5 %", "%"), ("$0.80", "$"), ("3€", "€")]
)
def test_a_number_may_have_a_unit(text, unit):
    assert reading(text).unit == unit


@pytest.mark.parametrize(
    "text", ["", "x", "1_000", "0x10", "1-2", "12:30", "2020-01-01", "1,23,456", "1.2.3", "--5",
             "030 123", "1 2", "$5%", "+-5", "²"],
)  # fmt: skip
def test_other_texts_are_not_read_as_numbers(text):
    assert reading(text) is None


def test_the_decimal_mark_is_inferred_from_the_column_or_else_from_the_others(table):
    assert table("a\tb\n1,234\t2,5\n300\t3\n").complete("a").numbers == [1.234, 300]
    assert table("a\tb\n1,234\t2.5\n300\t3\n").complete("a").numbers == [1234, 300]
    assert table("a;b\n1.234;2,5\n300;3\n").complete("a").numbers == [1234, 300]
    both = table("a;b\n0,5;2.75\n1,5;3\n")
    assert (both.complete("a").numbers, both.complete("b").numbers) == ([0.5, 1.5], [2.75, 3])


@pytest.mark.parametrize(
    ("content", "word", "point", "comma"),
    [
        ("a\tb\n1,234\t1\n300\t2\n", "comma", [1234, 300], [1.234, 300]),
        ('a,b\n"1,234",1\n300,2\n', "comma", [1234, 300], [1.234, 300]),
        ("a;b\n1.234;1\n300;2\n", "point", [1.234, 300], [1234, 300]),
        ("a\tb\n1.234\t1\n300\t2\n", "point", [1.234, 300], [1234, 300]),
        ("a;b;c;d\n1,234;1;0,5;0.5\n300;2;1;1\n", "comma", [1234, 300], [1.234, 300]),
    ],
)
def test_thousands_that_may_be_decimals_are_refused_until_an_option_decides(
    content, word, point, comma, table
):
    complaint = f"line 2, column 'a'.*the {word} in .* may separate thousands or .*--decimal"
    with pytest.raises(TableError, match=complaint):
        table(content).complete("a")
    if ";d" not in content:
        assert table(content, decimal="point").complete("a").numbers == point
        assert table(content, decimal="comma").complete("a").numbers == comma


def test_three_digits_after_a_point_are_decimals_unless_semicolons_separate_the_cells(
    table,
):
    for mark in "\t|, ":
        assert table(f"a{mark}b\n1.234{mark}1\n300.125{mark}2\n").complete("a").numbers == [
            1.234,
            300.125,
        ]


def test_how_an_unusual_number_was_read_is_noted(table):
    notes = table('a,b,c\n12%,$0.80,1.5\n13%,$1.20,"1,234.5"\n').notes
    assert notes[:2] == ["'12%' is read as 12", "'$0.80' is read as 0.8"]
    assert notes[2:] == ["'1,234.5' is read as 1234.5"]


def test_a_column_has_one_unit(table):
    with pytest.raises(TableError, match="line 3, column 'a': '5' is in another unit"):
        table("a,b\n12%,1\n5,2\n").complete("a")
    with pytest.raises(TableError, match="'€5' is in another unit"):
        table("a,b\n$12,1\n€5,2\n").complete("a")


def test_a_column_is_numeric_if_most_cells_that_are_not_missing_are_numbers(table):
    assert table("a,b\n1,1\n2,2\n,3\n,4\n,5\n")["a"].numbers[:2] == [1, 2]
    assert table("a,b\n1,1\n2,2\nx,3\ny,4\n")["a"].numbers is None


def test_a_minus_is_a_word_where_there_is_a_plus(table):
    assert table("a,b\n+,1\n-,2\n+,3\n")["a"].missing == []
    assert table("a,b\nx,1\n-,2\nx,3\n")["a"].missing == [1]


def test_a_number_whose_square_is_infinite_is_refused(table):
    with pytest.raises(TableError, match="'1e200' is larger than 1e\\+150"):
        table("a,b\n1,1\n1e200,2\n").complete("a")


# -------------------------------------------------------------------------------- lines into cells


@pytest.mark.parametrize(
    "content",
    [
        "a,b\n1,x\n2.5,y\n",
        "a;b\r\n1;x\r\n2,5;y\r\n",
        "a\tb\n1\tx\n2.5\ty",
        "a|b\n1|x\n2.5|y\n",
        "\ufeffa,b\n1,x\n2.5,y\n",
        '"a","b"\n"1","x"\n"2.5","y"\n',
        " a , b \n 1 , x \n\n 2.5 , y \n",
        "sep=;\na;b\n1;x\n2,5;y\n",
        "a,b\n1,x\n2.5,y\n".encode("utf-16"),
    ],
)
def test_tables_are_read_as_spreadsheets_write_them(content, table):
    found = table(content)
    assert found.names == ["a", "b"]
    assert found.complete("a").numbers == [1, 2.5]
    assert found.complete("b").numbers is None
    assert found["b"].cells == ["x", "y"]


def test_whether_there_is_a_header_is_inferred_from_the_cells(table):
    assert table("1,x\n2,y\n").names == ["column 1", "column 2"]
    assert table("id,2019\n1,5\n2,6\n").names == ["id", "2019"]
    assert table("red,x\nred,y\n").names == ["red", "x"]
    assert table("red,x\nred,y\n", header=False).names == ["column 1", "column 2"]
    assert table("1,2\n2,3\n", header=True).names == ["1", "2"]


def test_cells_may_hold_delimiters_quotes_and_line_ends(table):
    found = table('text,y\n"a, ""b""\nc",1\n\u2028,2\nd,\n')
    assert found["text"].cells == ['a, "b"\nc', "", "d"]
    with pytest.raises(TableError, match="line 5, column 'y': the value is missing"):
        found.complete("y")


def test_another_encoding_can_be_named(table):
    found = table("颜色,类\n红,1\n蓝,2\n".encode("gbk"), encoding="gbk")
    assert found["颜色"].cells == ["红", "蓝"]


def rows(count, row):
    draw = random.Random(0)
    return "".join(row(i, draw) + "\n" for i in range(count))


@pytest.mark.parametrize("cell", ["9" * 100_000, "x" * 100_000])
def test_a_message_shows_only_the_beginning_of_a_long_cell(cell, table):
    found = table("a,b\n1,2\n3,4\n" + f"5,{cell}\n")
    with pytest.raises(TableError) as caught:
        found.checked("b", "leave it out")
    assert cell[:60] + "…" in str(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("mark", ["  ", " "])
def test_spaces_may_separate_cells_and_it_is_noted(mark, table):
    found = table(f" a{mark}b\n 1{mark}2.5  \n10{mark}3\n")
    assert (found.complete("a").numbers, found.complete("b").numbers) == ([1, 10], [2.5, 3])
    assert found.notes == ["spaces separate the cells"]


def test_a_column_whose_name_has_a_space_is_one_column(table):
    assert table("petal length\n1.5\n2\n").names == ["petal length"]
    assert table("petal length\nvery long\n", known=["petal length"]).names == ["petal length"]


def test_a_semicolon_file_with_decimal_commas_and_no_header_is_not_split_at_commas(table):
    assert table("1,5;2,5\n2,5;3,5\n3,5;1,5\n").complete("column 2").numbers == [2.5, 3.5, 1.5]


def test_another_delimiter_can_be_named(table):
    assert table("a:b\n1:2\n3:4\n", delimiter=":").names == ["a", "b"]
    assert table("a\n1,5\n2,5\n", delimiter="semicolon").complete("a").numbers == [1.5, 2.5]
    for wrong in ("::", "", '"'):
        with pytest.raises(TableError, match="--delimiter is a character or one of tab"):
            table("a,b\n1,2\n", delimiter=wrong)


def test_single_quotes_around_cells_are_left_off(table):
    found = table("'a','b c'\n'x, y',1\n'z',2\n")
    assert (found.names, found["a"].cells) == (["a", "b c"], ["x, y", "z"])
    assert "single quotes" in found.notes[0]
    assert table("a,b\nit's,1\nthat's,2\n")["a"].cells == ["it's", "that's"]


def test_empty_cells_at_the_ends_of_lines_are_left_off(table):
    for content in (
        "a,b\n1,2,\n3,4,\n",
        "a,b,\n1,2,\n3,4,\n",
        "a,b\n1,2,,,\n3,4\n",
        "a,b,\n1,2\n3,4\n",
    ):
        found = table(content)
        assert (found.names, found.complete("b").numbers) == (["a", "b"], [2, 4])


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("My report\n\na,b,c\n1,2,3\n4,5,6\n", "line 3 has 3 cells, but the 2 lines .*--skip 2"),
        ("# title\na,b\n1,2\n4,5\n", "line 2 has 2 cells, but the line above .*say --skip 1"),
        ("a,b\n1,2,3\n4,5,6\n", "add the missing name to line 1"),
        ("a,b\n1,2\n1,2,3\n4,5\n", "line 3 has 3 cells, .* has 2: quote a cell with ','"),
        ("a,b\n1,2\n1\n4,5\n", "line 3 has 1 cell, but the first line has 2: add what is missing"),
        ('a,b\n1,"x"y\n', "line 2: text follows the closing quote"),
        ('a,b\n1,"x\ny"z\n', "line 3: text follows the closing quote"),
        ('a,b\n1,2\n1,"x\n2,3\n4,5\n', 'line 3: a quote \\("\\) opens here and is never closed'),
    ],
)  # fmt: skip
def test_lines_of_other_lengths_are_refused_with_a_remedy(content, complaint, table):
    with pytest.raises(TableError, match=complaint):
        table(content)


def test_what_stands_above_a_table_can_be_skipped(table):
    found = table("My report\n\na,b,c\n1,2,3\nx,5,6\n", skip=2)
    assert (found.names, found.lines) == (["a", "b", "c"], [4, 5])


def test_a_blank_line_is_a_row_only_where_rows_have_one_cell(table):
    assert table("a\n1\n\n2\n\n\n")["a"].cells == ["1", "", "2"]
    assert table("a,b\n1,1\n\n2,2\n\n").lines == [2, 4]
    assert table("a,b\n1,1\n,\n2,2\n")["a"].missing == [1]  # it has cells, though empty ones


def test_a_row_over_several_lines_has_the_number_of_the_first(table):
    found = table('a,b\n"x\ny",1\nz,\n')
    assert found.lines == [2, 4]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_byte_order_marks_and_gzip_compression_are_recognised(encoding, table):
    content = "颜色,b\n红,1\n蓝,2\n".encode(encoding)
    assert table(content)["颜色"].cells == ["红", "蓝"]
    assert table(gzip.compress(content))["颜色"].cells == ["红", "蓝"]


def test_a_damaged_compressed_file_is_an_error(table):
    for content in (b"\x1f\x8bxyz", gzip.compress(b"a,b\n1,2\n" * 99)[:-12]):
        with pytest.raises(TableError, match="damaged gzip file"):
            table(content)


# ------------------------------------------------------------------------------------------ headers


def floats(i, draw):
    return ",".join(f"{draw.random():.3f}" for _ in range(3))


def whole(i, draw):
    return f"{i % 7},{i % 5},{i % 3}"


@pytest.mark.parametrize(
    "first", ["0,1,2", "1,2,3", "2018,2019,2020", "400,410,420", "x,2019,2020"]
)
def test_numbers_that_count_or_are_years_or_evenly_spaced_are_names_above_other_numbers(
    first, table
):
    found = table(first + "\n" + rows(30, floats))
    assert found.names == first.split(",")
    assert len(found.lines) == 30
    assert first[0] == "x" or "first line has the names" in found.notes[0]


@pytest.mark.parametrize("first", ["0,1,2", "1,2,3"])
def test_numbers_that_may_be_names_or_data_are_refused_until_an_option_decides(first, table):
    content = first + "\n" + rows(30, whole)
    with pytest.raises(
        TableError, match=r"line 1 may have the names .*--header yes or --header no"
    ):
        table(content)
    assert len(table(content, header=True).lines) == 30
    assert len(table(content, header=False).lines) == 31


def test_whole_numbers_above_decimals_of_the_same_size_are_names(table):
    decimals = rows(30, lambda i, draw: ",".join(f"{draw.gauss(0, 3):.1f}" for _ in range(3)))
    assert table("0,1,2\n" + decimals + "2.0,1.0,0.0\n").names == ["0", "1", "2"]


@pytest.mark.parametrize("first", ["3,3,1", "5,1,2", "2.5,1,2", "0.1,0.7,0.3"])
def test_other_numbers_are_data(first, table):
    found = table(first + "\n" + rows(30, whole))
    assert found.names == ["column 1", "column 2", "column 3"]
    assert len(found.lines) == 31
    assert "first line is data" in found.notes[0]


def test_a_first_line_with_a_name_that_was_asked_for_is_a_header(table):
    content = "5,17,4\n" + rows(30, whole)
    assert table(content, known=["17"]).names == ["5", "17", "4"]
    assert table(content, known=["column 3"]).names[2] == "column 3"


def test_a_year_alone_above_numbers_is_refused(table):
    with pytest.raises(TableError, match="may have the names"):
        table("country,2019\nFrance,3.5\nSpain,4.5\n")


def test_words_that_all_occur_below_may_be_data(table):
    words = rows(30, lambda i, draw: f"{['red', 'blue'][i % 2]},{'pq'[i % 3 % 2]}")
    with pytest.raises(TableError, match="may have the names"):
        table(words)
    found = table("colour,y\n" + words)
    assert (found.names, len(found.lines)) == (["colour", "y"], 30)
    assert "first line has the names" in found.notes[0]
    assert len(table(words, header=False).lines) == 30


def test_a_missing_value_in_the_first_line_is_not_a_name(table):
    assert table("?,5\n1,6\n2,7\n").names == ["column 1", "column 2"]


def test_the_first_line_is_data_if_no_header_is_expected(table):
    assert len(table("red,x\nblue,y\n", unnamed=True).lines) == 2
    with pytest.raises(TableError, match="may have the names"):
        table("a,b\n1,2\n3,4\n", unnamed=True)


# ------------------------------------------------------------------------ columns that are left out


def test_row_numbers_are_left_out_under_any_name_and_in_any_order(table):
    order = random.Random(0).sample(range(40), 40)
    for name in ("rownames", "PassengerId", "idx", "x"):
        for start in (0, 1):
            for numbers in (range(40), order):
                content = f"{name},a,y\n" + "".join(f"{i + start},{i % 7},1\n" for i in numbers)
                assert left_out(table(content), "y") == {name: "numbers the rows"}


def test_identifiers_are_left_out_but_other_numbers_that_differ_are_not(table):
    for name, is_out in (
        ("customer_id", True),
        ("PassengerId", True),
        ("paid", False),
        ("x", False),
    ):
        content = f"{name},a,y\n" + "".join(f"{7 * i + 50},{i % 7},1\n" for i in range(40))
        assert bool(left_out(table(content), "y")) is is_out


def test_texts_that_all_differ_are_left_out_with_empty_and_constant_columns(table):
    content = "name,a,b,c,y\n" + "".join(f"n{i},{i % 7},,5,1\n" for i in range(40))
    assert left_out(table(content), "y") == {
        "name": "has 40 different texts, one in each row",
        "b": "is empty",
        "c": "is the same in every row",
    }


def test_possible_row_numbers_are_refused_until_an_option_decides(table):
    found = table("x,a,y\n" + "".join(f"{i + 500},{i % 7},1\n" for i in range(40)))
    with pytest.raises(TableError, match=r"'x' has each number from 500 to 539 once.*--keep 'x'"):
        left_out(found, "y")
    assert left_out(found, "y", kept=["x"]) == {}
    assert left_out(found, "y", ignored=["x"]) == {"x": "as asked"}
    years = table("x,a,y\n" + "".join(f"{i + 1960},{i % 7},1\n" for i in range(40)))
    assert left_out(years, "y") == {}


def test_columns_can_be_kept(table):
    found = table("id,name,y\n" + "".join(f"{i},n{i},1\n" for i in range(40)))
    assert left_out(found, "y", kept=["id", "name"]) == {}
    with pytest.raises(TableError, match="both name 'id'"):
        left_out(found, "y", ignored=["id"], kept=["id"])
    with pytest.raises(TableError, match="'y' is the target"):
        left_out(found, "y", ignored=["y"])
    with pytest.raises(TableError, match="no column 'z'"):
        left_out(found, "y", kept=["z"])


def test_all_columns_with_too_many_texts_are_named_at_once(table):
    content = "a,b,x,y\n" + "".join(f"t{i % 60},u{i % 70},{i % 7},1\n" for i in range(90))
    with pytest.raises(TableError, match=r"60 different texts.*--ignore 'a' --ignore 'b'"):
        Encoder.of(table(content), "y", ())


# ---------------------------------------------------------------------------- missing values, units

GAPS = "a,b,y\n1,x,0\n,x,0\n3,NA,0\n5,z,0\n"


def test_missing_values_are_filled_in_dropped_or_made_a_category(table):
    found = table(GAPS)
    filled = Encoder.of(found, "y", (), "fill")
    X = filled.encode(found)
    assert X[:, 1:].tolist() == [[1, 0], [1, 0], [1, 0], [0, 1]]  # x is the usual word
    # Numbers become the mean, which is 0 when they are scaled.
    assert filled.with_scale(X).standardized(X)[:, 0] == pytest.approx(
        np.array([-2, 0, 0, 2]) / np.sqrt(8 / 3)
    )

    apart = Encoder.of(found, "y", (), "category")
    X = apart.encode(found)
    assert apart.words == [[], ["", "x", "z"]]
    assert X[:, 1].tolist() == [0, 1, 0, 0]
    assert X[:, 2:].tolist() == [[0, 1, 0], [0, 1, 0], [1, 0, 0], [0, 0, 1]]
    assert not np.isnan(apart.with_scale(X).standardized(X)).any()

    dropped = Encoder.of(found, "y", (), "drop")
    X = dropped.encode(found)
    assert np.isnan(dropped.with_scale(X).standardized(X)).any(axis=1).tolist() == [
        False,
        True,
        True,
        False,
    ]


def test_numbers_are_scaled_and_zeros_and_ones_are_not(table):
    found = table(GAPS)
    columns = Encoder.of(found, "y", (), "category")
    scaled = columns.with_scale(columns.encode(found))
    assert scaled.middle.tolist() == [3, 0, 0, 0, 0]
    assert scaled.scale.tolist() == pytest.approx([math.sqrt(8 / 3), 1, 1, 1, 1])


def test_a_missing_value_is_an_error_by_default(table):
    found = table(GAPS)
    with pytest.raises(TableError, match=r"line 3, column 'a': the value is missing \(''\)"):
        Encoder.of(found, "y", ()).encode(found)


@pytest.mark.parametrize("token", ["", "NA", "N/A", "nan", "null", "?", "-", ".", "#N/A"])
def test_these_texts_stand_for_a_missing_value(token, table):
    found = table(f"a,b\n1,x\n{token},y\n3,x\n")
    assert found["a"].missing == [1]
    assert math.isnan(found["a"].numbers[1])


def test_a_number_comes_in_the_unit_of_training(table):
    columns = Encoder.of(table("a,y\n5%,1\n7%,2\n"), "y", ())
    assert columns.encode(table("a\n6%\n")).tolist() == [[6]]
    for cell in ("0.06", "$6"):
        with pytest.raises(TableError, match=r"line 2, column 'a': .* trained on numbers with '%'"):
            columns.encode(table(f"a\n{cell}\n"))


def test_whole_numbers_too_large_for_floats_are_different_classes(table):
    found = table(f"a,y\n1,{2**53}\n2,{2**53 + 1}\n")
    places, classes = labels(found["y"], range(2))
    assert (places.tolist(), classes) == ([0, 1], [str(2**53), str(2**53 + 1)])


def test_classes_that_are_codes_differ_though_their_numbers_are_the_same(table):
    found = table("a,y\n1,01\n2,1\n3,2\n")
    assert labels(found["y"], range(3))[1] == ["01", "1", "2"]
    found = table("a,y\n1,1.0\n2,1\n3,2\n")
    assert labels(found["y"], range(3))[1] == ["1.0", "2"]


def test_columns_that_have_no_names_are_taken_by_position_only_if_that_is_clear(table):
    learned = table("id,a,b,y\n" + "".join(f"{i + 1},{i % 7},{i % 5},{i % 2}\n" for i in range(40)))
    columns = Encoder.of(learned, "y", left_out(learned, "y"))
    assert columns.names == ["a", "b"]
    assert columns.matched(table("6.5,5\n2,4\n")).complete("b").numbers == [5, 4]
    found = columns.matched(table("9,6.5,5,1\n7,2,4,0\n"))
    assert found.complete("a").numbers == [6.5, 2]
    assert "by position: 'id', 'a', 'b', 'y'" in found.notes[-1]
    with pytest.raises(TableError, match="'a', 'b', 'y' or 'id', 'a', 'b': give the columns their"):
        columns.matched(table("9,6.5,5\n7,2,4\n"))
    with pytest.raises(TableError, match="has 5 columns that are taken by position"):
        columns.matched(table("9,6.5,5,1,1\n7,2,4,0,0\n"))


def test_a_restored_encoder_encodes_the_same_and_an_odd_one_is_refused(table):
    found = table(GAPS)
    columns = Encoder.of(found, "y", (), "category")
    columns = columns.with_scale(columns.encode(found))
    state = columns._asdict()
    restored = Encoder.restored(state).encode(found)
    assert np.array_equal(restored, columns.encode(found), equal_nan=True)
    older = {key: state[key] for key in ("names", "words", "target", "all")}
    older.update(words=[[], ["x", "z"]], middle=np.zeros(3), scale=np.ones(3))
    assert Encoder.restored(older).missing == "error"
    for change in (
        {"words": [[], {"x": 1}]}, {"names": "ab"}, {"names": ["a", "a"]}, {"target": 3},
        {"units": ["", 3]}, {"flagged": [1, 0]}, {"missing": "maybe"}, {"usual": ["", "w"]},
        {"scale": np.zeros(2)}, {"middle": np.full(5, np.nan)}, {"all": ["a"]},
    ):  # fmt: skip
        with pytest.raises(ValueError, match="its columns"):
            Encoder.restored({**state, **change})
