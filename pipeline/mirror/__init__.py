"""A local mirror of the sources for demonstrations and tests: simulated or recorded files, over real HTTP."""

from pipeline.mirror.faults import Fault
from pipeline.mirror.ocean import SimulatedOcean
from pipeline.mirror.server import Mirror
from pipeline.mirror.weather import SimulatedWeather

__all__ = ["Fault", "Mirror", "SimulatedOcean", "SimulatedWeather"]
