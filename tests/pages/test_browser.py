"""The page in a real browser, at the widths of a laptop and of a phone, by day and by night."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (BROWSER and DRIVER), reason="no Chromium with chromedriver on PATH"),
]
SIZES = {"laptop": (1280, 800, False), "phone": (375, 740, True)}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    options = webdriver.ChromeOptions()
    options.binary_location = str(BROWSER)
    options.add_argument("--headless=new")
    options.add_argument("--disable-dev-shm-usage")
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")  # Chromium refuses its sandbox to root
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def page(html: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(html, encoding="utf-8")
    return path.as_uri()


@pytest.fixture(params=SIZES)
def shown(browser: Any, page: str, request: pytest.FixtureRequest) -> Any:
    """The page, open in a window of a size; what was logged before is forgotten."""
    width, height, mobile = SIZES[request.param]
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.get("about:blank")
    for log in ("browser", "performance"):
        browser.get_log(log)
    browser.get(page)
    return browser


def test_nothing_is_requested_nothing_is_complained_of_and_no_script_runs(shown: Any, page: str) -> None:
    assert shown.get_log("browser") == []
    messages = [json.loads(entry["message"])["message"] for entry in shown.get_log("performance")]
    sent = [item["params"]["request"]["url"] for item in messages if item["method"] == "Network.requestWillBeSent"]
    assert sent == [page]
    assert shown.execute_script("return window.owned") is None
    assert shown.title.endswith("AgentSynth report")


def test_nothing_is_wider_than_the_window(shown: Any) -> None:
    for details in shown.find_elements(By.TAG_NAME, "details"):
        shown.execute_script("arguments[0].open = true", details)
    wide, window = shown.execute_script(
        "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    assert wide == window
    # Wide tables and the heat map have boxes of their own to scroll in; all else ends within the window.
    beyond = shown.execute_script(
        "return [...document.querySelectorAll('body *')].filter(e => !e.closest('.scroll, pre, .skip')"
        " && e.getBoundingClientRect().right > document.documentElement.clientWidth + 1).map(e => e.outerHTML)"
    )
    assert beyond == []


def test_sections_and_figures_are_drawn_and_details_open_by_a_click(shown: Any) -> None:
    sections = shown.find_elements(By.TAG_NAME, "section")
    assert len(sections) == 9
    assert all(section.is_displayed() and section.size["height"] > 80 for section in sections)
    figures = shown.find_elements(By.CSS_SELECTOR, "svg.figure")
    assert len(figures) > 10
    assert all(figure.size["height"] > 60 and figure.size["width"] > 150 for figure in figures)
    details = shown.find_elements(By.TAG_NAME, "details")[-1]
    parameters = details.find_element(By.TAG_NAME, "pre")
    assert not parameters.is_displayed()
    summary = details.find_element(By.TAG_NAME, "summary")
    shown.execute_script("arguments[0].scrollIntoView({behavior: 'instant', block: 'center'})", summary)
    summary.click()
    assert parameters.is_displayed()


def test_figures_take_the_colours_of_the_night(shown: Any) -> None:
    def colours() -> Any:
        return shown.execute_script(
            "return [getComputedStyle(document.body).backgroundColor,"
            " getComputedStyle(document.querySelector('svg.figure text')).fill]"
        )

    by_day = colours()
    shown.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    )
    by_night = colours()
    shown.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert not set(by_day) & set(by_night)


def test_the_links_lead_to_their_sections(shown: Any) -> None:
    shown.execute_script("document.documentElement.style.scrollBehavior = 'auto'")
    for link in shown.find_elements(By.CSS_SELECTOR, "nav a"):
        target = str(link.get_dom_attribute("href")).removeprefix("#")
        link.click()
        top = shown.execute_script("return document.getElementById(arguments[0]).getBoundingClientRect().top", target)
        height = shown.execute_script("return window.innerHeight")
        assert -1 <= top < height


def test_it_opens_from_another_folder(browser: Any, html: str, tmp_path: Path) -> None:
    (tmp_path / "moved & renamed.html").write_text(html, encoding="utf-8")
    browser.get((tmp_path / "moved & renamed.html").as_uri())
    assert browser.find_element(By.TAG_NAME, "h1").is_displayed()
