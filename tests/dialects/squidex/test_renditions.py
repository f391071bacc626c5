"""Renditions as a download asks for them; what comes out of each mode is the renderer's own test."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from app.core.errors import Code, problem
from app.core.refs import Index
from app.core.rendering import WAITED_MOST
from tests.dialects.house import Row
from tests.dialects.pictures import picture
from tests.dialects.squidex.speak import ASSETS, asset, file, refusal, token, upload

HOME = "/squidex/api/assets/acme"


@pytest.fixture
def made(door, mine):
    return asset(door, mine, picture("PNG", 120, 80))


def image(answer):
    opened = Image.open(io.BytesIO(answer.get_data()))
    return opened.format, opened.size


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("width=50&height=50&mode=Crop", ("PNG", (50, 50))),
        ("WIDTH=60", ("PNG", (60, 40))),
        ("height=40", ("PNG", (60, 40))),
        ("width=60&height=60&mode=Max&format=WEBP", ("WEBP", (60, 40))),
        ("width=60&height=60&mode=max&format=webp", ("WEBP", (60, 40))),
        ("width=60&height=60&mode=Min", ("PNG", (90, 60))),
        ("width=60&height=60&mode=Stretch", ("PNG", (60, 60))),
        ("width=60&height=60&mode=BoxPad&bg=ff0000", ("PNG", (60, 60))),
        ("width=60&height=60&mode=Pad&focusX=0.5&focusY=-0.5&nofocus=true&force=true", ("PNG", (60, 60))),
        ("width=200&height=200&mode=CropUpsize", ("PNG", (200, 200))),
        ("format=JPEG&quality=50", ("JPEG", (120, 80))),
        ("format=GIF", ("GIF", (120, 80))),
        ("format=BMP", ("BMP", (120, 80))),
        ("format=TIFF", ("TIFF", (120, 80))),
        ("width=0&height=-1&quality=0", ("PNG", (120, 80))),
        ("mode=Crop", ("PNG", (120, 80))),
        ("width=&height=40&mode=&format=&focusX=&nofocus=", ("PNG", (60, 40))),
    ],
)
def test_an_image_comes_in_the_shape_that_is_asked_for(door, made, query, wanted):
    answer = door.run(Row("GET", f"{HOME}/{made['id']}/?{query}", sends={"ETag": '"0"', "Content-Type": f"image/{wanted[0].lower()}"}))
    assert image(answer) == wanted
    again = door.run(Row("GET", f"{HOME}/{made['slug']}?{query}&cache=60", sends={"Cache-Control": "public,max-age=60"}))
    assert again.get_data() == answer.get_data()


@pytest.mark.parametrize(
    "query",
    [
        "width=x",
        "width=10001",
        "width=" + "9" * 30,
        "height=1.5",
        "quality=101",
        "mode=Squeeze",
        "mode=0",
        "format=TGA",
        "format=svg",
        "focusX=2&focusY=0",
        "focusX=nan&focusY=0",
        "focusX=x",
        "nofocus=perhaps",
        "auto=1",
        "bg=" + "f" * 40,
    ],
)
def test_a_shape_that_is_none_is_refused(door, made, query):
    door.run(Row("GET", f"{HOME}/{made['id']}?{query}", status=400, shows={"message": "Validation error"}))


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("image/webp,*/*", "image/webp"),
        ("text/html, image/avif;q=0.9, image/webp", "image/avif"),
        ("*/*", "image/png"),
        ("", "image/png"),
    ],
)
def test_the_client_may_leave_the_format_to_us(door, made, accept, wanted):
    door.run(Row("GET", f"{HOME}/{made['id']}?auto=true", {"Accept": accept}, sends={"Content-Type": wanted, "Vary": "Accept"}))
    door.run(Row("GET", f"{HOME}/{made['id']}?auto=true&format=JPEG", {"Accept": accept}, sends={"Content-Type": "image/jpeg"}))


def test_the_focus_of_the_asset_counts_where_the_query_has_none(door, mine):
    half = Image.new("RGB", (100, 50), "black")
    half.paste("white", (50, 0, 100, 50))
    content = io.BytesIO()
    half.save(content, "PNG")
    made = asset(door, mine, content.getvalue())
    door.run(Row("PUT", f"{ASSETS}/{made['id']}", mine, {"metadata": {"focusX": 1, "focusY": 0.0}}))

    def shade(query):
        answer = door.run(Row("GET", f"{HOME}/{made['id']}?width=20&height=20{query}"))
        return Image.open(io.BytesIO(answer.get_data())).convert("L").getpixel((10, 10))

    assert (shade(""), shade("&focusX=-1&focusY=0")) == (255, 0)
    assert shade("&nofocus=true") not in {shade(""), shade("&focusX=-1&focusY=0")}
    for focus in ({"focusX": "right", "focusY": 0}, {"focusX": 9, "focusY": 0}, {"focusX": True, "focusY": False}):
        door.run(Row("PUT", f"{ASSETS}/{made['id']}", mine, {"metadata": focus}))
        assert shade("") == shade("&nofocus=true")


def test_what_is_no_image_and_an_earlier_content_are_sent_as_they_are(door, mine, made):
    text = asset(door, mine, b"text", "a.txt", "text/plain")
    assert door.run(Row("GET", f"{HOME}/{text['id']}?width=50")).get_data() == b"text"
    upload(door, mine, file(picture("PNG", 30, 30)), path=f"{ASSETS}/{made['id']}/content", method="PUT", status=200)
    assert image(door.run(Row("GET", f"{HOME}/{made['id']}?width=50&version=0"))) == ("PNG", (120, 80))
    assert image(door.run(Row("GET", f"{HOME}/{made['id']}?width=20", sends={"ETag": '"1"'}))) == ("PNG", (20, 20))


def test_a_rendition_has_ranges_and_is_known_by_its_tag(door, made):
    path = f"{HOME}/{made['id']}?width=50"
    whole = door.run(Row("GET", path)).get_data()
    assert door.run(Row("GET", path, {"Range": "bytes=0-7"}, status=206)).get_data() == whole[:8]
    door.run(Row("GET", path, {"If-None-Match": '"0"'}, status=304))
    assert door.run(Row("HEAD", path, sends={"Content-Length": str(len(whole))})).get_data() == b""


def test_a_protected_asset_has_no_public_renditions(door, mine, made):
    path = f"{HOME}/{made['id']}?width=50"
    door.run(Row("GET", path))
    door.run(Row("PUT", f"{ASSETS}/{made['id']}", mine, {"isProtected": True}))
    door.run(Row("GET", path, status=403))
    door.run(Row("GET", path, mine))


def test_who_does_not_wait_asks_the_same_address_again(door, made):
    path = f"{HOME}/{made['id']}/na%C3%AFve.png?width=50"
    door.jobs.hold = True
    at = door.run(Row("GET", path, {"Prefer": "respond-async"}, status=202, sends={"Retry-After": "1"})).headers["Location"]
    assert at.endswith(path)
    door.jobs.run()
    assert image(door.run(Row("GET", at))) == ("PNG", (50, 33))


def test_an_operation_of_a_rendition_is_no_upload(door, mine, made):
    door.jobs.hold = True
    door.run(Row("GET", f"{HOME}/{made['id']}?width=50", {"Prefer": "respond-async"}, status=202))
    [(ref, _)] = door.house.records.due(Index.QUEUED, 1e12, 9)
    door.run(Row("GET", f"/squidex/api/operations/{ref.id}", mine, status=404))


def test_what_cannot_be_rendered_is_sent_as_it_is(open_door):
    door = open_door(SLIPWAY_SQUIDEX_PATIENCE="0.05")
    who = token(door)
    made = asset(door, who, picture("PNG", 120, 80))
    door.jobs.hold = True
    path = f"{HOME}/{made['id']}?width=50"
    door.run(Row("GET", path, status=202))
    [(ref, _)] = door.house.records.due(Index.QUEUED, 1e12, 9)
    door.house.reception.cancel(door.house.library.operation(door.principal(), ref.id), problem(Code.UNDECODABLE))
    door.jobs.hold = False
    assert image(door.run(Row("GET", path))) == ("PNG", (120, 80))


def test_who_asks_for_one_too_many_is_told_to_come_again(door, made):
    door.jobs.hold = True
    for width in range(1, WAITED_MOST + 1):
        door.run(Row("GET", f"{HOME}/{made['id']}?width={width}", {"Prefer": "respond-async"}, status=202))
    said = {"Retry-After": "5", "Content-Type": "application/json"}
    door.run(Row("GET", f"{HOME}/{made['id']}?width=50", status=503, sends=said, shows=refusal(503)))
    assert door.run(Row("GET", f"{HOME}/{made['id']}")).get_data() == picture("PNG", 120, 80)
    door.jobs.run()
    assert image(door.run(Row("GET", f"{HOME}/{made['id']}?width=1"))) == ("PNG", (1, 1))
