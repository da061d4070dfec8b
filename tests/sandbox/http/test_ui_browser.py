"""The page of the sandbox in a browser; the tox environment "browser" installs everything for it."""

from datetime import datetime, timedelta, timezone

import pytest
from browsers import show_on_screen, skip_without_browser

from viam_sync.app.viam_client import ViamClient
from viam_sync.sandbox.sample.tomato_images import Block, render_png

skip_without_browser()

from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.ui import WebDriverWait  # noqa: E402


@pytest.fixture
def sandbox(start):
    return start(seed=1, ui=True)


@pytest.fixture
def client(sandbox):
    with ViamClient.create_from_dial_options(sandbox.dial_options(), sandbox.url) as client:
        yield client


@pytest.fixture
def page(browser, sandbox):
    """Provide the page; an error or a warning of the browser fails the test."""
    browser.get_log("browser")  # what an earlier test was refused
    browser.get(sandbox.ui_url)
    page = Page(browser)
    page.wait(lambda: page.texts("#state") == ["live"])
    yield page
    errors = browser.get_log("browser")
    # Before the sandbox ends, so that the page does not miss it.
    browser.get("about:blank")
    assert errors == []


class Page:
    """The page in a browser."""

    def __init__(self, browser):
        self.browser = browser

    def wait(self, condition):
        """Wait until there is something, and return it."""
        return WebDriverWait(self.browser, 20, poll_frequency=0.05).until(lambda _: condition())

    def texts(self, selector):
        script = "return Array.from(document.querySelectorAll(arguments[0]), (node) => node.innerText)"
        return self.browser.execute_script(script, selector)

    def contents(self, selector):
        """Return the texts of shapes, which no layout has broken into lines."""
        script = "return Array.from(document.querySelectorAll(arguments[0]), (node) => node.textContent)"
        return self.browser.execute_script(script, selector)

    def rectangles(self, selector):
        """Return left, top, width and height of each."""
        script = """
            return Array.from(document.querySelectorAll(arguments[0]), (node) => {
                const {left, top, width, height} = node.getBoundingClientRect();
                return [left, top, width, height];
            })"""
        return self.browser.execute_script(script, selector)

    def find(self, selector):
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def open_log(self):
        """Open the first log, and return when it is there."""
        self.find("#machines summary").click()
        self.wait(lambda: self.texts("#machines tbody tr"))


def test_the_sample_world_is_there(page, sandbox):
    assert page.texts("h3") == [f"Lesson Robotics {sandbox.organization_id}"]
    assert [text.rpartition(" ")[0] for text in page.texts("h4")] == ["Workshop", "Workshop / Greenhouse"]
    assert [text.split()[0] for text in page.texts("h5")] == ["rover", "arm", "plant-watcher"]
    assert page.texts("#machines summary")[0].startswith(f"rover-main (main part) {sandbox.robot_part_id} last seen ")
    assert page.texts("#machines summary")[0].endswith(" with left, right, base")
    assert [text.split("\t")[:3] for text in page.texts("#datasets tbody tr")] == [
        ["tomatoes", "Lesson Robotics", "24"]
    ]
    assert len(page.texts("figure")) == 24
    assert page.texts("#files .pages") == ["24 in all"]
    assert "greenhouse" in page.texts("#readings tbody tr")[0]


def test_the_address_loses_its_token_and_the_page_can_be_loaded_again(page, browser, sandbox):
    plain = sandbox.ui_url.partition("?")[0]
    page.wait(lambda: browser.current_url == plain)
    browser.refresh()
    page.wait(lambda: page.texts("#state") == ["live"])
    browser.get(plain)
    page.wait(lambda: page.texts("#state") == ["live"])
    assert len(page.texts("h5")) == 3


def test_without_the_token_a_browser_is_told_what_to_do(browser, sandbox):
    browser.delete_all_cookies()
    browser.get(sandbox.ui_url.partition("?")[0])
    assert "Open the whole address that it printed" in browser.page_source
    browser.get("about:blank")


def test_a_log_entry_appears_while_one_looks(page, sandbox):
    page.open_log()
    assert "Checked in with the cloud" in page.texts("#machines tbody tr")[0]
    page.browser.execute_script("window.unchanged = true")
    sandbox.log(sandbox.robot_part_id, "It is live", level="warn", stack="here\nand there")
    row = page.wait(lambda: [text for text in page.texts("#machines tbody tr") if "It is live" in text])[0]
    assert row.split("\t")[1:3] == ["warn", "rdk"]
    page.find("#machines tbody summary").click()
    assert page.texts("#machines tbody pre")[0] == "here\nand there"
    # An open log stays open, and the page was not reloaded.
    sandbox.log(sandbox.robot_part_id, "Once more")
    page.wait(lambda: "Once more" in page.texts("#machines tbody tr")[0])
    assert page.texts("#machines tbody pre")[0] == "here\nand there"
    assert page.browser.execute_script("return window.unchanged")


def test_a_call_appears_while_one_looks(page, sandbox, client):
    client.app_client.list_organizations()
    page.wait(lambda: "ListOrganizations" in "".join(page.texts("#calls tbody tr")))
    _, rpc, who, status, took = page.texts("#calls tbody tr")[0].split("\t")
    assert (rpc, who, status) == ("ListOrganizations", "API key sandbox", "OK")
    assert float(took) >= 0
    with client.app_client.tail_robot_part_logs(sandbox.robot_part_id):
        page.wait(lambda: "running" in page.texts("#calls tbody tr")[0])
    page.wait(lambda: "CANCELLED" in page.texts("#calls tbody tr")[0])


def test_a_machine_comes_is_renamed_and_goes_while_one_looks(page, sandbox, client):
    id = client.app_client.new_robot("new", sandbox.location_id)
    page.wait(lambda: [text for text in page.texts("h5") if text.startswith("new ")])
    client.app_client.update_robot(id, "newer", sandbox.location_id)
    page.wait(lambda: [text for text in page.texts("h5") if text.startswith("newer ")])
    client.app_client.delete_robot(id)
    page.wait(lambda: len(page.texts("h5")) == 3)


def test_boxes_lie_where_they_are_in_the_image(page, sandbox, client):
    image = render_png(320, 100, (200, 200, 200), [Block(40, 10, 120, 60, (0, 0, 200))])
    upload = client.data_client.binary_data_capture_upload
    id = upload(image, sandbox.robot_part_id, "rdk:component:camera", "cam", "GetImages", file_extension=".png")
    client.data_client.add_bounding_box_to_image_by_id(id, "blue", 0.125, 0.1, 0.375, 0.6)
    page.wait(lambda: page.texts("figure:first-child .box") == ["blue"])
    page.wait(lambda: page.browser.execute_script("return document.querySelector('figure img').naturalWidth") == 320)
    ((left, top, width, height),) = page.rectangles("figure:first-child img")
    assert width / height == pytest.approx(3.2, abs=0.1)
    expected = [left + width * 0.125, top + height * 0.1, width * 0.25, height * 0.5]
    assert page.rectangles("figure:first-child .box") == [pytest.approx(expected, abs=1.5)]
    assert page.find("figure img").get_attribute("alt") == "Image from cam, rover, in it: blue"


def test_the_images_of_the_sample_are_loaded_with_one_box_each(page):
    page.browser.execute_script("document.querySelector('#files').scrollIntoView()")
    loaded = (
        "return Array.from(document.querySelectorAll('figure img')).filter((each) => each.naturalWidth === 64).length"
    )
    page.wait(lambda: page.browser.execute_script(loaded) >= 4)
    for box, image in zip(page.rectangles(".box")[:4], page.rectangles("figure img")[:4]):
        assert box[0] >= image[0] - 1.5
        assert box[1] >= image[1] - 1.5
        assert box[0] + box[2] <= image[0] + image[2] + 1.5
        assert box[1] + box[3] <= image[1] + image[3] + 1.5
    assert len(page.texts(".box")) == 24


NASTY = "<b>x</b><script>document.title = 'gone'</script><img src=x onerror=\"document.title = 'gone'\">"


@pytest.fixture
def weather(sandbox, client):
    """Upload three days of readings, with a gap, and return their number."""
    minutes = [minute for minute in range(4000) if not 1500 < minute < 1900]
    noon = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)
    times = [noon + timedelta(minutes=minute) for minute in minutes]
    readings = [{"temperature": 20 + minute % 7, "colour": NASTY, NASTY: minute} for minute in minutes]
    client.data_client.tabular_data_capture_upload(
        [{"readings": each} for each in readings],
        sandbox.robot_part_id,
        "rdk:component:sensor",
        "weather",
        "Readings",
        data_request_times=[(time, time) for time in times],
    )
    return len(minutes)


@pytest.fixture
def new_york(browser):
    """Put the browser there."""
    browser.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": "America/New_York"})
    yield
    browser.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": ""})


def test_a_sensor_is_charted_and_the_chart_stands_in_the_address(new_york, page, browser, weather):
    page.wait(lambda: len(page.texts("#sensors tbody tr")) == 2)
    page.find("#sensors tbody tr:last-child a").click()
    page.wait(lambda: page.texts("#chart svg"))
    for _ in range(2):
        assert page.texts("#chart h3") == ["rover / rover-main / weather / Readings"]
        assert page.texts("#chart h4") == [f"readings.{NASTY}"[:99] + "…", "readings.temperature"]
        (summary,) = page.texts("#chart p")
        assert summary.startswith(f"Readings: {weather:,}, from 2026-03-01 07:00:00 to ")
        assert "(America/New_York). Left out, as they are no numbers: readings.colour (text)." in summary
        # A gap makes two lines of one; midnight is that of the viewer.
        assert len(page.rectangles("#chart figure:last-child polyline")) == 2
        labels = page.contents("#chart figure:last-child text")
        assert labels[:4] == ["20", "22", "24", "26"]
        assert labels[4:] == ["12:00", "2026-03-02", "12:00", "2026-03-03", "12:00", "2026-03-04"]
        browser.refresh()
        page.wait(lambda: page.texts("#chart svg"))


def test_a_chart_is_read_by_keys_and_by_the_pointer_and_closed(new_york, page, weather):
    page.wait(lambda: len(page.texts("#sensors tbody tr")) == 2)
    page.find("#sensors tbody tr:last-child a").click()
    drawing = page.wait(lambda: page.texts("#chart svg") and page.find("#chart figure:last-child svg"))
    drawing.send_keys(Keys.END)
    assert page.texts("#chart figure:last-child output")[0].endswith(" 22")
    drawing.send_keys(Keys.HOME, Keys.ARROW_RIGHT)
    assert page.texts("#chart figure:last-child output")[0].startswith("2026-03-01 07:0")
    drawing.click()
    assert page.texts("#chart figure:last-child output")[0].startswith("2026-03-0")
    page.find("#chart nav a:nth-child(3)").send_keys(Keys.ENTER)
    page.wait(lambda: page.texts("#chart p")[0].startswith("Readings: 1,441, from "))
    assert page.browser.switch_to.active_element.text == "Last day"
    assert page.texts("#chart [aria-current=true]") == ["Last day"]
    page.browser.back()
    page.wait(lambda: page.texts("#chart p")[0].startswith(f"Readings: {weather:,}"))
    page.find("#chart nav a:last-child").click()
    page.wait(lambda: page.texts("#chart") == [""])


def test_lists_have_pages_which_stand_in_the_address(page, browser, sandbox, client):
    assert page.texts("#readings .pages") == ["First\nPrevious\n1 to 50 of 1,008 readings\nNext\nLast"]
    first = page.texts("#readings tbody tr")
    browser.execute_script("document.querySelector('#readings .pages').scrollIntoView({block: 'center'})")
    following = page.find("#readings .pages a:nth-of-type(3)")
    following.send_keys(Keys.ENTER)
    page.wait(lambda: "51 to 100 of" in page.texts("#readings .pages")[0])
    # The link keeps the focus.
    assert browser.switch_to.active_element == following
    second = page.texts("#readings tbody tr")
    assert len(second) == 50
    assert second != first
    following.send_keys(Keys.ENTER)
    page.wait(lambda: "101 to 150 of" in page.texts("#readings .pages")[0])
    browser.back()
    page.wait(lambda: "51 to 100 of" in page.texts("#readings .pages")[0])
    # Links go on from the address as it is now.
    page.find("#sensors tbody a").click()
    page.wait(lambda: "readings=2" in browser.current_url and "sensor=" in browser.current_url)
    browser.refresh()
    page.wait(lambda: page.texts("#chart svg"))
    assert page.texts("#readings tbody tr") == second


def test_a_log_has_pages_and_stays_open_when_the_page_is_loaded_again(page, browser, sandbox):
    for number in range(60):
        sandbox.log(sandbox.robot_part_id, f"message {number}")
    page.open_log()
    page.find("#machines .pages a:nth-of-type(3)")
    page.wait(lambda: "1 to 50 of" in page.texts("#machines details .pages")[0])
    page.find("#machines details .pages a:nth-of-type(3)").click()
    page.wait(lambda: "message 9" in page.texts("#machines tbody tr")[0])
    browser.refresh()
    page.wait(lambda: "message 9" in "".join(page.texts("#machines tbody tr")[:1]))
    page.find("#machines summary").click()
    page.wait(lambda: "log" not in browser.current_url)


def test_a_training_job_is_done_while_one_looks(page, sandbox, client):
    client.ml_training_client.submit_training_job(
        sandbox.organization_id, sandbox.dataset_id, "ripeness", "1", "MODEL_TYPE_OBJECT_DETECTION", ["ripe"]
    )
    page.wait(lambda: "pending" in "".join(page.texts("#jobs tbody tr")))
    sandbox.advance(60 + 10)
    page.wait(lambda: "completed" in "".join(page.texts("#jobs tbody tr")))


def test_names_and_texts_are_never_taken_for_html(page, sandbox, client):
    app, data = client.app_client, client.data_client
    app.new_robot(NASTY, sandbox.location_id)
    sandbox.log(sandbox.robot_part_id, NASTY, logger_name=NASTY, stack=NASTY, fields=[{NASTY: NASTY}])
    data.create_dataset(NASTY, sandbox.organization_id)
    upload = data.binary_data_capture_upload
    image = render_png(8, 8, (0, 0, 0), [])
    id = upload(image, sandbox.robot_part_id, NASTY, NASTY, NASTY, file_extension=".png", tags=[NASTY])
    data.add_bounding_box_to_image_by_id(id, NASTY, 0, 0, 1, 1)
    page.open_log()
    for selector in ("h5", "#machines tbody td", "#datasets td", "figcaption", ".tag", ".box"):
        page.wait(lambda selector=selector: NASTY[:40] in "".join(page.texts(selector)))
    assert page.texts("main b, main script") == []
    assert page.browser.title == "A look inside the sandbox"


def test_a_log_is_opened_by_the_keyboard_alone(page):
    summary = page.find("#machines summary")
    for _ in range(30):
        page.browser.switch_to.active_element.send_keys(Keys.TAB)
        if page.browser.switch_to.active_element == summary:
            break
    page.browser.switch_to.active_element.send_keys(Keys.ENTER)
    page.wait(lambda: page.texts("#machines tbody tr"))


SCALES = """
    const drawings = Array.from(document.querySelectorAll("#chart svg"));
    return drawings.map((each) => each.clientWidth / each.viewBox.baseVal.width)"""


@pytest.mark.parametrize("width", [360, 800, 1600])
def test_it_fits_the_width_of_the_screen(page, width):
    show_on_screen(page.browser, width)
    try:
        page.open_log()
        page.browser.execute_script("document.querySelector('#sensors td a').click()")
        page.wait(lambda: page.texts("#chart svg"))
        assert page.browser.execute_script("return document.documentElement.scrollWidth <= innerWidth")
        # Drawn anew for this width, its letters keep their size.
        page.wait(lambda: set(page.browser.execute_script(SCALES)) == {1})
    finally:
        page.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_its_text_stands_out_in_light_and_dark(page, scheme):
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    colours = page.browser.execute_script(
        "const style = getComputedStyle(document.body); return [style.color, style.backgroundColor]"
    )
    ink, paper = (luminance(colour) for colour in colours)
    assert (ink > paper) == (scheme == "dark")
    assert (max(ink, paper) + 0.05) / (min(ink, paper) + 0.05) > 7


def luminance(colour):
    """Return how light a colour such as "rgb(1, 2, 3)" is, from 0 to 1."""
    parts = [int(part) / 255 for part in colour[len("rgb(") : -1].split(",")]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear))
