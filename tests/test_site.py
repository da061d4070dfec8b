"""The site that tox -e docs has built of docs/, as it is and as a browser shows it."""

import html
import os
import re
import struct
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Dict, Iterator, Set
from urllib.parse import urljoin, urlsplit

import pytest
from browsers import show_on_screen, skip_without_browser

if "VIAM_SYNC_SITE" not in os.environ:
    pytest.skip("tox -e docs builds the site", allow_module_level=True)
skip_without_browser()

from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.support.ui import WebDriverWait  # noqa: E402

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
LESSONS = sorted(path for path in EXAMPLES.glob("[0-9][0-9]_*.py") if not path.stem.endswith("_solution"))
REFERENCE = EXAMPLES.with_name("docs") / "reference"
SITE = Path(os.environ["VIAM_SYNC_SITE"])
PICTURES = SITE.with_name("site-pictures")
#: The text of each page, by its address on the site.
PAGES: Dict[str, str] = {
    path.parent.relative_to(SITE).as_posix().replace(".", "", path.parent == SITE): path.read_text(encoding="utf-8")
    for path in sorted(SITE.rglob("index.html"))
}
#: Of the reference, whose pages are all made by one template, a browser looks at these.
MODULES = {f"reference/viam_sync{name}" for name in ("", ".app.data_client", ".errors", ".proto.app.dataset")}
SHOWN = [name for name in PAGES if name in MODULES or not name.startswith("reference/viam_sync")]
WIDE, NARROW = 1280, 360
FITS = "return document.documentElement.scrollWidth <= document.documentElement.clientWidth"
#: A link as RFC 3986 has it, to a host with a name.
LINK = re.compile(r"https?://[\w-]+(\.[\w-]+)+(:\d+)?(/[\w.~!$&'()*+,;=:@%/-]*)?(\?[\w.~%&=+-]*)?(#[\w.~%-]*)?")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Where the site is served."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(SITE))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing."""


def hrefs(text: str) -> Set[str]:
    return {html.unescape(link) for link in re.findall(r'<a\b[^>]*?\bhref="([^"]*)"', text)}


def test_the_site_has_the_pages_that_readers_look_for() -> None:
    assert {"", "install", "quickstart", "errors", "sandbox_rpcs", "compatibility", "releasing", "changelog"} <= {
        *PAGES
    }
    assert {f"lessons/{lesson.stem}" for lesson in LESSONS} <= {*PAGES}
    assert len(LESSONS) == 12
    assert {"reference/viam_sync", "reference/viam_sync.sandbox"} <= {*PAGES}


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.stem)
def test_a_lesson_is_there_with_its_code_and_its_solution(lesson: Path) -> None:
    shown = html.unescape(re.sub(r"<[^>]*>", "", PAGES[f"lessons/{lesson.stem}"]))
    for path in (lesson, lesson.with_name(f"{lesson.stem}_solution.py")):
        assert path.read_text(encoding="utf-8").split('"""', 2)[2].strip() in shown


@pytest.mark.parametrize("source", sorted(REFERENCE.glob("viam_sync*.md")), ids=lambda source: source.stem)
def test_a_page_of_the_reference_shows_the_names_that_it_lists_and_no_others(source: Path) -> None:
    module, listed = source.stem, set()
    for path, options in re.findall(r"^::: (\S+)\n((?: .*\n)*)", source.read_text(encoding="utf-8"), re.MULTILINE):
        listed |= {path} if path != module else {f"{module}.{name}" for name in re.findall(r"- (\w+)\n", options)}
    ids = re.findall(r'\bid="([\w.]+)"', PAGES[f"reference/{module}"])
    assert {each for each in ids if each.rpartition(".")[0] == module} == listed


def test_the_reference_shows_signatures_types_and_examples() -> None:
    text = html.unescape(re.sub(r"<[^>]*>|\s", "", PAGES["reference/viam_sync.app.data_client"]))
    signature = r"iter_tabular_data\(filter:Optional\[\S*?Filter\]=None,\*,\S*?page_size:Optional\[int\]=None,"
    assert re.search(signature, text)
    assert "->Pages[TabularData]" in text
    assert ">>>withclient.data_client.iter_tabular_data()asrows:" in text


@pytest.mark.parametrize("page", PAGES)
def test_the_links_of_a_page_lead_somewhere(page: str) -> None:
    for link in hrefs(PAGES[page]):
        parts = urlsplit(urljoin(f"http://site/{page}/", link))
        if parts.netloc != "site":
            assert LINK.fullmatch(link), link
            continue
        target = parts.path.strip("/")
        assert target in PAGES or (SITE / target).is_file(), link
        assert not parts.fragment or f'id="{html.escape(parts.fragment)}"' in PAGES[target], link


def test_no_page_shows_marks_that_a_reader_should_not_see() -> None:
    marks = re.compile(r"```|<p>:::|<p>- |&lt;!--|:(class|func|meth):|<blockquote>")
    assert [page for page, text in PAGES.items() if marks.search(text)] == []


def test_no_page_takes_anything_from_another_host() -> None:
    outside = re.compile(r'<(?:script|link|img|iframe|source)\b[^>]*?(?:src|href)="(?:https?:)?//[^"]*"')
    assert {page: outside.findall(text) for page, text in PAGES.items() if outside.search(text)} == {}
    styles = [path for path in SITE.rglob("*.css") if re.search(r"url\([\"']?(?:https?:)?//", path.read_text("utf-8"))]
    assert styles == []


@pytest.mark.parametrize("page", SHOWN)
def test_a_page_fits_a_wide_and_a_narrow_screen(page: str, browser: Any, address: str) -> None:
    browser.get(f"{address}{page}/" if page else address)
    for width in (WIDE, NARROW):
        show_on_screen(browser, width)
        # What slides into its place on another screen needs a moment.
        WebDriverWait(browser, 10, poll_frequency=0.1).until(lambda _: browser.execute_script(FITS), page)
        picture = PICTURES / f"{page.replace('/', '-') or 'index'}-{width}.png"
        picture.parent.mkdir(exist_ok=True)
        browser.save_screenshot(str(picture))
        assert struct.unpack(">I", picture.read_bytes()[16:20]) == (width,)
    fetched = browser.execute_script("return performance.getEntriesByType('resource').map((each) => each.name)")
    assert [name for name in fetched if not name.startswith((address, "data:", "blob:"))] == []
    assert [entry for entry in browser.get_log("browser") if "favicon" not in entry["message"]] == []


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("iter_tabular_data", "DataClient.iter_tabular_data"),
        ("latest_tabular", "DataClient.get_latest_tabular_data"),
        ("DataClient.iter_tab", "DataClient.iter_tabular_data"),
        ("pandas", "viam_sync.tabular.to_pandas"),
        ("sandbox reset", "Sandbox.reset"),
        ("AmbiguousResultError", "viam_sync.errors.AmbiguousResultError"),
        ("quotation marks", "errors/"),
        ("crontab", "lessons/12_nightly_job/"),
        ("viam_sync.sandbox.testing", "viam_sync.sandbox.testing.viam_sandbox"),
        ("ViamClient.lazy", "ViamClient.lazy"),
        ("call_rpc", "cli/"),
        ("--ui-port", "sandbox/"),
        ("data frame", "data/"),
        ("yolo", "data/"),
        ("exit code", "cli/"),
        ("mail", "cli/"),
    ],
)
def test_the_search_finds_what_was_meant_among_the_first(words: str, found: str, browser: Any, address: str) -> None:
    show_on_screen(browser, WIDE)
    browser.get(address)
    browser.find_element(By.CSS_SELECTOR, ".md-search__input").send_keys(words)
    links = "return Array.from(document.querySelectorAll('.md-search-result__link'), (link) => link.href)"
    results = WebDriverWait(browser, 60, poll_frequency=0.1).until(lambda _: browser.execute_script(links))
    assert [link for link in results[:5] if found in link] != []
