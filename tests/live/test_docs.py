"""The page for people in a real browser, light and dark, wide and narrow: no word in its console, no request to another host."""

from urllib.parse import urlsplit

import pytest

from tests.live.test_cors import browser as browser  # noqa: PLC0414 - the fixture, with its reason for a skip

pytestmark = pytest.mark.live


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
@pytest.mark.parametrize("scripts", [True, False])
def test_the_page_loads_alone_and_quietly(up, browser, scheme, width, scripts):
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 800}, java_script_enabled=scripts)
    page, said, asked = context.new_page(), [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("requestfailed", lambda request: said.append(request.url))
    page.on("request", lambda request: asked.append(request.url))
    assert page.goto(f"{up.url}/").status == 200
    assert page.url == f"{up.url}/docs"
    assert page.get_by_role("heading", name="Slipway", exact=True).is_visible()
    page.get_by_role("link", name="GET An asset", exact=True).click()
    assert page.url.endswith("#getAsset")
    assert page.locator("#getAsset h3").is_visible()
    assert said == []
    assert {urlsplit(url).netloc for url in asked if not url.startswith("data:")} == {urlsplit(up.url).netloc}
    if scripts:
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (ground == "rgb(255, 255, 255)") is (scheme == "light")
    context.close()
