"""Data: bundled sets, and tables of the user's that are clean, dirty or broken."""

import datetime as dt
import decimal
import hashlib
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from descend.data import list_datasets, load_dataset, read_dataset
from descend.errors import DataError, UnknownNameError

N = 40
PLAIN = ["a,b,y"] + [f"{i * 1.5},{'xz'[i % 2]},{i % 3}" for i in range(N)]


def write(tmp_path, content, name="t.csv"):
    path = tmp_path / name
    content = "\n".join(content) + "\n" if isinstance(content, list) else content
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def table(header, row, n=N):
    return [header] + [row(i) for i in range(n)]


def parquet(tmp_path, **columns):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table(columns), path)
    return path


def read(tmp_path, content, target="y", **options):
    data = read_dataset(write(tmp_path, content), target, **options)
    assert_ready(data)
    return data


def assert_ready(data):
    kind = np.int64 if data.task == "classification" else np.float64
    for X, y in ((data.X, data.y), (data.X_test, data.y_test)):
        assert X.dtype == np.float64
        assert X.flags.c_contiguous
        assert np.isfinite(X).all()
        assert X.shape == (len(y), len(data.feature_names))
        assert len(y) > 0
        assert y.dtype == kind
        assert np.isfinite(y).all()
    assert bool(data.classes) == (data.task == "classification")
    assert all(note.endswith(".") for note in data.notes)


def refused(tmp_path, content, *parts, target="y", **options):
    path = write(tmp_path, content)
    with pytest.raises(DataError) as caught:
        read_dataset(path, target, **options)
    message = str(caught.value)
    for part in parts:
        assert part in message, message
    assert "\n" not in message
    return message


def said(data, *parts):
    assert any(all(part in note for part in parts) for note in data.notes), data.notes


# ------------------------------------------------------------------ bundled sets


@pytest.mark.parametrize(
    ("name", "rows", "features", "classes"),
    [
        ("breast_cancer", 569, 30, 2),
        ("diabetes", 442, 10, 0),
        ("digits", 1797, 64, 10),
        ("wine", 178, 13, 3),
    ],
)
def test_bundled_sets_are_split_and_standardised(name, rows, features, classes):
    data = load_dataset(name)
    assert_ready(data)
    assert len(data.y) + len(data.y_test) == rows
    assert len(data.y_test) == pytest.approx(0.2 * rows, abs=1)
    assert data.X.shape[1] == features
    assert len(data.classes) == classes
    # rounding of a mean of at most 1437 values of size 1
    np.testing.assert_allclose(data.X.mean(axis=0), 0, atol=1e-12)
    varies = np.ptp(data.X, axis=0) > 0
    np.testing.assert_allclose(data.X[:, varies].std(axis=0), 1, rtol=1e-12)
    assert not data.X_test[:, ~varies].any()


def test_bundled_names_are_sorted_and_an_unknown_one_finds_its_neighbour():
    assert list_datasets() == ["breast_cancer", "diabetes", "digits", "wine"]
    with pytest.raises(
        UnknownNameError, match=r"no dataset is called 'digit'\. Did you mean 'digits'"
    ):
        load_dataset("digit")


def test_a_seed_gives_the_same_bytes_and_another_seed_other_rows():
    first, same, other = (load_dataset("wine", seed=seed) for seed in (3, 3, 4))
    assert first.X.tobytes() == same.X.tobytes()
    assert first.y_test.tobytes() == same.y_test.tobytes()
    assert first.X.tobytes() != other.X.tobytes()
    assert first.sha256 == other.sha256


def test_bundled_classes_keep_their_proportions_in_the_test_rows():
    data = load_dataset("digits")
    shares = np.bincount(data.y) / len(data.y)
    # each class is rounded to whole rows of 360
    np.testing.assert_allclose(np.bincount(data.y_test) / len(data.y_test), shares, atol=1 / 360)


@pytest.mark.parametrize("fraction", [0, 1, -0.5, float("nan"), "half"])
def test_the_test_fraction_lies_between_0_and_1(fraction):
    with pytest.raises(DataError, match="test_fraction of load_dataset must be"):
        load_dataset("wine", test_fraction=fraction)


@pytest.mark.parametrize("seed", [-1, 0.5, True, None])
def test_the_seed_is_a_whole_number(seed):
    with pytest.raises(DataError, match="seed of load_dataset must be"):
        load_dataset("wine", seed=seed)


def test_importing_data_wakes_neither_pyarrow_nor_scikit_learn():
    code = "import sys, descend.data; print({'pyarrow', 'sklearn'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


# ------------------------------------------------------------------ tables that work


def test_numbers_are_standardised_and_text_is_one_hot(tmp_path):
    data = read(tmp_path, PLAIN)
    assert data.feature_names == ("a", "b=x", "b=z")
    assert data.classes == ("0", "1", "2")
    assert data.X.shape == (32, 3)
    assert data.X[:, 0].mean() == pytest.approx(0, abs=1e-14)
    assert data.X[:, 0].std() == pytest.approx(1, rel=1e-14)
    assert np.array_equal(data.X[:, 1], 1 - data.X[:, 2])
    assert data.sha256 == hashlib.sha256(("\n".join(PLAIN) + "\n").encode()).hexdigest()
    said(data, "column 'b': 2 categories, one-hot encoded.")


def test_statistics_come_from_the_training_rows_alone(tmp_path):
    # which rows are test rows depends on the seed alone, so they can be spoiled afterwards
    rows = [[f"{i}", f"{i * i % 11}", f"c{i % 3}", "5", f"{i * 0.7}"] for i in range(N)]
    clean = read(tmp_path, ["a,b,c,k,y"] + [",".join(row) for row in rows])
    targets = np.array([float(row[-1]) for row in rows])
    mean, scale = (float(word) for word in _after(clean, "with mean ", " and scale ", " of the"))
    is_test = [np.isclose(t, clean.y_test * scale + mean, atol=1e-3).any() for t in targets]
    assert sum(is_test) == len(clean.y_test) == 8
    for row, spoil in zip(rows, is_test, strict=True):
        if spoil:
            row[:4] = ["1e6", "", "unseen", "6"]
    spoiled = read(tmp_path, ["a,b,c,k,y"] + [",".join(row) for row in rows])
    assert spoiled.X.tobytes() == clean.X.tobytes()
    assert spoiled.feature_names == clean.feature_names
    assert not spoiled.X_test[:, 2:].any()  # an unseen category has no feature
    assert (spoiled.X_test[:, 0] > 1000).all()


def _after(data, first, second, end):
    note = data.notes[-1]
    one, rest = note.split(first)[1].split(second)
    return one, rest.split(end)[0]


def test_missing_numbers_get_the_training_median(tmp_path):
    words = ["", "NA", "nan", "NULL", "?", "None", "-"]
    data = read(
        tmp_path,
        table("a,y", lambda i: f"{words[i // 5] if i % 5 == 0 and i < 35 else i},{i * 1.1}"),
    )
    said(data, "1 numeric column: 7 missing values filled with the training median")
    values, counts = np.unique(data.X[:, 0], return_counts=True)
    assert counts.max() >= 4  # the filled ones agree
    assert values[counts.argmax()] == pytest.approx(np.median(data.X), abs=1e-12)


def test_a_missing_category_is_a_category(tmp_path):
    data = read(tmp_path, table("c,y", lambda i: f"{['u', 'v', ''][i % 3]},{i * 1.1}"))
    assert data.feature_names == ("c=u", "c=v", "c=(missing)")
    said(data, "column 'c'", "missing values are a category of their own: 13")


def test_rare_categories_share_a_feature(tmp_path):
    data = read(tmp_path, table("c,y", lambda i: f"{'uv'[i % 2] if i < 30 else f'r{i}'},{i * 1.1}"))
    assert data.feature_names == ("c=u", "c=v", "c=(rare)")
    assert (data.X.sum(axis=1) == 1).all()
    said(data, "rare categories (< 2 of 32 training rows) merged")


def test_many_categories_are_capped(tmp_path):
    data = read(tmp_path, table("c,y", lambda i: f"c{i % 70},{i * 1.1}", 1400))
    assert len(data.feature_names) == 50
    said(data, "70 categories", "past the 49 most frequent", "merged: 21")


def test_booleans_are_0_and_1(tmp_path):
    data = read(
        tmp_path, table("f,y", lambda i: f"{['true', 'FALSE', 'True', ''][i % 4]},{i * 1.1}")
    )
    assert set(data.X.ravel()) == {0.0, 1.0}
    said(data, "1 boolean column: 10 missing values filled with the training most frequent value")


@pytest.mark.parametrize(
    "form", ["2020-01-{:02}", "2020-01-{:02} 10:30", "2020-01-{:02}T10:30:00Z"]
)
def test_dates_become_days(tmp_path, form):
    data = read(tmp_path, table("d,y", lambda i: f"{form.format(i % 28 + 1)},{i * 1.1}"))
    said(data, "column 'd': dates turned into days since 1970-01-01.")
    assert data.feature_names == ("d",)


def test_infinite_values_count_as_missing(tmp_path):
    data = read(
        tmp_path, table("a,y", lambda i: f"{['inf', '-Infinity'][i] if i < 2 else i},{i * 1.1}")
    )
    said(data, "column 'a': infinite values taken as missing: 2.")
    said(data, "2 missing values filled")


def test_columns_that_tell_nothing_are_dropped_with_a_reason(tmp_path):
    data = read(
        tmp_path, table("id,u,k,t,a,y", lambda i: f"{i},user{i},7,same,{i * i % 7},{i * 1.1}")
    )
    assert data.feature_names == ("a",)
    said(data, "dropped column 'id': it numbers the rows.")
    said(data, "dropped column 'u': every value is different text.")
    said(data, "dropped constant column 'k'.")
    said(data, "dropped constant column 't'.")


def test_rows_without_a_target_are_dropped(tmp_path):
    data = read(tmp_path, table("a,y", lambda i: f"{i},{'' if i % 10 == 0 else 'uv'[i % 2]}"))
    assert len(data.y) + len(data.y_test) == 36
    said(data, "dropped 4 rows without a target.")


def test_none_as_text_is_a_value_and_not_a_hole(tmp_path):
    data = read(tmp_path, table("a,y", lambda i: f"{i},{['none', 'mild'][i % 2]}"))
    assert data.classes == ("mild", "none")


@pytest.mark.parametrize(
    ("value", "task", "reason"),
    [
        (lambda i: "uv"[i % 2], "classification", "its values are text"),
        (lambda i: i % 2 == 0, "classification", "its values are boolean"),
        (lambda i: i % 5, "classification", "it has only 5 distinct integers"),
        (lambda i: i % 30, "regression", "its 30 distinct values are quantities"),
        (lambda i: i % 5 / 2, "regression", "its 5 distinct values are quantities"),
    ],
)
def test_the_task_follows_from_the_target_and_the_reason_is_given(tmp_path, value, task, reason):
    data = read(tmp_path, table("a,y", lambda i: f"{i},{value(i)}"))
    assert data.task == task
    said(data, f"target 'y': {task} ({reason}).")


def test_the_task_can_be_asked_for(tmp_path):
    data = read(tmp_path, PLAIN, task="regression")
    assert data.task == "regression"
    said(data, "asked for, where the values suggest classification")
    data = read(tmp_path, table("a,y", lambda i: f"{i},{i % 2 / 2}"), task="classification")
    assert data.classes == ("0", "0.5")
    refused(tmp_path, PLAIN, "task of read_dataset", task="ranking")
    refused(tmp_path, PLAIN, "must hold numbers for a regression", target="b", task="regression")


def test_a_quantity_is_standardised_and_the_note_gives_its_units(tmp_path):
    data = read(tmp_path, table("a,y", lambda i: f"{i},{1000 + i * 1.1}"))
    assert data.y.mean() == pytest.approx(0, abs=1e-12)
    assert data.y.std() == pytest.approx(1, rel=1e-12)
    mean, scale = (float(word) for word in _after(data, "with mean ", " and scale ", " of the"))
    back = data.y_test * scale + mean  # the note has six digits
    steps = (back - 1000) / 1.1
    np.testing.assert_allclose(steps, np.rint(steps), atol=0.05)


@pytest.mark.parametrize(
    ("separator", "word"), [(";", "semicolons"), ("\t", "tabs"), ("|", "vertical bars")]
)
def test_other_separators_are_found(tmp_path, separator, word):
    data = read(tmp_path, "\n".join(PLAIN).replace(",", separator))
    np.testing.assert_array_equal(data.X, read(tmp_path, PLAIN).X)
    said(data, f"columns of the file are separated by {word}.")


def test_commas_are_decimal_points_between_semicolons(tmp_path):
    data = read(tmp_path, "\n".join(PLAIN).replace(",", ";").replace(".", ","))
    np.testing.assert_array_equal(data.X, read(tmp_path, PLAIN).X)
    said(data, "column 'a': commas are read as decimal points.")


def test_commas_are_thousands_separators_within_quotes(tmp_path):
    data = read(tmp_path, table("a,y", lambda i: f'"{1000 * i:,}.5",{i * 1.1}'))
    plain = read(tmp_path, table("a,y", lambda i: f"{1000 * i}.5,{i * 1.1}"))
    np.testing.assert_array_equal(data.X, plain.X)


@pytest.mark.parametrize(
    "disguise",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "\r"),
        lambda text: "\ufeff" + text,
        lambda text: text.replace(",", " , "),
        lambda text: text.replace("\n", "\n\n"),
        lambda text: '"' + text.replace(",", '","').replace("\n", '"\n"') + '"',
        lambda text: text + "\n",
    ],
    ids=[
        "windows",
        "old mac",
        "byte order mark",
        "spaces",
        "blank lines",
        "quotes",
        "last line end",
    ],
)
def test_the_same_table_in_other_clothes_reads_the_same(tmp_path, disguise):
    expected = read(tmp_path, PLAIN)
    data = read(tmp_path, disguise("\n".join(PLAIN)))
    np.testing.assert_array_equal(data.X, expected.X)
    np.testing.assert_array_equal(data.y, expected.y)
    assert data.feature_names == expected.feature_names


def test_odd_names_of_columns_are_kept(tmp_path):
    data = read(tmp_path, ["<b>a & b</b>,größe in m,y", *PLAIN[1:]], target=" y ")
    assert data.feature_names == ("<b>a & b</b>", "größe in m=x", "größe in m=z")


def test_an_unnamed_row_number_is_dropped(tmp_path):
    data = read(tmp_path, table(",a,y", lambda i: f"{i},{i * i % 7},{i % 3}"))
    assert data.feature_names == ("a",)
    said(data, "column 1 has no name and is called 'column 1'.")


def test_quotes_may_hold_line_ends_and_stand_within_text(tmp_path):
    data = read(tmp_path, table("a,b,y", lambda i: f'{i},"u\n{i % 2}",{i % 3}'))
    assert data.feature_names == ("a", "b=u\n0", "b=u\n1")
    read(tmp_path, table("a,b,y", lambda i: f'{i},{i % 2}" pipe,{i % 3}', 39))


def test_a_class_of_one_row_stays_in_training(tmp_path):
    data = read(tmp_path, table("a,y", lambda i: f"{i},{'abcde'[i] if i < 5 else 'uv'[i % 2]}"))
    assert data.classes == ("a", "b", "c", "d", "e", "u", "v")
    assert set(data.y_test) == {5, 6}
    assert set(data.y) == set(range(7))
    said(data, "classes of a single row (5 of them)")


@pytest.mark.parametrize("fraction", [0.001, 0.2, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("classes", ["ab", "abcde", "aaaaaaaaab", "aaaaaaaabb"])
def test_every_class_has_training_rows_in_the_smallest_table(tmp_path, fraction, classes):
    data = read(
        tmp_path, table("a,y", lambda i: f"{i},{(classes * 5)[i]}", 10), test_fraction=fraction
    )
    assert set(data.y) == set(range(len(data.classes)))


def test_the_seed_draws_the_test_rows(tmp_path):
    first, same, other = (read(tmp_path, PLAIN, seed=seed) for seed in (0, 0, 2**40))
    assert first.X.tobytes() == same.X.tobytes()
    assert first.X.tobytes() != other.X.tobytes()


def test_large_and_tiny_numbers_stay_finite(tmp_path):
    data = read(
        tmp_path, table("a,b,c,y", lambda i: f"{i * 1e90},{i * 1e-90},{i * 1e-300},{i % 3}")
    )
    assert data.feature_names == ("a", "b")
    said(data, "dropped column 'c': it varies less than float64 can tell.")


# ------------------------------------------------------------------ tables that do not


def test_files_that_are_no_tables_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"nothing\.csv must be a readable file; got 'no such file"):
        read_dataset(tmp_path / "nothing.csv", "y")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(DataError, match=r"folder\.csv must be a file; got a directory"):
        read_dataset(tmp_path / "folder.csv", "y")
    for name in ("t.xlsx", "t", "t.csv.gz"):
        with pytest.raises(DataError, match=rf"must be a \.csv or \.parquet file; got .*{name}\."):
            read_dataset(write(tmp_path, PLAIN, name), "y")


@pytest.mark.parametrize("content", ["", "\n\n", "\ufeff", "\ufeff\r\n"])
def test_an_empty_file_is_refused(tmp_path, content):
    refused(tmp_path, content, "t.csv", "an empty file")


@pytest.mark.parametrize("content", ["a,b,y", "a,b,y\n", "hello", "a;b;y\r\n"])
def test_a_header_alone_is_refused(tmp_path, content):
    refused(tmp_path, content, "t.csv", "must hold rows below its column names; got none")


@pytest.mark.parametrize(("row", "got"), [("1,2", 2), ("1,x,2,3", 4), ("1", 1)])
def test_a_ragged_row_is_named(tmp_path, row, got):
    content = [*PLAIN, row, *PLAIN[1:]]
    refused(
        tmp_path, content, "row 41 (line 42) of ", "t.csv", f"3 columns like the header; got {got}"
    )


def test_a_ragged_row_is_counted_past_blank_lines_and_cells_of_several_lines(tmp_path):
    refused(tmp_path, ["a,b,y", "", '1,"u', 'v",2', "", "1,2"], "row 2 (line 6)")


@pytest.mark.parametrize(
    "tail",
    [
        ['1,"x,2'],
        ['1,x,"2'],
        ['1,"x,2', *PLAIN[1:]],
        ['1,x,"2', *PLAIN[1:]],
        ['1,"x,2', *PLAIN[1:], '1,"x,2'],
    ],
)
def test_an_open_quote_is_found_where_it_opens(tmp_path, tail):
    refused(tmp_path, [*PLAIN, *tail], "row 41 (line 42) of ", "must close each quote")


def test_an_open_quote_at_the_very_end_is_found(tmp_path):
    refused(
        tmp_path, "\n".join([*PLAIN, '1,x,"2']), "row 41 (line 42) of ", "must close each quote"
    )


def test_an_open_quote_in_the_header_is_found(tmp_path):
    refused(tmp_path, ['a,"b,y', *PLAIN[1:]], "the header (line 1) of", "must close each quote")


def test_bytes_that_are_no_text_are_found(tmp_path):
    text = "\n".join(PLAIN).encode()
    refused(tmp_path, text + "\n1,é,2".encode("latin-1"), "row 41 (line 42)", "UTF-8", "0xe9")
    refused(tmp_path, text + b"\n1,\0,2", "row 41 (line 42)", "a NUL byte")
    refused(tmp_path, "\n".join(PLAIN).encode("utf-16"), "got UTF-16")


@pytest.mark.parametrize("header", ["a,a,y", "a, a ,y", "b,y,y"])
def test_equal_names_are_refused(tmp_path, header):
    refused(tmp_path, [header, *PLAIN[1:]], "column names of", "must be distinct", "2 times")


def test_an_unknown_target_finds_its_neighbour(tmp_path):
    path = write(tmp_path, ["alpha,beta,y", *PLAIN[1:]])
    with pytest.raises(
        UnknownNameError, match=r"no column is called 'alpa'\. Did you mean 'alpha'"
    ):
        read_dataset(path, "alpa")
    with pytest.raises(DataError, match="target of read_dataset must be the name"):
        read_dataset(path, None)


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        (table("a,b,y", lambda i: f"{i},,{i % 3}"), ["column 'b'", "must hold values"]),
        (table("a,b,y", lambda i: f"{i},NaN,{i % 3}"), ["column 'b'", "must hold values"]),
        (table("a,y,", lambda i: f"{i * i},{i % 3},"), ["column 'column 3'", "must hold values"]),
        (table("a,y", lambda i: f"{i},"), ["column 'y'", "must hold values"]),
        (table("a,y", lambda i: f"{i},3.5"), ["target 'y'", "must vary; got the constant 3.5"]),
        (table("a,y", lambda i: f"{i},cat"), ["one class only, 'cat'"]),
        (table("a,y", lambda i: f"{i},1"), ["one class only, '1'"]),
        (table("a,y", lambda i: f"{i},name{i}"), ["40 classes in 40 rows"]),
        (table("a,y", lambda i: f"{i},{i * 1.1}", 9), ["at least 10 rows", "got 9"]),
        (table("a,y", lambda i: f"{i},{i if i < 9 else ''}"), ["at least 10 rows", "got 9"]),
        (table("y", lambda i: f"{i % 3}"), ["besides the target 'y'; got no other column"]),
        (
            table("id,u,y", lambda i: f"{i},u{i},{i % 3}"),
            ["got dropped column 'id'", "different text"],
        ),
        (
            table("a,y", lambda i: f"{'1e308' if i == 7 else i},{i % 3}"),
            ["column 'a'", "row 8 (line 9)", "1e+308"],
        ),
        (
            table("a,y", lambda i: f"{i},{'-2e200' if i == 7 else i / 2}"),
            ["column 'y'", "row 8 (line 9)"],
        ),
        (
            table("a,y", lambda i: f"{i},{10**18 + 300 * i}"),
            ["target 'y'", "must vary in the training rows"],
        ),
        (
            table("a,y", lambda i: f"{i},{'bad' if i == 7 else i / 2}"),
            ["column 'y'", "'bad' in row 8"],
        ),
    ],
)
def test_what_cannot_be_learned_from_ends_in_one_sentence(tmp_path, content, parts):
    refused(tmp_path, content, "t.csv", *parts)


def test_text_late_in_a_column_of_numbers_is_named(tmp_path):
    # far behind the first block, from which readers like to infer types
    content = table("a,y", lambda i: f"{'oops' if i == 49_999 else i / 2},{i % 3}", 60_000)
    refused(tmp_path, content, "column 'a'", "'oops' in row 50000 (line 50001)")
    refused(
        tmp_path,
        table("a,y", lambda i: f"{'q' * 300 if i == 30 else i},{i % 3}"),
        "qqq...' in row 31",
    )


def test_text_among_few_numbers_makes_them_categories_with_a_note(tmp_path):
    data = read(tmp_path, table("a,y", lambda i: f"{'3b' if i % 7 == 6 else i % 3},{i * 1.1}"))
    assert data.feature_names == ("a=0", "a=1", "a=2", "a=3b")
    said(data, "column 'a': taken as text", "'3b' in row 7 (line 8)")


def test_damaged_text_never_ends_in_anything_but_a_sentence(tmp_path):
    rng = np.random.default_rng(0)
    whole = ("\n".join(PLAIN[:15]) + "\n").encode()
    outcomes = set()
    for _ in range(100):
        damaged = bytearray(whole)
        for _ in range(rng.integers(1, 4)):
            damaged[rng.integers(len(damaged))] = rng.choice(list(b'",;\n\r\t\0 a-1e.|\xff\xef'))
        path = write(tmp_path, bytes(damaged))
        try:
            assert_ready(read_dataset(path, "y"))
            outcomes.add("read")
        except (DataError, UnknownNameError):
            outcomes.add("refused")
    assert outcomes == {"read", "refused"}


# ------------------------------------------------------------------ Parquet


def test_every_flat_type_of_parquet_is_read(tmp_path):
    day, hour = dt.date(2020, 1, 1), dt.datetime(2020, 1, 1)
    columns = {
        "i": pa.array([i * i % 17 for i in range(N)], pa.int8()),
        "f": pa.array([None if i % 7 == 0 else i * 0.5 for i in range(N)]),
        "h": pa.array(np.arange(N, dtype=np.float16)),
        "m": pa.array([decimal.Decimal(i) / 4 for i in range(N)]),
        "day": pa.array([day + dt.timedelta(i) for i in range(N)]),
        "stamp": pa.array([hour + dt.timedelta(hours=i) for i in range(N)]),
        "time": pa.array([dt.time(i % 24) for i in range(N)]),
        "span": pa.array([dt.timedelta(i) for i in range(N)]),
        "flag": pa.array([i % 2 == 0 for i in range(N)]),
        "s": pa.array(["uv"[i % 2] for i in range(N)]).dictionary_encode(),
        "bytes": pa.array([[b"p", b"q"][i % 2] for i in range(N)]),
        "y": pa.array(["k", "l"] * (N // 2), pa.large_string()),
    }
    data = read_dataset(parquet(tmp_path, **columns), "y")
    assert_ready(data)
    assert data.feature_names == (
        *("i", "f", "h", "m", "day", "stamp", "time", "span", "flag"),
        *("s=u", "s=v", "bytes=p", "bytes=q"),
    )
    said(data, "8 numeric columns: 6 missing values filled")


def test_parquet_and_csv_of_the_same_table_agree(tmp_path):
    columns = {
        "a": [i * 1.5 for i in range(N)],
        "b": ["xz"[i % 2] for i in range(N)],
        "y": [i % 3 for i in range(N)],
    }
    data = read_dataset(parquet(tmp_path, **columns), "y")
    expected = read(tmp_path, PLAIN)
    np.testing.assert_array_equal(data.X, expected.X)
    np.testing.assert_array_equal(data.y_test, expected.y_test)
    assert data.notes == expected.notes


def test_nan_and_null_are_both_missing_in_parquet(tmp_path):
    a = pa.array(
        [None if i % 4 == 0 else float("nan") if i % 4 == 1 else float(i) for i in range(N)]
    )
    data = read_dataset(parquet(tmp_path, a=a, y=list(range(N))), "y")
    said(data, "20 missing values filled")


@pytest.mark.parametrize(
    ("columns", "parts"),
    [
        ({"a": pa.array([[1, 2]] * N)}, ["column 'a'", "nested type list"]),
        ({"a": pa.array([{"q": 1}] * N)}, ["column 'a'", "nested type struct"]),
        ({"a": pa.nulls(N)}, ["column 'a'", "must hold values"]),
        ({"a": pa.array([b"\xff%d" % i for i in range(N)])}, ["column 'a'", "got binary"]),
        ({"a": pa.array([1.0, 1e308] * (N // 2))}, ["column 'a'", "1e+308 in row 2"]),
    ],
)
def test_columns_of_parquet_that_cannot_be_used_are_named(tmp_path, columns, parts):
    path = parquet(tmp_path, **columns, y=list(range(N)))
    with pytest.raises(DataError) as caught:
        read_dataset(path, "y")
    assert all(part in str(caught.value) for part in ("t.parquet", *parts)), caught.value


def test_parquet_without_rows_or_with_equal_names_is_refused(tmp_path):
    none = pa.array([], pa.int64())
    with pytest.raises(DataError, match=r"t\.parquet must hold rows"):
        read_dataset(parquet(tmp_path, a=none, y=none), "y")
    twice = pa.Table.from_arrays([pa.array(range(N))] * 3, names=["a", "a", "y"])
    pq.write_table(twice, tmp_path / "t.parquet")
    with pytest.raises(DataError, match=r"column names of .*t\.parquet must be distinct"):
        read_dataset(tmp_path / "t.parquet", "y")


def test_broken_parquet_is_refused_by_name(tmp_path):
    whole = parquet(tmp_path, a=[i * 1.5 for i in range(N)], y=list(range(N))).read_bytes()
    for content in (b"", whole[:-40], whole[:100], b"a,y\n1,2\n", b"PAR1" + whole[100:]):
        path = write(tmp_path, content, "broken.parquet")
        with pytest.raises(DataError, match=r"broken\.parquet must be"):
            read_dataset(path, "y")
    refused(tmp_path, whole, "t.csv")


def test_damaged_parquet_never_ends_in_anything_but_a_sentence(tmp_path):
    rng = np.random.default_rng(0)
    columns = {
        "a": [i * 1.5 for i in range(N)],
        "b": ["xz"[i % 2] for i in range(N)],
        "y": list(range(N)),
    }
    whole = parquet(tmp_path, **columns).read_bytes()
    for _ in range(60):
        damaged = bytearray(whole)
        damaged[rng.integers(len(damaged))] = rng.integers(256)
        path = write(tmp_path, bytes(damaged), "damaged.parquet")
        try:
            assert_ready(read_dataset(path, "y"))
        except (DataError, UnknownNameError):
            continue
