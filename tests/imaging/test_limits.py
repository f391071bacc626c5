"""In a process with a limit on its address space, as workers have it: 50 megapixels are judged, bombs are refused, and it lives on."""

import json
import subprocess
import sys

from tests.services import pictures
from tests.services.pictures import AVIF, GIF, JPEG, PNG, TIFF, WEBP

ADDRESS_SPACE = 3 << 29  # 1.5 GiB, the least that a worker gives its children
MOST = 1_200_000_000  # for WebP, which needs sixteen bytes a pixel
MOST_FOR_THE_FIRST = 64_000_000  # above idle, for JPEG and PNG, whose pixels are never all in memory

CHILD = """
import json, re, resource, sys
from pathlib import Path

from app.core.errors import UploadError
from app.core.judging import measure
from app.core.policy import IMAGES, Policy
from app.core.ports import Landed
from app.core.upload import Staged, Upload
from app.imaging import PillowGauge

resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]),) * 2)

def judge(path, max_pixels):
    policy = Policy(media_types=(*IMAGES, "image/avif", "image/tiff"), max_pixels=max_pixels, max_pixels_by_type={})
    upload = Upload("u", "t", "me", "v1", policy, "op", Staged("k"), 0.0, 1.0, 8)
    with path.open("rb") as file:
        try:
            facts = measure(PillowGauge(), Landed(file, path.stat().st_size), upload, lambda _stage: None)
        except UploadError as refusal:
            return refusal.code.value
    return f"{facts.width} x {facts.height}"

def peak():  # since exec; ru_maxrss would carry over what the parent had
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) * 1024

print(json.dumps(["idle", "", peak()]))
for name, max_pixels in json.loads(sys.argv[3]):
    print(json.dumps([name, judge(Path(sys.argv[2], name), max_pixels), peak()]), flush=True)
"""

LIMIT, NO_LIMIT = 50_000_000, 10**11
ALLOWED = "10000 x 5000"
WORK = [
    # what it is, how it is made, the most pixels -> the result. One process takes them one after the other.
    ("jpeg", lambda: pictures.megapixels_50(JPEG), LIMIT, ALLOWED),
    ("png, one bit", lambda: pictures.megapixels_50(PNG), LIMIT, ALLOWED),
    ("png, alpha", lambda: pictures.solid(10_000, 5_000, PNG, "RGBA"), LIMIT, ALLOWED),
    ("jpeg, progressive", lambda: pictures.solid(10_000, 5_000, JPEG, progressive=True), LIMIT, ALLOWED),
    ("gif", lambda: pictures.megapixels_50(GIF), LIMIT, ALLOWED),
    ("webp", lambda: pictures.megapixels_50(WEBP), LIMIT, ALLOWED),
    ("webp, alpha", lambda: pictures.solid(10_000, 5_000, WEBP, "RGBA", lossless=True), LIMIT, ALLOWED),
    ("avif", lambda: pictures.megapixels_50(AVIF), LIMIT, ALLOWED),
    ("tiff", lambda: pictures.megapixels_50(TIFF), LIMIT, ALLOWED),
    ("a million too many", pictures.megapixels_51, LIMIT, "too_many_pixels"),
    ("a gif that outgrows its screen", pictures.gif_outgrown, LIMIT, "too_many_pixels"),
    ("a gif of 100,000 frames", pictures.gif_bomb, LIMIT, "too_many_frames"),
    ("a gif of 100,000 large frames", lambda: pictures.gif_bomb(width=9_999, height=9_999), LIMIT, "too_many_frames"),
    ("a zlib bomb", pictures.text_bomb, LIMIT, "too_complex"),
    ("a profile bomb", pictures.profile_bomb, LIMIT, "too_complex"),
    ("a gif of 3,000 megapixels", pictures.gif_outgrown, NO_LIMIT, "too_complex"),
    ("a tiff of more than Pillow's own limit", lambda: pictures.solid(15_000, 12_000, TIFF, "1"), NO_LIMIT, "15000 x 12000"),
    ("png, after the bombs", lambda: pictures.megapixels_50(PNG), LIMIT, ALLOWED),
]

FLAT = 3  # so many of them, from the first on, need no memory for their pixels
FIRST_BOMB = next(number for number, (*_, result) in enumerate(WORK) if result != ALLOWED)


def test_a_limited_process_judges_them_all(tmp_path):
    for name, make, *_ in WORK:
        (tmp_path / name).write_bytes(make())
    work = json.dumps([(name, most) for name, _, most, _ in WORK])
    command = [sys.executable, "-c", CHILD, str(ADDRESS_SPACE), str(tmp_path), work]
    child = subprocess.run(command, capture_output=True, text=True, check=False, timeout=150)
    told = [json.loads(line) for line in child.stdout.splitlines()]
    assert {name: result for name, result, _ in told[1:]} == {name: result for name, *_, result in WORK}, child.stderr
    idle, *peaks = (peak for _, _, peak in told)  # a peak only grows
    assert (peaks[FLAT - 1] - idle < MOST_FOR_THE_FIRST, peaks[FIRST_BOMB - 1] < MOST) == (True, True), told
