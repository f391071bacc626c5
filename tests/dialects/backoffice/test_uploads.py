"""The Backoffice door: an image in a form, its key in the answer, and what is waited for."""

from __future__ import annotations

import pytest

from app.core.operation import Status
from app.core.policy import MIB
from app.dialects.backoffice import POLICY
from tests.dialects.backoffice.speak import KEY, PLACE, TYPE, form, key, nothing_left, part, refusal, send, uploaded
from tests.dialects.house import BASE, CHUNKED, Row
from tests.dialects.pictures import picture

NAMES = [("photo.jpg", "JPEG"), ("photo.jpeg", "JPEG"), ("photo.gif", "GIF"), ("photo.png", "PNG"), ("photo.webp", "WEBP")]


def asset_of(door, key):
    """What became of an upload, by its key."""
    assets = [door.house.library.asset(door.principal(), name.split(":")[2]) for name in door._redis().scan_iter("as:*")]
    [found] = [asset for asset in assets if asset.metadata["key"] == key]
    return found


def test_the_limits_are_the_pages():
    assert POLICY.max_bytes == 15 * MIB == 15_728_640
    assert POLICY.asset_ttl is None


@pytest.mark.parametrize(("name", "kind"), NAMES)
def test_an_image_of_every_extension(door, mine, name, kind):
    extension = name.rpartition(".")[2]
    given = uploaded(door, mine, part(filename=name, content=picture(kind), media_type=None))
    assert given.endswith(f".{extension}")
    asset = asset_of(door, given)
    assert (asset.filename, asset.facts.media_type, asset.expires_at) == (name, f"image/{kind.lower()}", None)
    with door.house.library.read(asset, 0, asset.facts.size) as fetched:
        assert b"".join(fetched.chunks) == picture(kind)


@pytest.mark.parametrize(
    "name", ["PHOTO.PNG", "a.b.Png", ".png", "photo.png ", "a folder/ph\u00f6t\u00f6.png", "C:\\\\pictures\\\\photo.png"]
)
def test_the_extension_in_whatever_letters(door, mine, name):
    assert uploaded(door, mine, part(filename=name)).endswith(".png")


@pytest.mark.parametrize("declared", [None, "application/octet-stream", "image/jpeg", "text/plain", "no type"])
def test_the_declared_type_counts_for_nothing(door, mine, declared):
    uploaded(door, mine, part(media_type=declared))


@pytest.mark.parametrize(
    ("declared", "kind", "extension"),
    [
        ("image/jpeg", "JPEG", "jpg"),
        ("image/jpg", "JPEG", "jpg"),
        ("image/gif", "GIF", "gif"),
        ("Image/PNG", "PNG", "png"),
        ("image/webp; q=1", "WEBP", "webp"),
    ],
)
def test_a_file_without_a_name_is_what_the_form_declares(door, mine, declared, kind, extension):
    """`formdata.append("image", file, "")`, as in the sample for browsers."""
    given = uploaded(door, mine, part(filename="", content=picture(kind), media_type=declared))
    assert given.endswith(f".{extension}")
    assert (asset_of(door, given).filename, asset_of(door, given).facts.media_type) == (f"image.{extension}", f"image/{kind.lower()}")


def test_fields_beside_the_file_do_no_harm(door, mine):
    uploaded(
        door, mine, part("before", None, b"1"), part(), part("image", None, b"a text field of the same name"), part("after", None, b"2")
    )


def test_a_chunked_form(door, mine):
    uploaded(door, mine, environ=CHUNKED)


def test_two_uploads_of_the_same_bytes_have_two_keys(door, mine):
    assert uploaded(door, mine) != uploaded(door, mine)


# ---------------------------------------------------------------- the limit counts the file, not the form around it


def size_of(content):
    return {"SLIPWAY_BACKOFFICE_MAX_BYTES": str(len(content))}


@pytest.mark.parametrize("environ", [{}, CHUNKED])
def test_a_file_of_exactly_the_limit_is_taken(open_door, environ):
    door = open_door(**size_of(picture()))
    uploaded(door, key(door), environ=environ)


@pytest.mark.parametrize("environ", [{}, CHUNKED])
@pytest.mark.parametrize("more", [1, 100_000])
def test_a_byte_more_is_400(open_door, environ, more):
    door = open_door(**size_of(picture()))
    send(door, key(door), part(content=picture() + bytes(more)), status=400, environ=environ, shows=refusal(str(len(picture()))))
    assert nothing_left(door)


def test_a_body_that_cannot_hold_so_small_a_file_is_refused_unread(door, mine):
    row = Row("POST", PLACE, mine | TYPE, b"", 400, environ={"CONTENT_LENGTH": str(17 * MIB)}, shows=refusal(str(15 * MIB)))
    assert door.run(row).headers["Connection"] == "close"


# ---------------------------------------------------------------- every 400


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ((part("note", None, b"no file"),), ["no file"]),
        ((part("image", None, picture()),), ["no file"]),
        ((part("file"),), ["'image'", "'file'"]),
        ((part("Image"),), ["'image'"]),
        ((part("", "photo.png"),), ["'image'"]),
        ((part(content=b""),), ["empty"]),
        ((part(filename="", content=b""),), ["empty"]),
        ((part(filename="", content=b"", media_type="application/octet-stream"),), ["no file was chosen", "must end in"]),
        ((part(filename="", media_type=None),), ["without a name", "must end in"]),
        ((part(filename="", media_type="image/tiff"),), ["without a name", "must end in"]),
        ((part(filename="", media_type="image/jpeg"),), ["image/png", "declared as image/jpeg"]),
        ((part(), part(filename="two.png")), ["more than one file"]),
        ((part(), part("other", "two.png")), ["more than one file"]),
        ((part("other", "two.png"), part()), ["'image'"]),
        ((part(filename="photo"),), ["must end in", "jpg, jpeg, gif, png, webp"]),
        ((part(filename="png"),), ["must end in"]),
        ((part(filename="photo.tiff", content=picture("TIFF")),), ["must end in"]),
        ((part(filename="photo.pdf", content=b"%PDF-1.4"),), ["must end in"]),
        ((part(filename="photo.svg", content=b"<svg xmlns='http://www.w3.org/2000/svg'/>"),), ["must end in"]),
        ((part(filename="photo.png", content=picture("JPEG")),), ["image/jpeg", "photo.png"]),
        ((part(filename="photo.jpg", content=picture("PNG")),), ["image/png", "photo.jpg"]),
        ((part(filename="photo.gif", content=picture("WEBP")),), ["image/webp", "photo.gif"]),
        ((part(filename="photo.webp", content=b"%PDF-1.4 and so on"),), ["application/pdf", "photo.webp"]),
        ((part(content=b"this is no image"),), ["not an image"]),
        ((part(content=picture()[:-20]),), ["incomplete"]),
        ((part(filename="a" * 252 + ".png"),), ["255"]),
        ((part(filename="photo\0.png"),), ["NUL"]),
    ],
)
def test_400(door, mine, parts, words):
    send(door, mine, *parts, status=400, sends={"Content-Type": "application/json"}, shows=refusal(*words))
    assert nothing_left(door)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (None, None),
        (None, picture()),
        ("image/png", picture()),
        ("application/json", b'{"image": "photo.png"}'),
        ("application/x-www-form-urlencoded", b"image=photo.png"),
        ("multipart/form-data", form(part())),
        ("multipart/form-data; boundary=other", form(part())),
        (TYPE["Content-Type"], b""),
        (TYPE["Content-Type"], form()),
        (TYPE["Content-Type"], form(part())[:-60]),
        (TYPE["Content-Type"], b"\0\xff" * 5000),
    ],
)
def test_400_for_what_is_no_form(door, mine, content_type, body):
    headers = mine | ({"Content-Type": content_type} if content_type else {})
    door.run(Row("POST", PLACE, headers, body, 400, shows=refusal()))
    assert nothing_left(door)


def test_400_for_too_many_pixels(open_door):
    door = open_door(SLIPWAY_BACKOFFICE_MAX_PIXELS="47")
    send(door, key(door), status=400, shows=refusal("48", "47"))
    assert nothing_left(door)


def test_a_format_that_the_house_does_not_take(open_door):
    door = open_door(SLIPWAY_BACKOFFICE_MEDIA_TYPES="image/jpeg,image/png")
    send(door, key(door), part(filename="photo.gif", content=picture("GIF")), status=400, shows=refusal("jpg, jpeg, png"))
    uploaded(door, key(door))


def test_a_client_that_leaves_leaves_nothing(door, mine):
    environ = {"CONTENT_LENGTH": str(len(form(part())) + 1)}
    send(door, mine, status=400, environ=environ, shows=refusal())
    assert nothing_left(door)


# ---------------------------------------------------------------- what takes longer


@pytest.fixture
def hasty(open_door):
    """A door whose workers are away, and who waits for nobody."""
    door = open_door(SLIPWAY_BACKOFFICE_PATIENCE="0")
    door.jobs.hold = True
    return door


LATER = {"Location": lambda place: place.startswith(f"{BASE}/backoffice/operations/"), "Retry-After": lambda seconds: int(seconds) > 0}


def promised(door, who, *parts):
    """Where to look for the answer."""
    answer = send(door, who, *parts, status=202, sends=LATER, shows={"data": lambda data: "key" not in data})
    return answer.headers["Location"]


def test_202_beyond_patience_and_then_the_same_answer(hasty):
    who = key(hasty)
    place = promised(hasty, who)
    for _ in range(2):
        hasty.run(Row("GET", place, who, status=202, sends=LATER))
    hasty.jobs.run()
    first, second = (hasty.run(Row("GET", place, who, sends={"Retry-After": None})).get_json() for _ in range(2))
    assert first == second
    assert KEY.fullmatch(first["data"]["key"])
    assert asset_of(hasty, first["data"]["key"])


def test_202_and_then_the_400_that_it_would_have_been(hasty):
    who = key(hasty)
    place = promised(hasty, who, part(content=picture("JPEG")))
    hasty.jobs.run()
    hasty.run(Row("GET", place, who, status=400, shows=refusal("image/jpeg", "photo.png")))
    assert nothing_left(hasty)


def test_202_and_then_400_when_it_was_cancelled(hasty):
    who = key(hasty)
    place = promised(hasty, who)
    op = hasty.house.library.operation(hasty.principal(), place.rpartition("/")[2])
    assert hasty.house.reception.cancel(op).status is Status.CANCELLED
    hasty.run(Row("GET", place, who, status=400, shows=refusal("cancelled")))
    assert nothing_left(hasty)


def test_respond_async_is_answered_at_once(door, mine):
    door.jobs.hold = True
    headers = {"Prefer": "respond-async"}
    answer = send(door, mine, status=202, headers=headers, sends=LATER | {"Preference-Applied": "respond-async"})
    door.jobs.run()
    door.run(Row("GET", answer.headers["Location"], mine, shows={"data": lambda data: KEY.fullmatch(data["key"])}))


@pytest.mark.parametrize("id", ["x", "0190d6e5-0000-7000-8000-000000000000", "x" * 300, "%00"])
def test_404_for_an_operation_that_never_was(door, mine, id):
    door.run(Row("GET", f"/backoffice/operations/{id}", mine, status=404, shows=refusal("Entity not found")))


def test_404_for_another_tenants_operation(hasty):
    hasty.run(Row("GET", promised(hasty, key(hasty)), key(hasty, tenant="other"), status=404, shows=refusal("Entity not found")))


def test_404_for_an_operation_of_another_door(door, mine):
    answer = door.send("POST", "/v1/uploads", door.key(), picture())
    place = answer.headers["Location"].replace("/v1/", "/backoffice/")
    door.run(Row("GET", place, mine, status=404, shows=refusal("Entity not found")))
