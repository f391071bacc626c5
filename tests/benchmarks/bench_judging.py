"""What judging an image costs, beside Pillow's load of every pixel: time, and memory in a process of its own. `make bench` prints it.

The pictures are smooth with grain, as photographs are. `python tests/benchmarks/bench_judging.py judge PATH TYPE` is the child.
"""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from app.imaging import PillowGauge
from app.imaging.formats import known

ROUNDS = 5
SIZES = {"12 MP": (4_000, 3_000), "50 MP": (10_000, 5_000)}
SAVING = {"JPEG": {"quality": 88}, "PNG": {"compress_level": 6}, "WEBP": {"method": 0, "quality": 85}, "GIF": {}}


def scene(width: int, height: int) -> Image.Image:
    """Something like a photograph."""
    bands = []
    for _ in range(3):
        smooth = Image.effect_noise((width // 40, height // 40), 90).resize((width, height), Image.Resampling.BICUBIC)
        bands.append(ImageChops.add(smooth, Image.effect_noise((width, height), 6), 2))
    return Image.merge("RGB", bands)


def judge(path: Path, media_type: str) -> None:
    """As a worker does."""
    with path.open("rb") as file:
        gauge = PillowGauge()
        gauge.header(file, media_type, 1)
        gauge.decode(file, media_type, lambda: None)


def load(path: Path, media_type: str) -> None:
    """Pillow alone, every pixel."""
    with path.open("rb") as file:
        known(media_type).opened(file).load()


def nothing(_path: Path, _media_type: str) -> None:
    """What a process takes that has only imported all of it."""


WAYS = {"judge": judge, "load": load, "nothing": nothing}


def took(way: str, path: Path, media_type: str) -> float:
    """Milliseconds."""
    began = time.perf_counter()
    WAYS[way](path, media_type)
    return (time.perf_counter() - began) * 1000


def peak(way: str, path: Path, media_type: str) -> float:
    """MB of a new process."""
    child = subprocess.run([sys.executable, __file__, way, path, media_type], capture_output=True, text=True, check=True)
    return float(child.stdout)


@pytest.mark.timeout(600)
def test_judging_beside_loading(tmp_path):
    print(f"\nmilliseconds, median of {ROUNDS} interleaved rounds; peak memory above an idle process, MB")
    print("               judge      load     ratio (min-max)        judge MB   load MB")
    for size, (width, height) in SIZES.items():
        picture = scene(width, height)
        for fmt, saving in SAVING.items():
            path, media_type = tmp_path / f"{fmt}.{width}", f"image/{fmt.lower()}"
            picture.save(path, fmt, **saving)
            pairs = [(took("judge", path, media_type), took("load", path, media_type)) for _ in range(ROUNDS)]
            judged, loaded = (statistics.median(side) for side in zip(*pairs, strict=True))
            ratios = [slow / fast for fast, slow in pairs]
            idle, *peaks = (peak(way, path, media_type) for way in ("nothing", "judge", "load"))
            ratio = f"{statistics.median(ratios):6.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
            print(f"{fmt:>5} {size} {judged:8.1f}  {loaded:8.1f}   {ratio:<24}{peaks[0] - idle:6.0f}    {peaks[1] - idle:6.0f}")


if __name__ == "__main__":
    WAYS[sys.argv[1]](Path(sys.argv[2]), sys.argv[3])
    print(int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) / 1000)
