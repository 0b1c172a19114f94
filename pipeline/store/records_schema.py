"""What the store of labelled records looks like: flat arrays of measurements and tables beside them; no padding."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.store import collection_schema as common
from pipeline.store.collection_schema import EXCLUDED, FORMAT, SOURCES, put, read_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import zarr
    from numpy.typing import NDArray

__all__ = ["EXCLUDED", "FORMAT", "KIND", "PARAMETERS", "SOURCES"]

KIND = "records"
TEXT_FORMAT = FORMAT + 1
"""Of texts, which the first Isotherm with records does not know."""
FORMAT_KEY = f"{KIND}_format"
TEXTS_OF_CHUNK = 2**12
"""About 5 MiB of film reviews."""
BODY = "body"
"""The attribute that says what a record is made of: `measurements`, where it is absent, or `texts`."""
PARAMETERS = "parameters"
_FLAT = {
    "value": "the value, in the units of its parameter, as published",
    "parameter": f"what was measured: its place in the group {PARAMETERS}",
    "time": "minutes since the record began",
}
_RECORDS = {
    "id": "identifier of the record",
    "label": "1 where what is asked for happened, else 0",
    "file": "file of the record within its archive",
    "text": "the text, as published",
    "published": "1 where the source publishes it for test, else 0",
    "source": f"archive that it is from: its place in the group {SOURCES}",
}
_TABLES: dict[str, dict[str, str]] = {
    PARAMETERS: {
        "name": "name of the parameter",
        "long_name": "what it is",
        "units": "of its values",
        "low": "least value that can be",
        "high": "greatest value that can be",
        "logarithmic": "whether models see its logarithm",
        "total": "whether measurements of one step add up",
        "static": "whether it describes the whole record",
        "categories": "values that it may have, where it counts nothing",
    },
    **common.TABLES,
}
_TITLES = {
    PARAMETERS: "What was measured",
    SOURCES: "The files that the records came from",
    EXCLUDED: "Records and outcomes that were left out, and why",
}


def create_group(root: zarr.Group, name: str, *, texts: bool = False) -> zarr.Group:
    """An empty group of records, in the place of the one that there is."""
    about = {FORMAT_KEY: TEXT_FORMAT, BODY: "texts"} if texts else {}
    return common.create_group(root, name, KIND, f"Labelled records {name}", _TITLES, **about)


def holds_texts(group: zarr.Group) -> bool:
    """Whether the records of a group are texts."""
    return group.attrs.get(BODY) == "texts"


def put_flat(group: zarr.Group, columns: Mapping[str, NDArray[Any]]) -> None:
    """The measurements."""
    put(group, columns, "measurement", _FLAT)


def put_records(group: zarr.Group, columns: Mapping[str, NDArray[Any]]) -> None:
    """What is known of each record."""
    put(group, columns, "record", _RECORDS)


def put_texts(group: zarr.Group, texts: NDArray[np.object_]) -> None:
    """The text of each record."""
    put(group, {"text": texts}, "record", _RECORDS, chunk=TEXTS_OF_CHUNK)


def put_offset(group: zarr.Group, offset: NDArray[np.int64]) -> None:
    """Where the measurements of each record are."""
    told = {"offset": "measurements of record i are from offset[i] to before offset[i + 1]"}
    put(group, {"offset": offset}, "edge", told)


def put_table(group: zarr.Group, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """The rows of one of the tables."""
    common.put_rows(group, table, rows, _TABLES[table])


read_table = read_rows


def records_group(root: zarr.Group, name: str) -> zarr.Group:
    """The group of the records called `name`; see `collection_group`."""
    return common.collection_group(root, name, KIND, newest=TEXT_FORMAT)
