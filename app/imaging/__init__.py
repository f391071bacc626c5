"""Measures files: what they are by their first bytes, what images say of themselves, whether every pixel of them decodes; and makes renditions.

Here live the gauge, what it knows of each format's structure, and the renderer; it is the only room that imports Pillow.
It may know: `app.core`, the standard library, PIL. It reads open files, and nothing else of the world.
It must never: judge by a policy, trust a name or a declared type, decode what was not measured, or let a decoder's exception out.
"""

from app.imaging.pillow_gauge import PillowGauge
from app.imaging.pillow_renderer import PillowRenderer

__all__ = ["PillowGauge", "PillowRenderer"]
