"""A local HTTP mirror of OISST and Jena in the layouts of their public ones, with faults on request."""

from __future__ import annotations

import sys
import threading
from contextlib import suppress
from dataclasses import replace
from http.server import ThreadingHTTPServer
from typing import TYPE_CHECKING, Self

from pipeline.errors import ConfigError
from pipeline.mirror import jena, radar
from pipeline.mirror.archive import ONE_DAY, Archive, RecordedArchive, Shelf, SimulatedArchive
from pipeline.mirror.faults import Fault, Faults
from pipeline.mirror.handler import Handler
from pipeline.mirror.ocean import SimulatedOcean
from pipeline.mirror.weather import SimulatedWeather

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable
    from pathlib import Path

PREFIXES = {"open-data": "open-data", "ncei": "ncei", "psl": "psl", "erddap": "erddap/griddap"}
PREFIXES_BY_SOURCE = {"oisst": PREFIXES, "oisst-sequences": PREFIXES, "jena": jena.PREFIXES}
PREFIXES_BY_SOURCE |= {"knmi-radar": radar.PREFIXES}
HOST = "127.0.0.1"


def _ocean_beside(weather: SimulatedWeather) -> SimulatedOcean:
    return SimulatedOcean(seed=weather.seed, first=weather.first, today=weather.today)


def _weather_beside(ocean: SimulatedOcean) -> SimulatedWeather:
    return SimulatedWeather(seed=ocean.seed, first=ocean.first, today=ocean.today)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """Report what goes wrong, but for a client that hangs up."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class Mirror:
    """Serves an ocean and a weather station, simulated or recorded, on this machine alone.

    Parameters
    ----------
    ocean
        The simulated ocean; its default, if neither it nor `folder` is given.
    folder
        A folder of files named as NCEI names them.
    weather
        The simulated station; its default, if neither it nor `station_folder` is given, keeps the ocean's time.
    station_folder
        A folder of the station's zip or CSV files, served as they are.
    radar_folder
        A folder of radar composites, served as they are; there are none else.
    faults
        `Fault`s, or their text form.
    port
        0 takes any that is free.

    Examples
    --------
    >>> with Mirror(faults=["503*2:…/202001*"]) as mirror:                                 # doctest: +SKIP
    ...     source("oisst", addresses=mirror.addresses)

    Raises
    ------
    ConfigError
        The port is taken, a folder holds no file of its kind, or a fault cannot be read.
    """

    def __init__(
        self,
        *,
        ocean: SimulatedOcean | None = None,
        folder: Path | None = None,
        weather: SimulatedWeather | None = None,
        station_folder: Path | None = None,
        radar_folder: Path | None = None,
        faults: Iterable[Fault | str] = (),
        port: int = 0,
    ) -> None:
        if folder is not None and ocean is not None:
            raise ConfigError("a mirror serves an ocean or a folder, not both")
        if station_folder is not None and weather is not None:
            raise ConfigError("a mirror serves a simulated station or a folder of its files, not both")
        if ocean is None:
            ocean = SimulatedOcean() if weather is None else _ocean_beside(weather)
        archive: Archive = RecordedArchive(folder) if folder else SimulatedArchive(ocean)
        self.faults = Faults(faults)
        self.shelf = Shelf(archive, self.faults.revision, self.faults.late)
        self.station: jena.Station = (
            jena.RecordedStation(station_folder)
            if station_folder
            else jena.SimulatedStation(
                weather or replace(_weather_beside(ocean), today=archive.today), self.faults.revision
            )
        )
        self.radar = None if radar_folder is None else radar.RecordedRadar(radar_folder)
        self.requests: list[tuple[str, str, int]] = []
        """Method, path with query, and status of every request answered."""
        self._port = port
        self._stop = threading.Event()

    @property
    def today(self) -> dt.date:
        """The day of serving."""
        return self.shelf.archive.today

    def advance(self, days: int = 1) -> None:
        """Let days pass: new ones appear, preliminary ones become final, and their files vanish."""
        self.shelf.archive.today += days * ONE_DAY
        self.station.today += days * ONE_DAY

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://{HOST}:{self._server.server_address[1]}"

    @property
    def addresses(self) -> dict[str, str]:
        """The base address of each mirror of OISST, for `OisstConfig.addresses`."""
        return self.addresses_of("oisst")

    def addresses_of(self, source: str) -> dict[str, str]:
        """The base address of each mirror of a source, for its configuration's `addresses`."""
        return {mirror: f"{self.url}/{prefix}" for mirror, prefix in PREFIXES_BY_SOURCE[source].items()}

    def __enter__(self) -> Self:
        self._stop.clear()
        handler = type("BoundHandler", (Handler,), {"mirror": self})
        try:
            self._server = _Server((HOST, self._port), handler)
        except OSError as error:
            raise ConfigError(
                f"port {self._port} cannot be used: {error.strerror}",
                remedy="name another port",
                port=self._port,
            ) from error
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.05},
            name="isotherm-mirror",
            daemon=True,
        )
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def wait(self) -> None:
        """Serve until interrupted from the keyboard."""
        with suppress(KeyboardInterrupt):
            self._stop.wait()

    def stall(self, seconds: float) -> None:
        """Wait, but no longer than the mirror lives."""
        self._stop.wait(seconds)
