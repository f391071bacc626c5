"""PyPI contentful-management 2.16, unmodified, against a real `slipway up`.

uploads (of the client and of a space): create (path, open file), find, delete; upload: delete, reload, to_link. assets (of the client and of an
environment): create, find, all, delete; asset: process, reload, update, save, publish, unpublish, archive, unarchive, delete, url, is_published,
is_updated, is_archived, to_json.
"""

from __future__ import annotations

import io
from uuid import uuid4

import pytest
from contentful_management import Client, errors

from tests.clients.contentful.space import ENVIRONMENT, NOT_FOUND, SPACE, downloaded, host, is_an_upload, uploaded_bytes
from tests.clients.keys import viewers_key
from tests.services.pictures import photo
from tests.services.up import Up, eventually, shared

pytestmark = pytest.mark.live

PICTURE = photo(100, 50, "PNG", seed=12)
TITLE = {"en-US": "cat"}


def connected(token: str | None = None, up: Up | None = None, **more) -> Client:
    """The client, pointed at our door."""
    token = token or (up or shared()).credentials["api_key"]
    return Client(token, api_url=f"{host(up)}/contentful", uploads_api_url=f"{host(up)}/contentful", https=False, **more)


@pytest.fixture
def client():
    return connected()


@pytest.fixture(params=["client", "space"])
def uploads(request, client):
    """Both ways to the uploads of a space; neither says an environment."""
    return client.uploads(SPACE) if request.param == "client" else client.spaces().find(SPACE).uploads()


@pytest.fixture(params=["client", "environment"])
def assets(request, client):
    """Both ways to the assets of an environment."""
    return client.assets(SPACE, ENVIRONMENT) if request.param == "client" else client.environments(SPACE).find(ENVIRONMENT).assets()


def file_of(upload) -> dict:
    return {"contentType": "image/png", "fileName": "cute_cat.png", "uploadFrom": upload.to_link().to_json()}


def uploaded(client, content: bytes = PICTURE):
    return client.uploads(SPACE).create(io.BytesIO(content))


def created(client, *locales: str, **fields):
    files = {locale: file_of(uploaded(client)) for locale in locales or ["en-US"]}
    return client.assets(SPACE, ENVIRONMENT).create(attributes={"fields": {"title": TITLE, "file": files, **fields}})


def processed(client, *locales: str):
    """The client does not wait for the end of the processing, so its users do."""
    asset = created(client, *locales).process()
    eventually(lambda: all("url" in fields["file"] for fields in asset.reload()._fields.values()), what="the processing")
    return asset


def test_an_upload_from_a_path_or_a_file(uploads, tmp_path):
    path = tmp_path / "cat.png"
    path.write_bytes(PICTURE)
    with path.open("rb") as opened:
        for given in (str(path), opened):
            upload = uploads.create(given)
            is_an_upload(upload.raw["sys"])
            assert uploads.find(upload.id).raw == upload.raw
            assert upload.reload().id == upload.id
            assert uploaded_bytes(upload.id) == PICTURE


@pytest.mark.parametrize("by", ["proxy", "resource"])
def test_a_deleted_upload_is_gone(client, by):
    upload, uploads = uploaded(client), client.uploads(SPACE)
    gone = uploads.delete(upload.id) if by == "proxy" else upload.delete()  # the resource asks the host of the assets
    assert gone.status_code == 204
    for call in (uploads.find, uploads.delete):
        with pytest.raises(errors.NotFoundError, match=f"Message: {NOT_FOUND}\nDetails: {NOT_FOUND}\nRequest ID: [0-9a-f]{{32}}"):
            call(upload.id)


def test_an_upload_of_nothing(client):
    with pytest.raises(errors.BadRequestError, match='The "Content-Length" header must be greater than 0'):
        uploaded(client, b"")


def test_from_an_upload_to_an_asset(client, assets):
    asset = assets.create(attributes={"fields": {"title": TITLE, "file": {"en-US": file_of(uploaded(client))}}})
    assert (asset.version, asset.is_published) == (1, False)
    asset.process()
    eventually(lambda: asset.reload().url(), what="the processing")
    assert asset.version == 2
    assert asset.fields("en-US")["file"]["details"] == {"size": len(PICTURE), "image": {"width": 100, "height": 50}}
    assert downloaded(asset.url()) == PICTURE
    assert assets.find(asset.id).to_json()["fields"] == asset.to_json()["fields"]


def test_an_id_of_the_clients_choice(assets):
    chosen = f"cat-{uuid4().hex}"
    asset = assets.create(chosen, {"fields": {"title": TITLE}})
    assert (asset.id, asset.version, asset.environment.id, asset.title) == (chosen, 1, ENVIRONMENT, "cat")
    with pytest.raises(errors.VersionMismatchError, match="Version mismatch error"):
        assets.create(chosen, {"fields": {"title": TITLE}})
    assert assets.delete(chosen).status_code == 204
    with pytest.raises(errors.NotFoundError, match=f"The requested Asset could not be found. ID: {chosen}"):
        assets.find(chosen)


def test_each_locale_is_processed_with_the_version_that_was_read(client):
    asset = processed(client, "en-US", "de-DE", "fr-FR")
    assert asset.version == 4
    assert [downloaded(asset.fields(locale)["file"]["url"]) for locale in ("en-US", "de-DE", "fr-FR")] == [PICTURE] * 3


def test_the_life_of_an_asset(client):
    asset = processed(client)
    asset.publish()
    assert (asset.is_published, asset.is_updated, asset.published_version, asset.version) == (True, False, 2, 3)
    asset.title = "dog"
    asset.save()
    assert (asset.version, asset.title, downloaded(asset.url())) == (4, "dog", PICTURE)
    asset.update({"fields": {**asset.to_json()["fields"], "description": {"en-US": "it barks"}}})
    assert (asset.version, asset.description) == (5, "it barks")
    asset.unpublish()
    assert (asset.is_published, asset.published_counter) == (False, 1)
    asset.archive()
    assert (asset.is_archived, asset.archived_version) == (True, 6)
    asset.unarchive()
    assert asset.is_archived is False
    assert asset.delete().status_code == 204
    with pytest.raises(errors.NotFoundError):
        asset.reload()


def test_a_list(client, assets):
    ids = [created(client).id for _ in range(2)]
    found = assets.all({"sys.id[in]": ",".join(ids), "order": "sys.createdAt", "limit": 1, "skip": 1})
    assert (found.total, found.skip, found.limit, [asset.id for asset in found]) == (2, 1, 1, ids[1:])
    chosen = assets.find(ids[0], {"select": ["fields.title"]})
    assert (chosen.title, chosen.id) == ("cat", ids[0])


# ---------------------------------------------------------------- what goes wrong


def test_publishing_what_was_not_processed(client):
    with pytest.raises(errors.UnprocessableEntityError, match=r"Name: required - Path: '\['fields', 'file', 'en-US', 'url'\]'"):
        created(client).publish()


def test_processing_a_locale_that_only_has_a_title(client):
    asset = created(client, description={"fr-FR": "un chat"})
    with pytest.raises(errors.UnprocessableEntityError, match=r"'fields', 'file', 'fr-FR'"):
        asset.process()


def test_steps_that_do_not_follow(client):
    asset = processed(client)
    with pytest.raises(errors.BadRequestError, match="Message: Not published"):
        asset.unpublish()
    with pytest.raises(errors.BadRequestError, match="Message: Not archived"):
        asset.unarchive()
    asset.publish()
    with pytest.raises(errors.BadRequestError, match="Message: Cannot archive published"):
        asset.archive()
    with pytest.raises(errors.BadRequestError, match="Message: Cannot delete published"):
        asset.delete()


def test_a_stale_version(client):
    asset = processed(client)
    client.assets(SPACE, ENVIRONMENT).find(asset.id).save()
    for step in (asset.save, asset.publish, asset.archive):
        with pytest.raises(errors.VersionMismatchError) as refused:
            step()
        assert refused.value.status_code == 409


def test_tokens_that_do_not_do():
    with pytest.raises(errors.UnauthorizedError):
        uploaded(connected("CFPAT-forged"))
    reader = connected(viewers_key())
    with pytest.raises(errors.AccessDeniedError):
        uploaded(reader)
    assert reader.assets(SPACE, ENVIRONMENT).all({"limit": 1}).limit == 1
