"""Everything that a gauge says of a file, in one word or one header."""

import io

import pytest

from app.core.errors import UploadError
from app.imaging import PillowGauge


@pytest.fixture
def judged():
    """The header of a sound image, else the code of the refusal. Nothing else may leave the gauge."""

    def judge(content, max_frames=10_000, most_pixels=60_000_000):
        file, gauge = io.BytesIO(content), PillowGauge()
        try:
            media_type = gauge.signature(file)
            header = gauge.header(file, media_type, max_frames)
            if header.pixels <= most_pixels:  # as the checks have it: what is too large is never decoded
                gauge.decode(file, media_type, lambda: None)
        except UploadError as refusal:
            return refusal.code
        return header

    return judge
