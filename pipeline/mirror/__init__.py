"""A local mirror of OISST for demonstrations and tests: a simulated ocean or recorded files, over real HTTP."""

from pipeline.mirror.faults import Fault
from pipeline.mirror.ocean import SimulatedOcean
from pipeline.mirror.server import Mirror

__all__ = ["Fault", "Mirror", "SimulatedOcean"]
