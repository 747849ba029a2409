"""The HTML report in a real browser, without a network. Without a Chromium nothing of this runs.

`.ci/run` installs Debian's packages `chromium` and `chromium-driver`.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

if TYPE_CHECKING:
    from tests.html_runs import FINDING, LIFE, RUNS, STORY, UNPARSED, many, run_of
else:
    from html_runs import FINDING, LIFE, RUNS, STORY, UNPARSED, many, run_of

from lambda_lint.finding import Severity
from lambda_lint.reporters import render

pytestmark = pytest.mark.slow

OTHER = replace(
    FINDING,
    handlers=("other.py:main",),
    severity=Severity.INFO,
    code="LMB401",
    rule="timer-or-thread-not-stopped",
    message="a thread nobody joins",
    fingerprint="aa" * 16,
)
PAGES = {
    "findings": run_of(
        FINDING,
        STORY,
        OTHER,
        UNPARSED,
        lives=(LIFE, replace(LIFE, at=LIFE.at._replace(path="other.py"), name="main")),
    ),
    "long names": run_of(
        replace(FINDING, path="p" * 300 + "/app.py", message="m" * 500, rule="r" * 200),
        lives=(
            replace(
                LIFE,
                name="n" * 300,
                things=tuple(
                    replace(one, name="x" * 300, made="y" * 300, what="z" * 300)
                    for one in LIFE.things
                ),
            ),
        ),
    ),
    "hostile": RUNS["hostile"],
    "nothing": RUNS["nothing"],
    "thousand": run_of(*many(1000), lives=(LIFE,)),
}


@dataclass(frozen=True)
class Browser:
    """A headless Chromium and the pages that it can open."""

    driver: Any
    pages: dict[str, str]

    def open(self, page: str, hash: str = "") -> None:
        """Load a page anew; a change of the hash alone would not."""
        self.driver.get("about:blank")
        self.driver.get(self.pages[page] + hash)

    def run(self, script: str) -> Any:
        """Return what a script returns; a promise is waited for."""
        return self.driver.execute_script(script)

    def emulate(self, width: int = 1280, scheme: str = "light", media: str = "screen") -> None:
        """Set the width in CSS pixels, the preferred colours and the medium."""
        metrics = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 600}
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        self.driver.execute_cdp_cmd(
            "Emulation.setEmulatedMedia", {"media": media, "features": features}
        )

    def shown(self) -> list[str]:
        """Return the codes of the findings that can be seen."""
        found: list[str] = self.run(
            "return [...document.querySelectorAll('article.finding')]"
            ".filter(one => one.offsetParent !== null).map(one => one.dataset.rule)"
        )
        return found

    def choose(self, name: str, value: str) -> None:
        """Fill in a field of the filters, and wait until that is applied."""
        self.run(
            "const form = document.getElementById('filters');"
            f"form.elements[{json.dumps(name)}].value = {json.dumps(value)};"
            "form.dispatchEvent(new Event('input'));"
            "return new Promise(done => setTimeout(done, 200));"
        )

    def said(self) -> str:
        """Return how many findings the filters say that there are."""
        text: str = self.run("return document.querySelector('#filters output').textContent")
        return text


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Start Chromium once, with a profile of its own and nothing that phones home."""
    chromium, chromedriver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or chromedriver is None:
        pytest.skip("no chromium and chromedriver: apt-get install chromium chromium-driver")
    webdriver = pytest.importorskip("selenium.webdriver")
    place = tmp_path_factory.mktemp("report")
    pages = {}
    for number, (name, run) in enumerate(PAGES.items()):
        file = place / f"{number}.html"
        file.write_text(render("html", run), encoding="utf-8")
        pages[name] = file.as_uri()
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (
        *("headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run"),
        *("disable-background-networking", "disable-component-update", "disable-sync"),
        *("disable-dev-shm-usage", f"user-data-dir={place / 'profile'}"),
    ):
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(chromedriver))
    try:
        yield Browser(driver, pages)
    finally:
        driver.quit()


@pytest.fixture(autouse=True)
def _wide_and_light(browser: Browser) -> None:
    browser.emulate()


@pytest.mark.parametrize("page", PAGES)
def test_nothing_is_requested_and_nothing_goes_wrong(browser: Browser, page: str) -> None:
    for log in ("browser", "performance"):
        browser.driver.get_log(log)
    browser.open(page)
    assert browser.run("return document.documentElement.dataset.ready") == "yes"
    assert browser.driver.get_log("browser") == []
    messages = [
        json.loads(one["message"])["message"] for one in browser.driver.get_log("performance")
    ]
    requested = {
        one["params"]["request"]["url"]
        for one in messages
        if one["method"] == "Network.requestWillBeSent"
    }
    assert requested <= {"about:blank", browser.pages[page]}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("page", PAGES)
def test_a_phone_scrolls_in_one_direction(browser: Browser, page: str, scheme: str) -> None:
    browser.emulate(390, scheme)
    browser.open(page)
    wide = "return [document.documentElement.scrollWidth, window.innerWidth]"
    assert browser.run(wide) == [390, 390]


@pytest.mark.parametrize(
    ("filters", "shown"),
    [
        ({}, ["LMB101", "LMB401", "LMB203", "LMB900"]),
        ({"rule": "LMB101"}, ["LMB101"]),
        ({"handler": "other.py:main"}, ["LMB401"]),
        ({"handler": "app.py:handler"}, ["LMB101", "LMB203"]),
        ({"q": "NOBODY joins"}, ["LMB401"]),
        ({"q": "broken.py"}, ["LMB900"]),
        ({"handler": "app.py:handler", "q": "s3", "rule": "LMB101"}, ["LMB101"]),
        ({"q": "there is no such text"}, []),
    ],
    ids=str,
)
def test_filters_show_what_fits_and_say_how_much(
    browser: Browser, filters: dict[str, str], shown: list[str]
) -> None:
    browser.open("findings")
    for name, value in filters.items():
        browser.choose(name, value)
    assert browser.shown() == shown
    assert browser.said() == f"{len(shown)} of 4 findings"
    nothing = browser.run("return document.getElementById('none').hidden")
    assert nothing is bool(shown)


def test_severities_can_be_switched_off(browser: Browser) -> None:
    browser.open("findings")
    browser.run("document.querySelector('[name=severity][value=warning]').click()")
    browser.choose("q", "")
    assert browser.shown() == ["LMB401", "LMB203"]


def test_each_choice_says_what_it_would_show(browser: Browser) -> None:
    browser.open("findings")
    browser.choose("handler", "app.py:handler")
    options = browser.run(
        "return [...document.querySelector('[name=rule]').options].map(one => one.text)"
    )
    assert "LMB101 client-in-handler (1)" in options
    assert "LMB401 timer-or-thread-not-stopped (0)" in options
    counts = browser.run(
        "return [...document.querySelectorAll('#filters .count')].map(one => one.textContent)"
    )
    assert counts == ["1", "1", "0"]


def test_the_filters_are_in_the_address_and_come_back_with_it(browser: Browser) -> None:
    browser.open("findings")
    browser.choose("rule", "LMB203")
    browser.choose("q", "SEEN & more=?")
    browser.choose("q", "SEEN")
    hash = browser.run("return location.hash")
    assert hash == "#q=SEEN&rule=LMB203"
    browser.open("findings", hash)
    assert browser.shown() == ["LMB203"]
    assert browser.run("return document.querySelector('[name=q]').value") == "SEEN"


@pytest.mark.parametrize(
    ("hash", "shown"),
    [
        ("#handler=" + quote("app.py:handler", safe=""), ["LMB101", "LMB203"]),
        ("#severity=error,info", ["LMB401", "LMB203"]),
        ("#rule=LMB999&handler=nobody", ["LMB101", "LMB401", "LMB203", "LMB900"]),
        ("#q=%3Cscript%3E", []),
    ],
    ids=["handler", "severity", "what this run does not have", "hostile"],
)
def test_an_address_sets_the_filters(browser: Browser, hash: str, shown: list[str]) -> None:
    browser.open("findings", hash)
    assert browser.shown() == shown


def test_a_link_to_a_finding_shows_it_whatever_the_filters_hide(browser: Browser) -> None:
    browser.open("findings")
    browser.choose("rule", "LMB203")
    browser.run(f"location.hash = 'f-{FINDING.fingerprint}'")
    browser.run("return new Promise(done => setTimeout(done, 200))")
    assert "LMB101" in browser.shown()
    top = browser.run(
        f"return document.getElementById('f-{FINDING.fingerprint}').getBoundingClientRect().top"
    )
    assert 0 <= top < 844


def test_only_the_findings_of_a_drawing(browser: Browser) -> None:
    browser.open("findings")
    browser.run("document.querySelector('button.only').click()")
    assert browser.shown() == ["LMB101", "LMB203"]
    assert "handler=app.py%3Ahandler" in browser.run("return location.hash")


def test_all_can_be_shown_again_and_folded(browser: Browser) -> None:
    browser.open("findings", "#rule=LMB203")
    browser.run("document.querySelector('#filters [type=reset]').click()")
    assert len(browser.shown()) == 4
    assert browser.run("return location.hash") == ""
    opened = "return document.querySelectorAll('article > details[open]').length"
    assert browser.run(opened) == 4
    browser.run("document.getElementById('fold').click()")
    assert browser.run(opened) == 0


COLOURS = "const s = getComputedStyle(document.body); return [s.backgroundColor, s.color]"
LIGHT, DARK = ["rgb(245, 245, 250)", "rgb(28, 27, 42)"], ["rgb(17, 16, 24)", "rgb(236, 235, 245)"]


def test_the_colours_are_those_of_the_system_until_they_are_chosen(browser: Browser) -> None:
    browser.open("findings")
    assert browser.run(COLOURS) == LIGHT
    browser.emulate(scheme="dark")
    assert browser.run(COLOURS) == DARK
    seen = []
    for _ in range(3):
        browser.run("document.getElementById('theme').click()")
        seen.append(browser.run(COLOURS))
    assert seen == [LIGHT, DARK, DARK]


def test_on_paper_all_is_light_and_open(browser: Browser) -> None:
    browser.emulate(scheme="light", media="print")
    browser.open("findings")
    browser.run("document.getElementById('fold').click()")
    assert browser.run("return getComputedStyle(document.body).backgroundColor") == (
        "rgb(255, 255, 255)"
    )
    assert browser.run("return document.getElementById('filters').offsetParent") is None
    assert browser.run("return document.querySelector('article figure').offsetHeight") > 0


def test_everything_can_be_reached_with_the_keyboard(browser: Browser) -> None:
    from selenium.webdriver.common.keys import Keys

    browser.open("findings")
    seen = set()
    for _ in range(80):
        browser.driver.switch_to.active_element.send_keys(Keys.TAB)
        seen.add(
            browser.run(
                "const e = document.activeElement;"
                "return e.id || e.name || e.className || e.tagName.toLowerCase()"
            )
        )
    assert seen >= {"skip", "theme", "only", "q", "rule", "handler", "severity", "fold", "summary"}
    assert any(one.startswith("badge") for one in seen)


def test_without_javascript_all_is_shown(browser: Browser) -> None:
    browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.open("findings")
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    assert browser.run("return document.documentElement.dataset.ready || ''") == ""
    assert len(browser.shown()) == 4
    for name in ("filters", "theme"):
        assert browser.run(f"return document.getElementById('{name}').offsetParent") is None


def test_a_thousand_findings_are_there_at_once(browser: Browser) -> None:
    browser.open("thousand")
    took = browser.run("return performance.getEntriesByType('navigation')[0].loadEventEnd")
    assert took < 10_000, "milliseconds; below one second on a machine with nothing else to do"
    browser.choose("q", "no such text")
    assert browser.said() == "0 of 1000 findings"
