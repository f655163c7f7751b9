"""The page in a real browser: nothing overflows, no reader is left out, and the keyboard is enough.

Debian's Chromium is driven by playwright; axe-core, which its Python package carries, looks for what a screen reader,
or anybody with other eyes, would stumble over.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import small_boards

from tsrnn import page, suites
from tsrnn.page.overall import overall

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
WIDTHS = (360, 800, 1400)
Opened = Callable[..., Any]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.skip(f"there is no browser: none of {', '.join(BROWSERS)} is installed")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    alone = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=program, args=alone)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    rows = small_boards.folder(small_boards.folder(folder / "rows"), "other")
    board, index = folder / "board.html", folder / "index.html"
    page.write(suites.find("small"), rows, board)
    index.write_text(page.html({**overall(rows), "pages": {"small": "board.html"}}), encoding="utf-8")
    return {"board": board, "overall": index}


@pytest.fixture
def opened(browser: Any, pages: dict[str, Path]) -> Iterator[Opened]:
    """Open a page; at the end nothing may have been said on the console or asked of the network."""
    said: list[str] = []
    asked: list[str] = []
    contexts = []

    def at(name: str = "board", width: int = 800, scheme: str = "light", script: bool = True) -> Any:
        size = {"width": width, "height": 800}
        contexts.append(browser.new_context(viewport=size, color_scheme=scheme, java_script_enabled=script))
        tab = contexts[-1].new_page()
        tab.on("console", lambda message: said.append(message.text))
        tab.on("pageerror", lambda error: said.append(str(error)))
        tab.on("request", lambda request: asked.append(request.url))
        tab.goto(pages[name].as_uri())
        return tab

    yield at
    for context in contexts:
        context.close()
    assert not said
    assert {url for url in asked if not url.startswith(("file:", "data:"))} == set()


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["board", "overall"])
def test_nothing_overflows_and_axe_finds_nothing(opened: Opened, name: str, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    for width in WIDTHS:
        tab = opened(name, width, scheme)
        tab.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
        assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"wider than {width}"
        found = Axe().run(tab).response["violations"]
        assert not [(each["id"], [node["target"] for node in each["nodes"]]) for each in found], f"at {width}"


def test_words_in_rows_stay_words(opened: Opened) -> None:
    tab = opened()
    assert tab.title() == "small: board"
    assert small_boards.SCRIPT in tab.locator("body").text_content()


_FOCUS = """([what, text]) => {
    const at = document.activeElement;
    return at.matches(what) && at.textContent.includes(text);
}"""


def _tab_to(tab: Any, selector: str, text: str = "") -> None:
    """Press the tabulator until the wanted thing has the focus."""
    for _ in range(200):
        tab.keyboard.press("Tab")
        if tab.evaluate(
            _FOCUS,
            [selector, text],
        ):
            return
    raise AssertionError(f"the keyboard does not reach {selector} {text}")


def _models(tab: Any) -> list[str]:
    return [each.split()[0] for each in tab.locator("#t1 tbody tr:visible th").all_inner_texts()]


def test_the_keyboard_sorts(opened: Opened) -> None:
    tab = opened()
    assert _models(tab) == ["gru", "lstm", "lstm", "ols", "seasonal_naive"]
    _tab_to(tab, "#t1 th button", "mean")
    tab.keyboard.press("Enter")
    tab.keyboard.press("Enter")
    assert tab.locator("#t1 th[aria-sort]").get_attribute("aria-sort") == "descending"
    assert _models(tab) == ["seasonal_naive", "ols", "lstm", "lstm", "gru"]
    _tab_to(tab, "#t1 th button", "s/fit")
    tab.keyboard.press("Space")
    assert _models(tab)[0] == "seasonal_naive"
    assert tab.locator("#t1 th[aria-sort]").count() == 1


def test_the_keyboard_chooses_a_measure(opened: Opened) -> None:
    tab = opened()
    first = tab.locator("#t1 tbody td").first
    before = first.inner_text()
    _tab_to(tab, "input[name=measure]")
    tab.keyboard.press("ArrowRight")
    assert float(first.inner_text()) == pytest.approx(0.201, abs=1e-3)
    assert float(before) == pytest.approx(0.4905, abs=1e-3)


def test_the_keyboard_filters(opened: Opened) -> None:
    tab = opened()
    _tab_to(tab, "input[type=search]")
    tab.keyboard.type("lstm")
    assert _models(tab) == ["lstm", "lstm"]
    assert tab.locator(".count").first.inner_text() == "2 of 5 lines"
    _tab_to(tab, "input[type=checkbox]")
    tab.keyboard.press("Space")
    assert len(_models(tab)) == 1


def test_the_keyboard_opens_where_a_row_comes_from(opened: Opened) -> None:
    tab = opened()
    assert not tab.locator("#b0").is_visible()
    _tab_to(tab, "#t1 a", "gru")
    tab.keyboard.press("Enter")
    assert tab.locator("#b0").is_visible()
    assert tab.locator("#b0 code").first.inner_text().startswith("tsrnn bench small --config gru.toml")
    assert tab.evaluate("document.activeElement.id") == "b0"


def test_the_keyboard_browses_forecasts(opened: Opened) -> None:
    tab = opened()
    shown = tab.locator(".sample:visible h3")
    before = shown.all_inner_texts()
    _tab_to(tab, ".browse button", "Next")
    tab.keyboard.press("Enter")
    after = shown.all_inner_texts()
    assert len(before) == len(after) == 1
    assert before != after
    _tab_to(tab, "#samples svg, #samples .scroll")


def test_without_javascript_everything_is_there(opened: Opened) -> None:
    tab = opened(script=False)
    assert len(_models(tab)) == 5
    assert tab.locator(".sample:visible").count() == 4
    tab.locator("summary", has_text="gru").first.click()
    assert tab.locator("#b0").is_visible()
    tab.locator("#m1").check()
    assert float(tab.locator("#t1 tbody td").first.inner_text()) == pytest.approx(0.201, abs=1e-3)


def test_it_prints_with_all_that_is_folded(opened: Opened) -> None:
    tab = opened()
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert tab.locator("details:not([open])").count() == 0
    assert tab.locator(".sample:visible").count() == 4
    tab.evaluate("dispatchEvent(new Event('afterprint'))")
    assert tab.locator("details[open]").count() == 0
    assert tab.locator(".sample:visible").count() == 1
    tab.emulate_media(media="print")
    assert not tab.locator("nav").first.is_visible()
    assert tab.pdf().startswith(b"%PDF")


def test_an_address_that_is_none_breaks_nothing(opened: Opened) -> None:
    tab = opened()
    address = tab.url
    tab.goto("about:blank")
    tab.goto(address + "#%E0%A4%A")
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert tab.locator("details:not([open])").count() == 0


def test_a_picture_can_be_saved(opened: Opened, tmp_path: Path) -> None:
    tab = opened()
    with tab.expect_download() as waiting:
        tab.locator("#figures button").first.click()
    waiting.value.save_as(tmp_path / "saved.svg")
    text = (tmp_path / "saved.svg").read_text(encoding="utf-8")
    assert text.startswith("<svg")
    assert "prefers-color-scheme" in text
