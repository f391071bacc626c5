"""What the vendor's requests say, loaded leniently: names and values in any case, numbers as text, null and "" for nothing said.

Source: the vendor's page of the start call, its OpenAPI document (AssetUploadStartRequestModel and others), and its client.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, pre_load, validate

from app.core.policy import MIB

LARGEST = 2**63 - 1  # int64, as published
LONGEST_ID = 128
LONGEST_NAME = 255
LONGEST_PATH = 1024  # characters; S3 takes keys of as many bytes
SIXTY_FOUR_KIB = MIB // 16

NUMBER = re.compile(r"[+-]?[0-9]{1,20}(\.[0-9]{0,20})?")

OPTIONS = ("Cancel", "Continue", "Replace", "AssetReplace")
REPLACEMENTS = (
    "ReplaceDisplayName",
    "ReplaceDisplayDate",
    "ReplaceLanguage",
    "RecreateThumbnail",
    "RecreatePreview",
    "RecreateSubtitles",
    "RecreateTranscodes",
)


class Lenient(Schema):
    """Fields by their names in any case; what is null, empty or unknown is left out."""

    class Meta:
        """Fields that the vendor adds later do no harm."""

        unknown = EXCLUDE

    @pre_load
    def spell(self, data: Mapping[str, Any], **_: Any) -> dict[str, Any]:
        """The fields as the vendor spells them."""
        names = {(field.data_key or name).lower(): field.data_key or name for name, field in self.fields.items()}
        return {names[key.lower()]: value for key, value in data.items() if key.lower() in names and value not in (None, "")}


class Text(fields.Field[str]):
    """A text without control characters, of at most `longest` characters."""

    def __init__(self, longest: int, **wanted: Any) -> None:
        super().__init__(**wanted)
        self._longest = longest

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        if not isinstance(value, str):
            raise ValidationError("Must be a text.")
        if len(value) > self._longest:
            raise ValidationError(f"Has more than {self._longest} characters.")
        if any(unicodedata.category(c) in {"Cc", "Cs"} for c in value):
            raise ValidationError("Has control characters.")
        return value


class Whole(fields.Field[int]):
    """A whole number from `least` on, also as text."""

    def __init__(self, least: int, **wanted: Any) -> None:
        super().__init__(**wanted)
        self._least = least

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        number = self._whole(_number(value))
        if not self._least <= number <= LARGEST:
            raise ValidationError(f"Must be a whole number from {self._least} to {LARGEST}.")
        return number

    def _whole(self, number: float) -> int:
        if number % 1:
            raise _not_whole()
        return int(number)


class RoundedUp(Whole):
    """The same, also with a fraction: for large files the client divides, and does not round."""

    def _whole(self, number: float) -> int:
        return math.ceil(number)


def _number(value: Any) -> float:
    if isinstance(value, str) and NUMBER.fullmatch(value.strip()):
        value = float(value) if "." in value else int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or (isinstance(value, float) and not math.isfinite(value)):
        raise _not_whole()
    return value


def _not_whole() -> ValidationError:
    return ValidationError("Must be a whole number.")


class Choice(fields.Field[str]):
    """One of some words in any case, as the vendor spells it."""

    def __init__(self, words: tuple[str, ...], **wanted: Any) -> None:
        super().__init__(**wanted)
        self._words = {word.lower(): word for word in words}

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        found = self._words.get(value.lower()) if isinstance(value, str) else None
        if found is None:
            raise ValidationError(f"Must be one of {', '.join(self._words.values())}.")
        return found


class Choices(Choice):
    """Any of some words: a list, or in a form a text with commas between them."""

    def _deserialize(self, value: Any, *rest: Any, **more: Any) -> Any:
        words = value.split(",") if isinstance(value, str) else value
        if not isinstance(words, list):
            raise ValidationError("Must be a list.")
        spoken = [word.strip() if isinstance(word, str) else word for word in words]
        return frozenset(super(Choices, self)._deserialize(word, *rest, **more) for word in spoken)


class Moment(Text):
    """A time (RFC 3339), kept as it was written."""

    def __init__(self, **wanted: Any) -> None:
        super().__init__(LONGEST_ID, **wanted)

    def _deserialize(self, value: Any, *rest: Any, **more: Any) -> str:
        text = super()._deserialize(value, *rest, **more)
        try:
            datetime.fromisoformat(text)
        except ValueError:
            raise ValidationError("Must be a time like 2026-11-30T12:00:00Z.") from None
        return text


class Start(Lenient):
    """`POST /api/asset/upload/start`. `file` as a text is an alias of relativePath."""

    display_name = Text(LONGEST_NAME, data_key="displayName")
    existing = Text(LONGEST_ID, data_key="existingAssetId")
    content = Text(LONGEST_ID, data_key="relatedContentId")
    option = Choice(OPTIONS, data_key="uploadOverwriteOption", required=True)
    file = Text(LONGEST_PATH)
    path = Text(LONGEST_PATH, data_key="relativePath")
    parent = Text(LONGEST_ID, data_key="parentId")
    language = Text(LONGEST_ID, data_key="languageId")
    replacements = Choices(REPLACEMENTS, data_key="uploadReplaceOptions", load_default=frozenset())
    length = Whole(0, data_key="contentLength")
    chunk = RoundedUp(1, data_key="chunkSize")


class StartRelated(Lenient):
    """`POST /api/asset/upload/start-related-asset`: a file that belongs to `existingAssetId`."""

    owner = Text(LONGEST_ID, data_key="existingAssetId", required=True)
    existing = Text(LONGEST_ID, data_key="relatedAssetId")
    metadata_type = Text(LONGEST_NAME, data_key="newRelatedAssetMetadataType")
    option = Choice(OPTIONS, data_key="uploadOverwriteOption", load_default="Replace")
    file = Text(LONGEST_PATH)
    path = Text(LONGEST_PATH, data_key="relativePath")
    language = Text(LONGEST_ID, data_key="languageId")
    length = Whole(0, data_key="contentLength")
    chunk = RoundedUp(1, data_key="chunkSize")


class PartDone(Lenient):
    """`POST /api/asset/upload/part/{id}/complete`: what the PUT of the part answered, quotes and all."""

    etag = Text(LONGEST_PATH, required=True)


class Listing(Lenient):
    """The query of the caller's uploads; Python's client writes `True` and `False`."""

    finished = fields.Boolean(data_key="includeCompletedUploads", load_default=False)


class Asked(Lenient):
    """The query of assets: those of one content record."""

    content = Text(LONGEST_ID, data_key="relatedContentId", required=True)


class Login(Lenient):
    """`POST /api/account/login`: the page of the API says userName, its client username."""

    username = Text(LONGEST_PATH, data_key="userName", required=True)
    password = fields.String(required=True, validate=validate.Length(max=LONGEST_PATH))


class Refresh(Lenient):
    """`POST /api/account/refresh-token`."""

    token = Text(LONGEST_PATH, data_key="refreshToken", required=True)


class NewFolder(Lenient):
    """`POST /api/admin/asset/{id}/create-folder`."""

    name = Text(LONGEST_NAME, data_key="displayName", required=True)


class NewPlaceholder(Lenient):
    """`POST /api/admin/asset/{id}/create-placeholder`."""

    name = Text(LONGEST_NAME, data_key="assetName", required=True)


def _small(value: Mapping[str, Any]) -> None:
    if len(str(value)) > SIXTY_FOUR_KIB:
        raise ValidationError(f"Has more than {SIXTY_FOUR_KIB} characters.")


class Properties(Lenient):
    """`PATCH /api/admin/asset/{id}`: what is null stays as it is; a custom property that is null goes."""

    displayName = Text(LONGEST_NAME)  # noqa: N815 - kept under the vendor's own names
    displayDate = Moment()  # noqa: N815 - likewise
    availableStartDate = Moment()  # noqa: N815 - likewise
    availableEndDate = Moment()  # noqa: N815 - likewise
    customProperties = fields.Dict(keys=fields.String(), validate=_small)  # noqa: N815 - likewise
