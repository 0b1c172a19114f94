"""The report in a real browser: the slider moves the maps, the list changes the start, nothing complains."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

from pipeline.reports.render import render
from tests import reporting, station_reporting

pytestmark = [pytest.mark.browser, pytest.mark.slow]
FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --hide-scrollbars --window-size=1280,900"
)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return render(reporting.make_inputs(), tmp_path_factory.mktemp("report") / "index.html")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not driver:
        pytest.skip("no chromium and chromedriver on the path (Debian: apt install chromium-driver)")
    options = ChromeOptions()
    options.binary_location = chromium
    for flag in (*FLAGS.split(), f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    chrome = Chrome(options=options, service=Service(driver))
    yield chrome
    chrome.quit()


@pytest.fixture
def opened(browser: Chrome, report: Path) -> Chrome:
    browser.get("about:blank")
    browser.get_log("browser")
    browser.get_log("performance")
    browser.get(report.as_uri())
    return browser


def frame(browser: Chrome) -> tuple[str, list[str]]:
    """The label and the pictures of the viewer, once all are loaded."""
    script = (
        "return [...document.querySelectorAll('.viewer .map img')].map(i => i.complete && i.naturalWidth)"
    )
    WebDriverWait(browser, 10).until(lambda b: all(b.execute_script(script)))
    pictures = browser.find_elements(By.CSS_SELECTOR, ".viewer .map img")
    assert all(picture.is_displayed() for picture in pictures)
    label = browser.find_element(By.CSS_SELECTOR, ".viewer output").text
    return label, [picture.get_attribute("src") or "" for picture in pictures]


def test_keyboard_moves_the_lead(opened: Chrome) -> None:
    slider = opened.find_element(By.CSS_SELECTOR, ".viewer input[type=range]")
    label, pictures = frame(opened)
    assert label == "day 1, for 2011-02-11"
    assert len(pictures) == 4
    slider.send_keys(Keys.ARROW_RIGHT)
    moved, others = frame(opened)
    assert moved == "day 2, for 2011-02-12"
    assert slider.get_attribute("aria-valuetext") == moved
    assert all(before != after for before, after in zip(pictures, others, strict=True))
    slider.send_keys(Keys.END)
    assert frame(opened)[0] == "day 14, for 2011-02-24"
    slider.send_keys(Keys.HOME)
    assert frame(opened) == (label, pictures)


def test_list_changes_the_start(opened: Chrome) -> None:
    before = frame(opened)
    Select(opened.find_element(By.CSS_SELECTOR, ".viewer select")).select_by_visible_text("2012-03-04")
    label, pictures = frame(opened)
    assert label == "day 1, for 2012-03-05"
    assert pictures != before[1]


def test_nothing_complains_and_nothing_is_fetched(opened: Chrome) -> None:
    frame(opened)
    assert opened.get_log("browser") == []
    requests = [entry["message"] for entry in opened.get_log("performance")]
    sent = [message for message in requests if '"Network.requestWillBeSent"' in message]
    assert not [message for message in sent if '"url":"http' in message]


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_fits_the_screen(opened: Chrome, tmp_path: Path, width: int, scheme: str) -> None:
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    opened.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    opened.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    frame(opened)
    assert opened.execute_script("return document.documentElement.scrollWidth") <= width
    paper = opened.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert (paper == "rgb(253, 253, 251)") == (scheme == "light")
    shot = tmp_path / f"report-{width}-{scheme}.png"
    assert opened.save_screenshot(str(shot))
    assert shot.stat().st_size > 20_000


@pytest.mark.parametrize("width", [1280, 390])
def test_a_station_fits_the_screen_and_its_wide_charts_scroll(
    browser: Chrome, tmp_path: Path, width: int
) -> None:
    station = render(station_reporting.make_station_inputs(), tmp_path / "index.html")
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.get(station.as_uri())
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    script = "return [...document.querySelectorAll('.wide')].map(f => f.scrollWidth > f.clientWidth)"
    assert set(browser.execute_script(script)) == {width == 390}
