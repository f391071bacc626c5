"""The Wdesk door: the import of files, row by row of what is published, and what is ours of it."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest

from tests.dialects.house import BASE, CHUNKED, Row, has, says
from tests.dialects.pictures import picture
from tests.dialects.wdesk.speak import NEW, OLD, image_of, initiate, refusal, token, uploaded

GENERAL = "/wdesk/platform/v1"
FAMILIES = pytest.mark.parametrize("family", [NEW, OLD, GENERAL])
ROWS = b"a,b\n1,2\n"


def begin(door, who, body, family=NEW):
    return door.run(Row("POST", f"{family}/files/import", who, body, 202)).get_json()


def imported(door, who, content=ROWS, family=NEW, **body):
    """The promise of an import whose bytes came."""
    promise = begin(door, who, {"fileName": "rows.csv"} | body, family)
    door.run(Row("PUT", promise["uploadUrl"], who, content))
    return promise


def result_of(door, who, promise):
    [found] = door.run(Row("GET", f"{promise['operationLocation']}/importFileResults", who)).get_json()["data"]
    return found


@FAMILIES
@pytest.mark.parametrize("content", [ROWS, b"PK\3\4 this is no real package", picture(), picture()[:-20], bytes(100_000)])
def test_a_file_all_the_way(door, mine, family, content):
    shown = door.run(
        Row(
            "POST",
            f"{family}/files/import",
            mine,
            {"fileName": "Rows.CSV", "kind": "Spreadsheet"},
            202,
            sends={"Content-Type": "application/json", "Retry-After": lambda v: 1 <= int(v) <= 60},
        )
    )
    promise = shown.get_json()
    assert set(promise) == {"uploadUrl", "operationId", "operationLocation"}
    assert shown.headers["Location"] == promise["operationLocation"] == f"{BASE}{family}/operations/{promise['operationId']}"
    query = {name: values[0] for name, values in parse_qs(urlsplit(promise["uploadUrl"]).query).items()}
    assert int(query["expire"]) == pytest.approx(door.room.records.now() + 600, abs=5)

    door.run(
        Row("GET", promise["operationLocation"], mine, sends={"Retry-After": bool}, shows={"status": "acknowledged", "resourceUrl": None})
    )
    assert door.run(Row("PUT", promise["uploadUrl"], mine, content)).get_data() == b""
    done = door.run(Row("GET", promise["operationLocation"], mine, shows={"status": "completed", "details": None})).get_json()
    assert done["resourceUrl"] == f"{promise['operationLocation']}/importFileResults"
    UUID(done["originalRequest"])

    results = door.run(Row("GET", done["resourceUrl"], mine)).get_json()
    assert set(results) == {"data"}
    [result] = results["data"]
    assert {name: result[name] for name in ("kind", "container")} == {"kind": "Spreadsheet", "container": ""}
    file = door.run(Row("GET", f"{family}/files/{result['id']}", mine)).get_json()
    assert file == {**file, **result, "name": "Rows.CSV", "state": "Active", "template": False}
    assert file["created"]["user"] == {"id": "acme:default"}
    got = door.run(Row("GET", file["downloadUrl"], mine, sends={"X-Content-Type-Options": "nosniff"}))
    assert got.get_data() == content
    assert "attachment" in got.headers["Content-Disposition"]


@pytest.mark.parametrize(
    ("name", "said", "kind"),
    [
        ("a.xlsx", None, "Spreadsheet"),
        ("a.CSV", None, "Spreadsheet"),
        ("a.docx", None, "Document"),
        ("a.pptx", None, "Presentation"),
        ("a.vsdx", None, "Presentation"),
        ("a.vsdx", "Document", "Document"),
        ("a.tar.gz", None, "SupportingDocument"),
        ("a.tar.gz", "Workiva", "SupportingDocument"),
        ("a.exe", "SupportingDocument", "SupportingDocument"),
        ("a", "SupportingDocument", "SupportingDocument"),
    ],
)
def test_the_kind_is_as_said_or_as_the_extension_says(door, mine, name, said, kind):
    assert result_of(door, mine, imported(door, mine, fileName=name, kind=said))["kind"] == kind


@pytest.mark.parametrize(
    ("kind", "options", "container"),
    [
        ("SupportingDocument", {"containerId": "folder"}, "folder"),
        ("SupportingDocument", {"containerId": "", "later": 1}, ""),
        ("SupportingDocument", {}, ""),
        ("SupportingDocument", None, ""),
        ("Spreadsheet", {"containerId": "folder"}, ""),
    ],
)
def test_the_container_of_a_supporting_document_is_given_back(door, mine, kind, options, container):
    promise = imported(door, mine, kind=kind, supportingDocumentImportOptions=options, workivaFileImportOptions=None, later={"more": 1})
    assert result_of(door, mine, promise)["container"] == container


@FAMILIES
@pytest.mark.parametrize(
    ("body", "words"),
    [
        (None, ["object"]),
        (b"{", ["JSON"]),
        (b"fileName=a.csv", ["JSON"]),
        (b"[]", ["object"]),
        (b"{}", ["fileName"]),
        (b'{"fileName": ""}', ["fileName"]),
        (b'{"fileName": 7}', ["fileName"]),
        (b'{"fileName": "a.csv\\u0000"}', ["fileName"]),
        (b'{"fileName": "a\\u0000.csv"}', ["NUL"]),
        (b'{"fileName": "a\\ud800.csv"}', ["JSON"]),
        (b'{"fileName": "a.pdf"}', ["fileName", ".tar.gz", "SupportingDocument"]),
        (b'{"fileName": "a.pdf", "kind": "Document"}', ["fileName", ".docx"]),
        (b'{"fileName": "csv"}', ["fileName"]),
        (b'{"fileName": "a.csv", "kind": "Folder"}', ["kind"]),
        (b'{"fileName": "a.csv", "kind": 7}', ["kind"]),
        (b'{"fileName": "a.csv", "supportingDocumentImportOptions": "x"}', ["supportingDocumentImportOptions"]),
        (b'{"fileName": "a.csv", "supportingDocumentImportOptions": {"containerId": 7}}', ["containerId"]),
        (b'{"fileName": "a.csv", "supportingDocumentImportOptions": {"containerId": "' + b"x" * 256 + b'"}}', ["containerId"]),
        (b'{"fileName": "a.csv", "workivaFileImportOptions": []}', ["workivaFileImportOptions"]),
        (b'{"fileName": "' + b"a" * 256 + b'.csv"}', ["255"]),
    ],
)
def test_400(door, mine, family, body, words):
    headers = mine | {"Content-Type": "application/json"}
    door.run(Row("POST", f"{family}/files/import", headers, body, 400, {"Content-Type": "application/json"}, refusal(400, *words)))


@pytest.mark.parametrize(("more", "status"), [(0, 200), (1, 400)])
@pytest.mark.parametrize("environ", [{}, CHUNKED])
def test_the_limit_of_bytes_is_the_images(open_door, more, status, environ):
    door = open_door(SLIPWAY_WDESK_MAX_BYTES="8")
    who = token(door)
    promise = begin(door, who, {"fileName": "rows.csv"})
    door.run(Row("PUT", promise["uploadUrl"], who, ROWS[:8] + bytes(more), status, environ=environ))
    ended = {"status": "completed"} if status == 200 else {"status": "failed", "details": says("TooLarge", "file")}
    door.run(Row("GET", promise["operationLocation"], who, shows=ended))


def test_400_and_failed_for_a_put_of_nothing(door, mine):
    promise = begin(door, mine, {"fileName": "rows.csv"})
    door.run(Row("PUT", promise["uploadUrl"], mine, b"", 400, shows=refusal(400, "empty")))
    failed = {"status": "failed", "details": lambda d: d[0]["code"] == "EmptyBody" and d[0]["target"] == "file"}
    door.run(Row("GET", promise["operationLocation"], mine, shows=failed))
    door.run(Row("GET", f"{promise['operationLocation']}/importFileResults", mine, status=404, shows=refusal(404)))


def test_a_file_stays_and_an_image_goes(door, mine):
    file = result_of(door, mine, imported(door, mine))["id"]
    image = image_of(door, mine, uploaded(door, mine))
    door.pass_time(25 * 3600)
    door.sweep()
    mine = token(door)
    door.run(Row("GET", f"/wdesk/files/{file}", mine))
    door.run(Row("GET", f"/wdesk/content/images/{image}", mine, status=404))


def test_a_deadline_of_ten_minutes(door, mine):
    promise = begin(door, mine, {"fileName": "rows.csv"})
    door.pass_time(601)
    door.run(Row("PUT", promise["uploadUrl"], token(door), ROWS, 409, shows=refusal(409)))


def test_images_are_no_files_and_files_are_no_images(door, mine):
    import_, upload = imported(door, mine), uploaded(door, mine)
    file, image = result_of(door, mine, import_)["id"], image_of(door, mine, upload)
    for method, path in (
        ("GET", f"/wdesk/content/images/{file}"),
        ("PATCH", f"/wdesk/content/images/{file}"),
        ("GET", f"/wdesk/s/blob-storage/api/v1/images/{file}?action=download"),
        ("GET", f"/wdesk/files/{image}"),
        ("GET", f"/wdesk/s/blob-storage/api/v1/files/{image}?action=download"),
        ("GET", f"{import_['operationLocation']}/imageUploadResults"),
        ("GET", f"{upload['operationLocation']}/importFileResults"),
    ):
        door.run(Row(method, path, mine, {"usage": "a"} if method == "PATCH" else None, 404, shows=refusal(404)))


@FAMILIES
@pytest.mark.parametrize("path", ["/files/x", "/files/" + "0" * 32, "/files/0190d6e5-0000-7000-8000-000000000000"])
def test_404_for_what_is_unknown(door, mine, family, path):
    door.run(Row("GET", family + path, mine, status=404, shows=refusal(404)))


def test_404_for_what_is_another_tenants_or_of_another_door(door, mine):
    promise = imported(door, mine)
    file = result_of(door, mine, promise)["id"]
    stranger = token(door, tenant="other")
    for path in (f"/wdesk/files/{file}", promise["operationLocation"], f"{promise['operationLocation']}/importFileResults"):
        door.run(Row("GET", path, stranger, status=404, shows=refusal(404)))
    native = door.send("POST", "/v1/uploads", door.key(), picture()).headers["Location"]
    asset = door.send("GET", native, door.key()).get_json()["resourceUrl"].rpartition("/")[2]
    for path in (
        native.replace("/v1/", "/wdesk/"),
        f"/wdesk/files/{asset.replace('-', '')}",
        f"/wdesk/content/images/{asset.replace('-', '')}",
    ):
        door.run(Row("GET", path, mine, status=404, shows=refusal(404)))


@FAMILIES
def test_401_and_403(door, mine, family):
    promise = imported(door, mine, family=family)
    file = f"{family}/files/{result_of(door, mine, promise)['id']}"
    results = f"{promise['operationLocation']}/importFileResults"
    download = door.send("GET", file, mine).get_json()["downloadUrl"]
    reader, writer = token(door, scope="file:read"), token(door, scope="file:write")
    body = {"fileName": "rows.csv"}
    for method, path, allowed, denied in (
        ("POST", f"{family}/files/import", writer, reader),
        ("GET", file, reader, writer),
        ("GET", results, reader, writer),
        ("GET", download, reader, writer),
    ):
        assert door.send(method, path, allowed, body if method == "POST" else None).status_code in {200, 202}
        door.run(Row(method, path, denied, body if method == "POST" else None, 403, shows=refusal(403)))
        door.run(Row(method, path, {}, body if method == "POST" else None, 401, shows=refusal(401)))


@pytest.mark.parametrize(("query", "files"), [("", 1), ("?$maxpagesize=1", 1), ("?$next=1", 0)])
def test_pages_of_results(door, mine, query, files):
    where = f"{imported(door, mine)['operationLocation']}/importFileResults{query}"
    assert len(door.run(Row("GET", where, mine)).get_json()["data"]) == files
    door.run(Row("GET", where.partition("?")[0] + "?$maxpagesize=x", mine, status=400, shows=refusal(400)))


def test_only_files_are_in_the_generally_available_family(door, mine):
    for method, path in (("POST", "/content/images/upload"), ("GET", f"/content/images/{'0' * 32}")):
        door.run(Row(method, GENERAL + path, mine, status=404, shows=refusal(404)))


@pytest.mark.parametrize(("family", "deprecated"), [(NEW, None), (OLD, "@1770854400"), (GENERAL, None)])
def test_deprecation_is_announced_on_the_old_family_alone(door, mine, family, deprecated):
    answer = door.send("POST", f"{family}/files/import", mine, {"fileName": "rows.csv"})
    assert (answer.status_code, answer.headers.get("Deprecation")) == (202, deprecated)


def test_the_created_user_is_the_owner(door):
    who = token(door, name="somebody")
    door.run(Row("GET", initiate(door, who)["operationLocation"], who, shows={"created": has(user={"id": "acme:somebody"})}))
    file = result_of(door, who, imported(door, who))["id"]
    door.run(Row("GET", f"/wdesk/files/{file}", who, shows={"created": has(user={"id": "acme:somebody"})}))
