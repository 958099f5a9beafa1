"""The page in a real browser, as a new user meets it. Skipped where there is none; scripts/browser installs one."""

import os
import re
import shutil
from functools import partial
from urllib.parse import parse_qs, urlsplit

import pytest

pytest.importorskip("bokeh")

import pairsweep as ps
from pairsweep import store as stores
from pairsweep.viewer.panels import panels
from pairsweep.viewer.point import System
from pairsweep.viewer.source import Source
from tests.specs import growth
from tests.store.test_store import PRINT, fill
from tests.sweeps_for_stores import template

pytestmark = pytest.mark.processes
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SPEC = growth(
    rho_high="{ start = 0.4, stop = 1.0, num = 7 }", g="[1e-7, 3e-7, 1e-6, 3e-6, 1e-5]", n_energy="[1, 2]"
)
CHART = "section[aria-label=map] .bk-Figure"
MODEL = "Bokeh.documents[0]?.get_model_by_name('map')?.children[0]"
IMAGE = f"{MODEL}?.renderers[0].data_source.data.image[0]"
SOON = 120_000  # milliseconds that a page on a busy machine may take for anything
AGAIN = 4_000  # after which an event of the mouse is taken for lost


@pytest.fixture(scope="module")
def browser():
    reason = "playwright is not installed: scripts/browser does it"
    playwright = pytest.importorskip("playwright.sync_api", reason=reason)
    try:
        driver = playwright.sync_playwright().start()
    except Exception as error:  # the Node that comes with it needs libraries that a bare system lacks
        pytest.skip(f"playwright does not start here: {error}")
    try:
        found = next(filter(None, map(shutil.which, BROWSERS)), None)
        if found is None and os.path.exists(driver.chromium.executable_path):
            found = driver.chromium.executable_path
        if found is None:
            pytest.skip("no Chromium is here: scripts/browser installs one")
        root = ["--no-sandbox"] if os.geteuid() == 0 else []
        opened = driver.chromium.launch(executable_path=found, args=root)
        yield opened
        opened.close()
    finally:
        driver.stop()


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A map, and all that a point of it needs compiled: no page waits for that."""
    path = tmp_path_factory.mktemp("browser") / "map.zarr"
    ps.run(SPEC, path, scheduler="serial", quiet=True)
    source = Source(path)
    system = System.at(source.sweep, source.ds, {"rho_high": 0, "g": 0, "n_energy": 0})
    for panel in panels():
        panel.compute(system)
    return path


@pytest.fixture(scope="module")
def served(store):
    page = ps.view(store)
    yield page
    page.close()


@pytest.fixture
def tab(browser):
    """A function that opens a page; at the end nothing may have gone wrong in it, or been asked of anybody else."""
    wrong, contexts = [], []

    def opened(url, width=1400, scheme="light"):
        context = browser.new_context(viewport={"width": width, "height": 1000}, color_scheme=scheme)
        contexts.append(context)
        context.set_default_timeout(SOON)
        page = context.new_page()
        page.wrong = wrong
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on(
            "console", lambda said: wrong.append(said.text) if said.type in ("error", "warning") else None
        )
        page.on("requestfailed", lambda request: wrong.append(f"failed: {request.url}"))
        page.on("request", lambda request: wrong.append(request.url) if outside(request.url) else None)
        page.goto(url)
        page.wait_for_selector(CHART)
        page.wait_for_function("Bokeh.documents[0]?.is_idle")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert wrong == []


def outside(url):
    return not url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:"))


def wait_for_largest(page, store, **at):
    """Until the map that is shown has the largest number of these points: an address changes before its picture."""
    number = float(ps.open_store(store).growth_rate.sel(at).max())
    page.wait_for_function(f"Math.abs(Math.max(...{IMAGE} ?? []) - {number}) < {1e-6 * number}")


def wait_for_address(page, part, **options):
    page.wait_for_url(re.compile(re.escape(part)), **options)


def wait_for_panels(page):
    headings = (
        "['occupation', 'modes', 'shares', 'wave_numbers', 'pairing', 'quadrants']"
        ".map(name => Bokeh.documents[0].get_model_by_name(name).children[0].text)"
    )
    page.wait_for_function(
        f"(() => {{ const t = {headings}; return t[1].includes('grow') && "
        "!t.some(text => text.includes('computing')) })()"
    )
    return page.evaluate(headings)


def with_the_mouse(page, across, up, act, wait):
    """Do something at a place of the map until ``wait(page, timeout=...)`` sees it.

    A chart that is being made hears nothing yet, and what takes 300 ms on a busy machine is no click to Bokeh.
    """
    from playwright.sync_api import TimeoutError

    for _ in range(SOON // AGAIN):
        box = page.locator(CHART).last.bounding_box()
        page.mouse.move(box["x"] + across * box["width"], box["y"] + (1 - up) * box["height"])
        act(page.mouse)
        try:
            return wait(page, timeout=AGAIN)
        except TimeoutError:
            page.mouse.move(0, 0)
    return wait(page, timeout=AGAIN)


def click(mouse):
    mouse.down()
    mouse.up()


@pytest.mark.parametrize(("width", "scheme"), [(1400, "light"), (390, "dark")])
def test_it_is_there_and_fits(served, store, tab, width, scheme):
    page = tab(served.url, width, scheme)
    wait_for_largest(page, store, n_energy=1)
    page.wait_for_function(f"document.documentElement.scrollWidth <= {width}")
    paper = "rgb(22, 24, 28)" if scheme == "dark" else "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == paper
    colour = "#16181c" if scheme == "dark" else "#ffffff"
    page.wait_for_function(f"{MODEL}?.background_fill_color == '{colour}'")


def test_values_are_said_under_the_pointer(served, tab):
    said = "/rho_high = [0-9.]+, g = .*: growth_rate = /.test(Bokeh.documents[0].get_model_by_name('readout').text)"
    with_the_mouse(
        tab(served.url),
        across=0.6,
        up=0.5,
        act=lambda mouse: None,
        wait=lambda page, timeout: page.wait_for_function(said, timeout=timeout),
    )


def test_a_click_computes_and_its_link_brings_it_back(served, tab):
    page = tab(served.url)
    asked = partial(wait_for_address, part="point.rho_high=")
    with_the_mouse(page, across=0.75, up=0.8, act=click, wait=asked)
    titles, link = wait_for_panels(page), page.url
    again = tab(link)
    assert wait_for_panels(again) == titles
    assert again.url == link


def test_the_keyboard_is_enough(served, store, tab):
    page = tab(served.url)
    page.get_by_role("slider").first.focus()
    page.keyboard.press("ArrowRight")
    wait_for_address(page, "at.n_energy=2")
    wait_for_largest(page, store, n_energy=2)
    for slider, presses in ((1, 5), (2, 2)):
        page.get_by_role("slider").nth(slider).focus()
        for _ in range(presses):
            page.keyboard.press("ArrowRight")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    wait_for_address(page, "point.rho_high=0.9")
    wait_for_address(page, "point.g=1e-06")
    wait_for_panels(page)


def test_another_variable_and_a_frame_are_in_the_link(served, tab):
    page = tab(served.url)
    page.get_by_label("map of").select_option("mode_kind")
    wait_for_address(page, "variable=mode_kind")
    framed = partial(wait_for_address, part="frame=")
    with_the_mouse(page, across=0.5, up=0.5, act=lambda mouse: mouse.wheel(0, -200), wait=framed)
    link = page.url
    again = tab(link)
    assert again.get_by_label("map of").input_value() == "mode_kind"
    ends = f"(m => [m.x_range.start, m.x_range.end, m.y_range.start, m.y_range.end])({MODEL})"
    (frame,) = parse_qs(urlsplit(link).query)["frame"]
    assert again.evaluate(ends) == list(map(float, frame.split(",")))
    # the address follows at last what is seen, however many steps the wheel took
    page.wait_for_function(
        f"new URLSearchParams(location.search).get('frame')?.split(',')"
        f".every((end, i) => Math.abs(end - {ends}[i]) <= 1e-4 * Math.abs(end))"
    )


@pytest.mark.parametrize(("ending", "start"), [("PNG", b"\x89PNG"), ("PDF", b"%PDF")])
def test_a_picture_is_saved(served, tab, ending, start):
    page = tab(served.url)
    with page.expect_download() as saved:
        page.get_by_role("button", name=f"save as {ending}").click()
    assert saved.value.suggested_filename == f"growth_rate.{ending.lower()}"
    with open(saved.value.path(), "rb") as file:
        assert file.read(4) == start


@pytest.mark.parametrize(
    ("name", "start"), [("command", "pairsweep plot growth-map "), ("Python", "import pairsweep")]
)
def test_its_lines_are_copied(served, tab, name, start):
    page = tab(served.url)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name=f"copy {name}").click()
    page.wait_for_function(f"navigator.clipboard.readText().then(text => text.startsWith('{start}'))")
    assert "<" not in page.evaluate("navigator.clipboard.readText()")


def test_a_damaged_store_says_so(tmp_path, tab):
    store = stores.create(tmp_path / "s.zarr", template(), PRINT)
    fill(store)
    chunk = store.chunk(store.template.arrays[1], 0)
    chunk.write_bytes(chunk.read_bytes()[:-1])
    page = ps.view(store.path)
    shown = tab(f"{page.url}?variable=n_unstable")
    shown.get_by_text("growth_rate/c/0/0 is damaged").wait_for()
    shown.context.close()
    page.close()


def test_a_store_fills_while_one_looks(tmp_path, tab):
    store = stores.create(tmp_path / "s.zarr", template(), PRINT)
    page = ps.view(store.path)
    shown = tab(page.url)
    fill(store)
    shown.wait_for_function(f"[...{IMAGE} ?? [NaN]].every(isFinite)")
    shown.context.close()
    page.close()


def test_a_closed_server_is_said(store, tab):
    page = ps.view(store)
    shown = tab(page.url)
    page.close()
    shown.get_by_text("The program that serves this page has ended").wait_for()
    shown.context.close()
    lost = (
        "WebSocket",
        "websocket",
        "not connected",
    )  # what a browser and Bokeh say of a connection that is lost
    wrong = [text for text in shown.wrong if not any(word in text for word in lost)]
    shown.wrong.clear()
    assert wrong == []


def test_nobody_gets_in_without_the_token(served, browser):
    page = browser.new_page()
    page.set_default_timeout(SOON)
    host = served.url.split("/")[2]
    answer = page.goto(f"http://{host}/")
    assert answer.status == 403
    assert "Not for this address" in page.content()
    page.close()
