"""npm contentful-management 12 and 11, the plain client, unmodified, against a real `slipway up`.

upload: create (Buffer, ArrayBuffer, string, stream), get, delete. asset: create, createWithId, createFromFiles, get, getMany, getManyWithCursor,
getPublished, update, processForLocale, processForAllLocales, publish, unpublish, archive, unarchive, delete; and fetchAll and asIterator over them.
The methods with a cursor are declared in all versions; behind getPublishedWithCursor, and in version 11 behind both, the library has no endpoint.
"""

from __future__ import annotations

import json
import time
from uuid import uuid4

import pytest

from tests.clients.contentful.space import (
    DEFAULTS,
    ENVIRONMENT,
    NOT_FOUND,
    QUICK,
    SPACE,
    downloaded,
    file_of,
    is_an_upload,
    options,
    uploaded_bytes,
)
from tests.clients.keys import viewers_key
from tests.clients.node import Refused, array_buffer, bytes_, stream
from tests.services.pictures import photo

pytestmark = pytest.mark.live

TEXT = "A text, not a picture: grüße\n"
PICTURE = photo(120, 80, "PNG", seed=7)
LARGE = photo(1200, 900, "PNG", seed=8)  # more than a socket takes at once
UNKNOWN = "0000000000000000000000"


@pytest.fixture(params=["12", "11"])
def client(request, node):
    return node.door(f"{request.param}.createClient", options(), {"type": "plain", "defaults": DEFAULTS})


def refused(act) -> tuple[str, dict]:
    """The name of what the client throws, and its message, which is JSON."""
    with pytest.raises(Refused) as thrown:
        act()
    return thrown.value.name, json.loads(thrown.value.message)


def uploaded(client, content: bytes = PICTURE) -> str:
    return client("upload.create", {}, {"file": bytes_(content)})["sys"]["id"]


def created(client, **file_by_locale):
    """A new asset, not processed yet."""
    files = {locale.replace("_", "-"): file for locale, file in file_by_locale.items()}
    return client("asset.create", {}, {"fields": {"title": dict.fromkeys(files, "cat"), "file": files}})


def processed(client, content: bytes = PICTURE):
    """A new asset with one processed file."""
    return client("asset.processForAllLocales", {}, created(client, en_US=file_of(uploaded(client, content))), QUICK)


def named(asset) -> dict[str, str]:
    return {"assetId": asset["sys"]["id"]}


# ---------------------------------------------------------------- uploads


@pytest.mark.parametrize(
    ("file", "content"),
    [(bytes_(PICTURE), PICTURE), (array_buffer(PICTURE), PICTURE), (TEXT, TEXT.encode()), (stream(LARGE), LARGE), (stream(b"x"), b"x")],
    ids=["buffer", "array buffer", "string", "stream", "short stream"],
)
def test_an_upload_is_kept_as_it_came(client, file, content):
    upload = client("upload.create", {}, {"file": file})
    is_an_upload(upload["sys"])
    assert client("upload.get", {"uploadId": upload["sys"]["id"]}).value == upload.value
    assert uploaded_bytes(upload["sys"]["id"]) == content


def test_a_deleted_upload_is_gone(client):
    upload = {"uploadId": uploaded(client)}
    client("upload.delete", upload)
    for call in ("upload.get", "upload.delete"):
        name, said = refused(lambda call=call: client(call, upload))
        assert (name, said["status"], said["message"], said["details"]) == ("NotFound", 404, NOT_FOUND, NOT_FOUND)


def test_an_upload_of_nothing(client):
    name, said = refused(lambda: client("upload.create", {}, {"file": bytes_(b"")}))
    assert (name, said["status"], said["message"]) == ("BadRequest", 400, 'The "Content-Length" header must be greater than 0')
    with pytest.raises(Refused, match=r"The .{1,2}Content-Length.{1,2} header must be greater than 0"):  # in JSON from one version only
        client("upload.create", {}, {"file": stream(b"")})


# ---------------------------------------------------------------- from files to an asset


def test_files_of_two_locales_become_an_asset(client):
    german = photo(60, 40, "JPEG", seed=9)
    fields = {
        "title": {"en-US": "A cat", "de-DE": "Eine Katze"},
        "description": {},
        "file": {
            "en-US": {"contentType": "image/png", "fileName": "cat.png", "file": bytes_(PICTURE)},
            "de-DE": {"contentType": "image/jpeg", "fileName": "Katze groß.jpg", "file": stream(german)},
        },
    }
    draft = client("asset.createFromFiles", {}, {"fields": fields})
    assert draft["sys"]["version"] == 1
    assert set(draft["fields"]["file"]["de-DE"]) == {"contentType", "fileName", "uploadFrom"}

    done = client("asset.processForAllLocales", {}, draft, QUICK)
    assert done["sys"]["version"] == 3  # one more for each locale
    english, other = done["fields"]["file"]["en-US"], done["fields"]["file"]["de-DE"]
    assert set(english) == set(other) == {"contentType", "fileName", "url", "details"}
    assert english["details"] == {"size": len(PICTURE), "image": {"width": 120, "height": 80}}
    assert other["details"] == {"size": len(german), "image": {"width": 60, "height": 40}}
    assert (other["fileName"], other["contentType"]) == ("Katze groß.jpg", "image/jpeg")
    assert (downloaded(english["url"]), downloaded(other["url"])) == (PICTURE, german)
    assert done["fields"]["title"] == fields["title"]


def test_one_upload_for_two_assets_and_two_locales(client):
    upload = uploaded(client)
    first = created(client, en_US=file_of(upload, "a.png"), de_DE=file_of(upload, "b.png"))
    second = created(client, en_US=file_of(upload, "c.png"))
    for asset, locales in ((first, ("en-US", "de-DE")), (second, ("en-US",))):
        done = client("asset.processForAllLocales", {}, asset, QUICK)
        assert [downloaded(done["fields"]["file"][locale]["url"]) for locale in locales] == [PICTURE] * len(locales)
    assert client("upload.get", {"uploadId": upload})["sys"]["id"] == upload  # until it expires


def test_the_version_that_was_read_first_does_for_every_locale(client):
    upload = uploaded(client)
    draft = created(client, en_US=file_of(upload), de_DE=file_of(upload))
    for locale, version in (("en-US", 2), ("de-DE", 3)):
        assert client("asset.processForLocale", {}, draft, locale, QUICK)["sys"]["version"] == version


def test_an_asset_outlives_its_upload(client):
    upload = uploaded(client)
    done = client("asset.processForLocale", {}, created(client, en_US=file_of(upload)), "en-US", QUICK)
    client("upload.delete", {"uploadId": upload})
    assert downloaded(done["fields"]["file"]["en-US"]["url"]) == PICTURE


def test_what_is_no_image_has_no_dimensions(client):
    upload = client("upload.create", {}, {"file": TEXT})["sys"]["id"]
    done = client("asset.processForAllLocales", {}, created(client, en_US=file_of(upload, "notes.txt", "text/plain")), QUICK)
    kept = done["fields"]["file"]["en-US"]
    assert (kept["contentType"], kept["details"]) == ("text/plain", {"size": len(TEXT.encode())})
    assert downloaded(kept["url"]) == TEXT.encode()


def test_an_id_of_the_clients_choice(client):
    chosen = f"cat.{uuid4().hex}"
    asset = client("asset.createWithId", {"assetId": chosen}, {"fields": {"title": {"en-US": "cat"}}})
    assert (asset["sys"]["id"], asset["sys"]["type"], asset["sys"]["version"]) == (chosen, "Asset", 1)
    assert asset["sys"]["environment"]["sys"] == {"type": "Link", "linkType": "Environment", "id": ENVIRONMENT}
    assert client("asset.get", {"assetId": chosen}).value == asset.value
    name, said = refused(lambda: client("asset.createWithId", {"assetId": chosen}, {"fields": {}}))
    assert (name, said["status"], said["message"]) == ("VersionMismatch", 409, "")


# ---------------------------------------------------------------- the life of an asset


def test_versions_from_the_draft_to_the_end(client):
    asset = processed(client)
    assert asset["sys"]["version"] == 2

    published = client("asset.publish", named(asset), asset)
    sys = published["sys"]
    assert (sys["version"], sys["publishedVersion"], sys["publishedCounter"], sys["firstPublishedAt"]) == (3, 2, 1, sys["publishedAt"])

    changed = client("asset.update", named(asset), {**published.value, "fields": {**published["fields"], "title": {"en-US": "dog"}}})
    assert (changed["sys"]["version"], changed["sys"]["publishedVersion"], changed["fields"]["title"]) == (4, 2, {"en-US": "dog"})
    assert changed["fields"]["file"] == asset["fields"]["file"]

    hidden = client("asset.unpublish", named(asset))
    assert (hidden["sys"]["version"], hidden["sys"]["firstPublishedAt"]) == (5, sys["publishedAt"])
    assert not {"publishedAt", "publishedBy", "publishedVersion"} & set(hidden["sys"])

    archived = client("asset.archive", named(asset))
    assert (archived["sys"]["version"], archived["sys"]["archivedVersion"]) == (6, 5)
    back = client("asset.unarchive", named(asset))
    assert back["sys"]["version"] == 7
    assert not {"archivedAt", "archivedBy", "archivedVersion"} & set(back["sys"])

    client("asset.delete", named(asset))
    name, said = refused(lambda: client("asset.get", named(asset)))
    assert (name, said["status"], said["message"]) == ("NotFound", 404, NOT_FOUND)
    assert said["details"] == {"type": "Asset", "space": SPACE, "environment": ENVIRONMENT, "id": asset["sys"]["id"]}


def test_locales_are_published_one_by_one(client):
    upload = uploaded(client)
    asset = client("asset.processForAllLocales", {}, created(client, en_US=file_of(upload), de_DE=file_of(upload)), QUICK)
    published = client("asset.publish", {**named(asset), "locales": ["en-US", "de-DE"]}, asset)
    assert published["sys"]["publishedVersion"] == asset["sys"]["version"]
    fewer = client("asset.unpublish", {**named(asset), "locales": ["de-DE"]}, published)
    assert fewer["sys"]["version"] == published["sys"]["version"] + 1


def test_a_new_file_takes_the_place_of_the_old(client):
    asset = processed(client)
    other = photo(30, 20, "PNG", seed=10)
    fields = {**asset["fields"], "file": {"en-US": file_of(uploaded(client, other), "other.png")}}
    changed = client("asset.update", named(asset), {**asset.value, "fields": fields})
    assert "url" not in changed["fields"]["file"]["en-US"]
    done = client("asset.processForLocale", {}, changed, "en-US", QUICK)
    file = done["fields"]["file"]["en-US"]
    assert (file["fileName"], file["details"]["image"], downloaded(file["url"])) == ("other.png", {"width": 30, "height": 20}, other)


# ---------------------------------------------------------------- lists


@pytest.fixture
def three(client):
    """Three assets whose ids tell them from everything else."""
    ids = [f"list.{uuid4().hex}" for _ in range(3)]
    for one in ids:
        client("asset.createWithId", {"assetId": one}, {"fields": {"title": {"en-US": one}}})
    return ids


def test_pages_of_a_list(client, three):
    query = {"sys.id[in]": ",".join(three), "order": "sys.createdAt"}
    page = client("asset.getMany", {"query": {**query, "skip": 1, "limit": 1}})
    assert (page["sys"], page["total"], page["skip"], page["limit"]) == ({"type": "Array"}, 3, 1, 1)
    assert [asset["sys"]["id"] for asset in page["items"]] == [three[1]]
    assert page["items"][0] == client("asset.get", {"assetId": three[1]}).value
    newest = client("asset.getMany", {"query": {**query, "order": "-sys.createdAt"}})
    assert [asset["sys"]["id"] for asset in newest["items"]] == three[::-1]


def test_a_query_as_long_as_the_vendor_takes_it(client, three):
    """The vendor's limit of a URL is 7,600 characters."""
    others = [f"{number:022}" for number in range(310)]
    assert client("asset.getMany", {"query": {"sys.id[in]": ",".join([*others, *three])}})["total"] == 3


def test_whatever_walks_over_the_pages_sees_all(client, node, three, request):
    door = request.node.callspec.params["client"]
    query = {"sys.id[in]": ",".join(three), "order": "sys.createdAt", "limit": 2}
    for walk in ("fetchAll", "iterate"):
        assert [asset["sys"]["id"] for asset in node.door(f"{door}.{walk}", client, {"query": query}).value] == three


def test_cursors(node, three):
    client = node.door("12.createClient", options(), {"type": "plain", "defaults": DEFAULTS})
    query = {"sys.id[in]": ",".join(three), "order": "sys.createdAt", "limit": 2}
    first = client("asset.getManyWithCursor", {"query": query})
    assert [asset["sys"]["id"] for asset in first["items"]] == three[:2]
    assert "prev" not in first["pages"]
    second = client("asset.getManyWithCursor", {"query": {**query, "pageNext": first["pages"]["next"]}})
    assert [asset["sys"]["id"] for asset in second["items"]] == three[2:]
    assert "next" not in second["pages"]
    back = client("asset.getManyWithCursor", {"query": {**query, "pagePrev": second["pages"]["prev"]}})
    assert back["items"] == first["items"]


def test_only_published_assets_are_public(client, three):
    asset = processed(client)
    client("asset.publish", named(asset), asset)
    query = {"sys.id[in]": ",".join([*three, asset["sys"]["id"]])}
    assert [found["sys"]["id"] for found in client("asset.getPublished", {"query": query})["items"]] == [asset["sys"]["id"]]


# ---------------------------------------------------------------- what goes wrong


def url_is_required(client):
    asset = created(client, en_US=file_of(uploaded(client)))
    return lambda: client("asset.publish", named(asset), asset)


def no_file_for_the_locale(client):
    asset = created(client, en_US=file_of(uploaded(client)))
    return lambda: client("asset.processForLocale", {}, asset, "zzz-AC", QUICK)


def no_source_for_the_file(client):
    asset = created(client, en_US={"contentType": "image/png", "fileName": "cat.png"})
    return lambda: client("asset.processForLocale", {}, asset, "en-US", QUICK)


def an_upload_that_is_unknown(client):
    asset = created(client, en_US=file_of(UNKNOWN))
    return lambda: client("asset.processForLocale", {}, asset, "en-US", QUICK)


def a_type_that_is_forbidden(client):
    asset = created(client, en_US=file_of(uploaded(client, b"<script>"), "page.html", "text/html"))
    return lambda: client("asset.processForLocale", {}, asset, "en-US", QUICK)


@pytest.mark.parametrize(
    ("prepare", "errors"),
    [
        (url_is_required, [("required", ["fields", "file", "en-US", "url"], 'The property "url" is required here')]),
        (no_file_for_the_locale, [(None, ["fields", "file", "zzz-AC"], "No file specified for locale: zzz-AC")]),
        (no_source_for_the_file, [("required", ["fields", "file", "en-US", source], None) for source in ("upload", "uploadFrom")]),
        (an_upload_that_is_unknown, [(None, ["fields", "file", "en-US", "uploadFrom"], None)]),
        (a_type_that_is_forbidden, [(None, ["fields", "file", "en-US", "contentType"], None)]),
    ],
)
def test_what_does_not_validate_says_where(client, prepare, errors):
    name, said = refused(prepare(client))
    assert (name, said["status"]) == ("ValidationFailed", 422)
    found = said["details"]["errors"]
    assert [error["path"] for error in found] == [path for _, path, _ in errors]
    assert all(error["name"] == kind for error, (kind, _, _) in zip(found, errors, strict=True) if kind)
    assert all(error["details"] == words for error, (_, _, words) in zip(found, errors, strict=True) if words)


def test_stale_versions(client):
    asset = processed(client)
    stale = {**asset.value, "sys": {**asset["sys"], "version": 1}}
    for call in ("asset.update", "asset.publish"):
        name, said = refused(lambda call=call: client(call, named(asset), stale))
        assert (name, said["status"], said["message"], said["details"]) == ("VersionMismatch", 409, "", {})
        assert len(said["requestId"]) == 32


def test_steps_that_do_not_follow(client):
    asset = processed(client)
    for call, words in (("unpublish", "Not published"), ("unarchive", "Not archived")):
        name, said = refused(lambda call=call: client(f"asset.{call}", named(asset)))
        assert (name, said["status"], said["message"]) == ("BadRequest", 400, words)
    client("asset.publish", named(asset), asset)
    for call, words in (("archive", "Cannot archive published"), ("delete", "Cannot delete published")):
        name, said = refused(lambda call=call: client(f"asset.{call}", named(asset)))
        assert (name, said["status"], said["message"]) == ("BadRequest", 400, words)


@pytest.mark.parametrize("version", ["12", "11"])
def test_tokens_that_do_not_do(node, version):
    wrong = node.door(f"{version}.createClient", options(accessToken="CFPAT-forged"), {"type": "plain", "defaults": DEFAULTS})
    for act in (lambda: wrong("upload.create", {}, {"file": TEXT}), lambda: wrong("asset.getMany", {})):
        name, said = refused(act)
        assert (name, said["status"]) == ("AccessTokenInvalid", 401)
    reader = node.door(f"{version}.createClient", options(accessToken=viewers_key()), {"type": "plain", "defaults": DEFAULTS})
    for act in (lambda: reader("upload.create", {}, {"file": TEXT}), lambda: reader("asset.create", {}, {"fields": {}})):
        name, said = refused(act)
        assert (name, said["status"]) == ("AccessDenied", 403)
    assert reader("asset.getMany", {})["sys"] == {"type": "Array"}


@pytest.mark.parametrize("call", ["assetKey.create", "appUpload.create", "uploadCredential.create", "release.asset.getMany"])
def test_what_belongs_to_other_apis_is_not_found(client, call):
    """Embargoes, apps and releases: the client has them beside uploads and assets."""
    name, said = refused(
        lambda: client(call, {"organizationId": "o", "releaseId": "r"}, {"expiresAt": int(time.time()) + 3600, "file": TEXT})
    )
    assert (name, said["status"]) == ("NotFound", 404)
