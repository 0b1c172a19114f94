"""Products: immutable, named by their content, open anywhere, and compliant."""

import errno
import json
import os
import threading
from importlib import import_module

import numpy as np
import pytest
import xarray as xr
import zarr
from compliance_checker.runner import CheckSuite, ComplianceChecker

from pipeline.errors import ConfigError, DiskFullError
from pipeline.lineage import ATTRIBUTE, Lineage
from pipeline.publish import product
from pipeline.publish.forecast import encoding_of, export
from pipeline.publish.metadata import Credits, bounds
from pipeline.publish.providers import PROVIDERS
from pipeline.sources import SOURCES
from pipeline.sources.jena_columns import QUANTITIES


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_product_opens_with_open_zarr_alone(tmp_path, forecast, lineage):
    given = forecast(inits=2)
    path = export(given, tmp_path, lineage=lineage())
    with xr.open_zarr(path) as back:  # a warning would fail the test
        np.testing.assert_array_equal(back.sst.values, given.sst.values)
        assert back.sst.dims == ("init_time", "lead_time", "latitude", "longitude")
        for name in ("init_time", "lead_time", "latitude", "longitude"):
            np.testing.assert_array_equal(back[name].values, given[name].values)
        np.testing.assert_array_equal(
            back.valid_time.values, given.init_time.values[:, None] + given.lead_time.values
        )
        assert "valid_time" in back.sst.coords
        assert Lineage.model_validate_json(back.attrs[ATTRIBUTE]) == lineage()
        assert path.name == f"forecast-{back.attrs['product_version']}.zarr"


def test_a_product_opens_without_xarray_and_without_consolidated_metadata(tmp_path, forecast, lineage):
    given = forecast()
    path = export(given, tmp_path, lineage=lineage())
    root = json.loads((path / "zarr.json").read_text())
    assert root["zarr_format"] == 3
    assert root["consolidated_metadata"]["must_understand"] is False
    group = zarr.open_group(path, mode="r", use_consolidated=False)
    np.testing.assert_array_equal(group["sst"][:], given.sst.values)
    assert group["lead_time"].attrs["units"] == "days"
    assert group["lead_time"][:].tolist() == [1, 2, 3, 4, 5]
    assert group["sst"].chunks == (1, 5, 6, 8)


def test_publishing_twice_writes_once(tmp_path, forecast, lineage):
    first = export(forecast(), tmp_path, lineage=lineage())
    stamps = {path: path.stat().st_mtime_ns for path in first.rglob("*")}
    assert export(forecast(), tmp_path, lineage=lineage()) == first
    assert {path: path.stat().st_mtime_ns for path in first.rglob("*")} == stamps


def test_other_content_is_another_product_and_leaves_the_first(tmp_path, forecast, lineage):
    first = export(forecast(), tmp_path, lineage=lineage())
    before = files(first)
    others = [
        export(forecast(value=16.0), tmp_path, lineage=lineage()),
        export(forecast("2013-12-18"), tmp_path, lineage=lineage()),
        export(forecast(), tmp_path, lineage=lineage(cube_snapshot="OTHER")),
        export(forecast(), tmp_path, lineage=lineage(), terms=Credits(institution="Elsewhere")),
    ]
    assert len({first, *others}) == 5
    assert files(first) == before


def test_the_version_is_of_the_content_not_of_its_encoding():
    plain = xr.Dataset({"a": ("x", np.arange(6.0)), "name": ("x", np.array(list("abcdef"), dtype=object))})
    chunked = plain.chunk(x=2)
    chunked["a"].encoding = {"chunks": (3,)}
    version = product.content_version(plain)
    assert product.content_version(chunked) == version
    assert product.content_version(plain.assign_attrs(version="x", product_version="y")) == version
    for other in (
        plain.assign(a=plain.a + 1),
        plain.assign(a=plain.a.astype("float32")),
        plain.rename(a="b"),
        plain.assign_attrs(title="x"),
        plain.assign(name=plain.name.str.upper()),
    ):
        assert product.content_version(other) != version


def test_a_full_disk_leaves_nothing(tmp_path, forecast, lineage, monkeypatch):
    def full(self, *args, **options):
        (args[0] / "sst").mkdir(parents=True)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(xr.Dataset, "to_zarr", full)
    with pytest.raises(DiskFullError):
        export(forecast(), tmp_path, lineage=lineage())
    assert files(tmp_path) == []


def test_the_product_appears_whole(tmp_path, forecast, lineage, monkeypatch):
    seen = []
    move = product._move

    def watched(draft, final):
        seen.append((final.exists(), (draft / "zarr.json").exists()))
        move(draft, final)

    monkeypatch.setattr(product, "_move", watched)
    export(forecast(), tmp_path, lineage=lineage())
    assert seen == [(False, True)]
    assert not [name for name in files(tmp_path) if name.startswith(".")]


def test_two_publishers_of_one_product_agree(tmp_path, monkeypatch):
    dataset = xr.Dataset({"a": ("x", np.arange(3.0))})
    gate, move = threading.Barrier(2), product._move

    def together(draft, final):
        gate.wait(10)
        move(draft, final)

    monkeypatch.setattr(product, "_move", together)
    # Filters of warnings are global, so of the two writers only the drafting is left to race.
    monkeypatch.setattr(
        xr.Dataset, "to_zarr", lambda self, path, **options: (path.mkdir(), (path / "x").touch())
    )
    results = []
    threads = [
        threading.Thread(target=lambda: results.append(product.write_product(dataset, tmp_path)))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 2
    assert results[0] == results[1]
    assert files(tmp_path) == [results[0].name, f"{results[0].name}/x"]


def test_files_are_copied_by_content(tmp_path):
    page = tmp_path / "index.html"
    page.write_text("<p>one</p>")
    first = product.copy_file(page, tmp_path / "out", prefix="report-")
    assert product.copy_file(page, tmp_path / "out", prefix="report-") == first
    page.write_text("<p>two</p>")
    second = product.copy_file(page, tmp_path / "out", prefix="report-")
    assert first.read_text() == "<p>one</p>"
    assert second.read_text() == "<p>two</p>"
    assert first.suffix == ".html"


def test_bounds_touch_and_hold_their_centres():
    centres = np.arange(5) * 0.5 - 10
    edges = bounds(centres)
    np.testing.assert_allclose(edges.mean(axis=1), centres)
    np.testing.assert_allclose(edges[1:, 0], edges[:-1, 1])


def compliance_errors(dataset, standard, folder):
    """Messages of the checks of high priority that fail, of a NetCDF copy."""
    encoding = {
        name: {key: value for key, value in given.items() if key != "chunks"}
        for name, given in encoding_of(dataset).items()
    }
    dataset.to_netcdf(folder / "copy.nc", encoding=encoding)
    CheckSuite.load_all_available_checkers()
    report = folder / "report.json"
    _, broken = ComplianceChecker.run_checker(
        str(folder / "copy.nc"), [standard], 0, "normal", output_filename=str(report), output_format="json"
    )
    assert not broken
    checks = json.loads(report.read_text())[standard]["high_priorities"]
    return [check["msgs"] for check in checks if check["value"][0] < check["value"][1]]


@pytest.mark.filterwarnings("ignore")  # the checker's own
@pytest.mark.parametrize("standard", ["cf:1.11", "acdd:1.3"])
@pytest.mark.parametrize("inits", [1, 3])
def test_the_ioos_compliance_checker_finds_no_error(tmp_path, forecast, lineage, standard, inits):
    path = export(forecast(inits=inits), tmp_path, lineage=lineage())
    with xr.open_zarr(path, chunks=None) as stored:
        copy = stored.load().drop_encoding()
    assert compliance_errors(copy, standard, tmp_path) == []
    del copy.attrs["title"], copy.sst.attrs["units"]
    assert compliance_errors(copy, standard, tmp_path) != [], "the checker has looked"


@pytest.mark.filterwarnings("ignore")  # the checker's own
@pytest.mark.parametrize("standard", ["cf:1.11", "acdd:1.3"])
@pytest.mark.parametrize(
    ("quantity", "leads"),
    [("air_temperature", range(1, 49)), ("air_density", [48]), ("vapor_pressure_deficit", [24])],
)
def test_it_finds_no_error_in_a_station_s_product(tmp_path, station, lineage, standard, quantity, leads):
    given = station(leads=leads, quantity=QUANTITIES[quantity])
    path = export(given, tmp_path, lineage=lineage(), source="jena")
    with xr.open_zarr(path, chunks=None) as stored:
        copy = stored.load().drop_encoding()
    assert compliance_errors(copy, standard, tmp_path) == []


def test_a_product_says_what_each_day_of_its_history_held(tmp_path, forecast, lineage):
    with xr.open_zarr(export(forecast(day="2013-12-17"), tmp_path, lineage=lineage())) as back:
        days = back.input_time.values.astype("datetime64[D]")
        assert days.tolist() == np.arange("2013-12-08", "2013-12-18", dtype="datetime64[D]").tolist()
        assert back.input_status.values.tolist() == [2] * 7 + [0, 1, 1]
        assert back.input_status.attrs["flag_meanings"] == "missing preliminary final"
    unknown = forecast().drop_vars("input_status")
    with xr.open_zarr(export(unknown, tmp_path, lineage=lineage())) as back:
        assert "input_status" not in back


def test_a_station_s_product_is_hourly_of_one_place_and_in_utc(tmp_path, station, lineage):
    given = station(inits=2)
    path = export(given, tmp_path, lineage=lineage(region="jena"), source="jena")
    with xr.open_zarr(path) as back:
        np.testing.assert_array_equal(back.air_temperature.values, given.air_temperature.values)
        assert dict(back.sizes) == {"init_time": 2, "lead_time": 48, "latitude": 1, "longitude": 1}
        np.testing.assert_array_equal(back.init_time.values, given.init_time.values - np.timedelta64(1, "h"))
        np.testing.assert_array_equal(back.lead_time.values, given.lead_time.values)
        np.testing.assert_array_equal(
            back.valid_time.values, back.init_time.values[:, None] + given.lead_time.values
        )
        assert back.air_temperature.attrs["standard_name"] == "air_temperature"
        assert "cell_methods" not in back.air_temperature.attrs
        assert "bounds" not in back.latitude.attrs
        told = back.attrs
    assert told["title"] == "48-hour forecast of air temperature, jena, from 2020-12-31 23:00 UTC"
    assert told["geospatial_lat_min"] == told["geospatial_lat_max"] == 50.91
    assert "geospatial_lat_resolution" not in told
    assert told["geospatial_bounds"] == "POINT (50.91 11.57)"
    assert (told["time_coverage_start"], told["time_coverage_end"]) == (
        "2020-12-31T23:00:00Z",
        "2021-01-02T23:00:00Z",
    )
    assert (told["time_coverage_resolution"], told["time_coverage_duration"]) == ("PT1H", "PT48H")
    assert "Max Planck Institute for Biogeochemistry" in told["acknowledgement"]
    assert "NOAA" not in json.dumps(dict(told))
    group = zarr.open_group(path, mode="r")
    assert group["lead_time"].attrs["units"] == "hours"
    assert group["init_time"].attrs["units"] == "seconds since 1970-01-01"


def test_a_source_without_a_provider_is_refused(tmp_path, forecast, lineage):
    with pytest.raises(ConfigError, match="no provider of the source 'jenna'") as caught:
        export(forecast(), tmp_path, lineage=lineage(), source="jenna")
    assert "did you mean 'jena'" in str(caught.value.remedy)
    assert files(tmp_path) == []


def test_who_publishes_may_thank_others(tmp_path, forecast, lineage):
    path = export(forecast(), tmp_path, lineage=lineage(), terms=Credits(acknowledgement="Many thanks."))
    with xr.open_zarr(path) as back:
        assert back.attrs["acknowledgement"] == "Many thanks."


def test_every_source_of_published_forecasts_has_a_provider():
    unpublished = ("decode_records", "decode_movies")
    kinds = {
        name: getattr(import_module(path.partition(":")[0]), path.partition(":")[2])
        for name, path in SOURCES.items()
    }
    published = {name for name, kind in kinds.items() if not any(hasattr(kind, each) for each in unpublished)}
    assert set(PROVIDERS) == published


def test_what_a_killed_publisher_left_is_swept_by_its_successor(tmp_path, forecast, lineage):
    path = export(forecast(), tmp_path / "first", lineage=lineage())
    place = tmp_path / "second"
    old, young = place / f".{path.name}.dead", place / f".{path.name}.alive"
    for draft in (old, young):
        (draft / path.name).mkdir(parents=True)
    os.utime(old, (0, 0))
    export(forecast(), place, lineage=lineage())
    assert not old.exists()
    assert young.exists()
