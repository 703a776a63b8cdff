from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from agentsynth.data.inference import infer_schema
from agentsynth.data.reading import read_table, write_table
from agentsynth.data.schema import NumberText
from agentsynth.errors import InputError


def written(folder: Path, text: str | bytes, name: str = "table.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_csv(tmp_path: Path) -> None:
    frame = read_table(written(tmp_path, 'a,b,c\n1,0.1,x\n2,,"y, z"\n'))
    expected = pd.DataFrame({"a": [1, 2], "b": [0.1, np.nan], "c": ["x", "y, z"]})
    pd.testing.assert_frame_equal(frame, expected)


def test_leading_zeros_stay_text(tmp_path: Path) -> None:
    frame = read_table(written(tmp_path, "zip,n\n00501,1\n90210,2\n"))
    assert frame["zip"].tolist() == ["00501", "90210"]
    assert frame["n"].tolist() == [1, 2]


def test_zero_and_decimals_are_numbers(tmp_path: Path) -> None:
    frame = read_table(written(tmp_path, "a,b\n0,0.5\n10,-0.25\n"))
    assert frame["a"].dtype == np.int64
    assert frame["b"].tolist() == [0.5, -0.25]


def test_byte_order_mark_is_no_part_of_the_name(tmp_path: Path) -> None:
    assert list(read_table(written(tmp_path, b"\xef\xbb\xbfa,b\n1,2\n")).columns) == ["a", "b"]


def test_blank_lines_and_quoted_line_breaks(tmp_path: Path) -> None:
    frame = read_table(written(tmp_path, 'a,b\n\n1,"x\ny"\n\n2,z\n'))
    assert frame["b"].tolist() == ["x\ny", "z"]


def test_numbers_are_read_to_the_last_digit(tmp_path: Path) -> None:
    text = "0.30000000000000004"
    assert read_table(written(tmp_path, f"a,b\n{text},1\n0.1,2\n"))["a"][0] == float(text)


def test_gzip(tmp_path: Path) -> None:
    path = written(tmp_path, gzip.compress(b"a,b\n1,2\n"), "table.csv.gz")
    assert read_table(path).to_dict("list") == {"a": [1], "b": [2]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("\n\n", "has no header"),
        ("a,b\n", "2 columns and no rows"),
        ("a,a\n1,2\n", "'a' occurs more than once"),
        ("a,\n1,2\n", "column 2 has no name"),
        ("a,b\n1,2\n3\n", "line 3: 1 fields, but the header has 2"),
        ("a,b\n1,2,3\n", "line 2: 3 fields, but the header has 2"),
        ("a;b\n1;2\n", "separated by semicolons"),
        ("a\tb\n1\t2\n", "separated by tabs"),
        (b"a,b\n\xe9,2\n", "not UTF-8"),
    ],
)
def test_what_is_wrong_with_a_csv_file(tmp_path: Path, content: str | bytes, message: str) -> None:
    path = written(tmp_path, content)
    with pytest.raises(InputError, match=message) as caught:
        read_table(path)
    assert "table.csv" in str(caught.value)


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no file"):
        read_table(tmp_path / "nothing.csv")


def test_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder"):
        read_table(tmp_path)


def test_unknown_ending(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"ends in '\.xlsx'"):
        read_table(written(tmp_path, "a", "table.xlsx"))
    with pytest.raises(InputError, match=r"ends in '\.xlsx'"):
        write_table(pd.DataFrame({"a": [1]}), tmp_path / "table.xlsx")


@pytest.mark.parametrize("name", ["table.parquet", "table.csv.gz"])
def test_damaged_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="cannot be read as"):
        read_table(written(tmp_path, "nonsense", name))


def test_parquet_keeps_dtypes(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "c": pd.Categorical(["x", "y", "x"], ["y", "x"], ordered=True),
            "i": pd.array([1, None, 3], dtype="Int64"),
            "t": pd.to_datetime(["2025-01-01", "2025-01-02", ""]).tz_localize("Europe/Berlin"),
        }
    )
    write_table(frame, tmp_path / "new" / "table.parquet")
    pd.testing.assert_frame_equal(read_table(tmp_path / "new" / "table.parquet"), frame)


def test_parquet_with_a_named_index_keeps_it_as_a_column(tmp_path: Path) -> None:
    pd.DataFrame({"a": [1, 2]}, index=pd.Index(["x", "y"], name="key")).to_parquet(tmp_path / "t.parquet")
    assert list(read_table(tmp_path / "t.parquet").columns) == ["key", "a"]


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz"])
def test_csv_round_trip_is_the_same_bytes(tmp_path: Path, name: str) -> None:
    frame = pd.DataFrame({"a": [0.1, 0.30000000000000004], "b": ["x,y", None]})
    write_table(frame, tmp_path / name)
    first = (tmp_path / name).read_bytes()
    pd.testing.assert_frame_equal(read_table(tmp_path / name), frame)
    write_table(read_table(tmp_path / name), tmp_path / name)
    assert (tmp_path / name).read_bytes() == first


def test_failed_write_leaves_nothing(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [object()]})
    with pytest.raises(InputError, match="cannot be written"):
        write_table(frame, tmp_path / "t.parquet")
    assert list(tmp_path.iterdir()) == []


def test_whole_numbers_with_gaps_stay_whole(tmp_path: Path) -> None:
    path = tmp_path / "gaps.csv"
    path.write_text("age,score,none\n74,1.5,\n,2,\n-3,,\n")
    frame = read_table(path)
    assert frame.dtypes.astype(str).tolist() == ["Int64", "float64", "float64"]
    write_table(frame, tmp_path / "back.csv")
    assert (tmp_path / "back.csv").read_text() == "age,score,none\n74,1.5,\n,2.0,\n-3,,\n"


def test_numbers_are_written_as_the_file_had_them(tmp_path: Path) -> None:
    path, again = tmp_path / "in.csv", tmp_path / "out.csv"
    # Two decimals always; none where there is none to write; as floats are written; zeros in front.
    path.write_text("price,weight,score,code\n4.70,12,1.5,007.5\n12.00,4.7,2.0,012.0\n,3.25,3.25,100.25\n")
    frame = read_table(path)
    assert {str(dtype) for dtype in frame.dtypes} == {"float64"}
    schema = infer_schema(frame)
    assert schema["price"].text == NumberText(decimals=2)
    assert schema["score"].text is None
    write_table(frame, again, schema)
    assert again.read_bytes() == path.read_bytes()
    write_table(pd.DataFrame({"price": [0.1], "weight": [1.0], "score": [1.0], "code": [-2.0]}), again, schema)
    assert again.read_text() == "price,weight,score,code\n0.10,1,1.0,-002.0\n"


def test_parquet_files_have_numbers_whatever_the_schema_says_about_text(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("price\n4.70\n12.00\n")
    frame = read_table(tmp_path / "in.csv")
    write_table(frame, tmp_path / "out.parquet", infer_schema(frame))
    pd.testing.assert_frame_equal(read_table(tmp_path / "out.parquet"), pd.DataFrame({"price": [4.7, 12.0]}))
