"""Land for the simulated ocean: the continents drawn with few corners, and the inland seas left open."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LATITUDE = np.arange(720, dtype=np.float64) * 0.25 - 89.875
LONGITUDE = np.arange(1440, dtype=np.float64) * 0.25 + 0.125

# Corners as longitude, latitude in degrees.
EURASIA = (
    "-9 37 -9 43 -1 44 -4 48 4 52 8 57 5 60 15 68 25 71 40 67 70 73 100 77 140 73 180 69 180 65 170 60 163 56 "
    "156.5 51 155.5 57 163 62 155 60 142 59.5 135.5 54 141 53 140 48 135 43 130 42 127.5 40 129.5 36 126.5 34 "
    "126.5 38 124 40 121.5 39 121 41 118 39 122.5 37 119.5 35 122 31 120 26 116 23 108 21 109 12 105 9 100 13 "
    "104 1.5 100 6 98 8 98 16 94 16 91.5 22.5 87 21.5 80 15 80 10 77.5 8 73 17 70 21 67 25 57 26 50 30 48 30 "
    "51 25 56.5 26 60 22.5 52 16 44 13 39 21 35 28 35 36 30 36.5 27 37 26.5 40.5 23 40 23 37 20 39 13.5 45.5 "
    "18.5 40 16 38 10 44 3 43 -1 38"
)
AFRICA = (
    "-6 35.5 10 37 11 33 20 31 33 31 35 27 43 11.5 51 12 41 -2 40 -15 33 -26 27 -34 18 -34.5 12 -17 9 4 -8 4.5 "
    "-17 14 -17 21 -10 30"
)
NORTH_AMERICA = (
    "-168 66 -157 71 -128 70 -95 72 -82 68 -94 60 -82 53 -78 62 -65 58 -56 52 -66 44 -70 42 -76 35 -81 31 -80 25 "
    "-83 30 -90 29.5 -97 27 -97 20 -91 18 -87 21 -88 16 -83 10 -77 8.5 -84 9 -95 16 -105 20 -114 30 -124 40 "
    "-124 48 -135 58 -150 60 -162 55 -158 58 -166 61"
)
SOUTH_AMERICA = (
    "-77 8 -72 12 -60 9 -50 1 -35 -6 -39 -17 -48 -27 -57 -37 -65 -42 -68 -54 -74 -52 -73 -40 -70 -18 -81 -5"
)
AUSTRALIA = (
    "114 -22 115 -34 124 -33.5 132 -32 138 -35 141 -38.5 147 -38.5 150 -37.5 153 -29 146 -19 142 -11 140 -17 "
    "136 -12 130 -13 122 -18"
)
ISLANDS = (
    "145 -41 148.2 -41 147.8 -43.5 146.2 -43.5",  # Tasmania
    "173 -34.5 178 -38 175 -41.5 171 -46.5 167 -45.5 172 -41 174 -39",
    "130 31.5 131 34 136 36 140 40 140.5 43 142 45.5 145 43.5 141.5 41 140.5 36 136 34 131.5 31.5",  # Japan
    "142 46 142 54 143.5 54 144 49",  # Sakhalin
    "49 -12 50 -16 47 -25 44 -24 44 -17",
    "95 5 104 -3 106 -6 101 -3",
    "109 1 117 7 119 1 116 -4 110 -3",
    "106 -6 114 -7 114 -8.5 106 -7.5",
    "131 -1 141 -3 150 -10 143 -8.5 138 -8 133 -4",
    "120 18 122 18 126 8 125 6 122 10 120 14",
    "-5 50 1 51.5 -2 56 -4 58.5 -6 56 -3 54",
    "-24 65 -14 65 -16 66.5 -22 66.5",
    "-73 78 -55 70 -44 60 -22 70 -18 80 -30 83.5 -60 82",
    "-85 22 -74 20 -77 20.5 -82 23",
    "8 39 9.5 39 9.5 43 8.5 42",
    "12.5 38 15.5 38 15 36.7",
    "23.5 35.5 26.3 35.3 24.5 34.9",
    "79.9 9 81.8 7 80.2 6",
)
# Inland seas: centre and half axes, degrees.
SEAS = (
    (34.5, 43.3, 6.5, 2.3),  # Black Sea
    (51.0, 42.0, 2.5, 5.0),  # Caspian Sea
    (119.7, 38.7, 2.2, 1.7),  # Bohai
    (121.5, 38.3, 1.2, 0.4),  # its strait
    (16.5, 43.0, 2.5, 1.2),  # Adriatic
    (52.0, 27.0, 3.0, 2.0),  # Persian Gulf
    (-85.0, 60.0, 7.0, 5.0),  # Hudson Bay
    (20.0, 59.0, 3.0, 4.5),  # Baltic
)


@cache
def ocean_mask() -> NDArray[np.bool_]:
    """bool (720, 1440): True at sea, on the grid of OISST."""
    land = np.zeros((720, 1440), bool)
    for corners in (EURASIA, AFRICA, NORTH_AMERICA, SOUTH_AMERICA, AUSTRALIA, *ISLANDS):
        _fill(land, np.array(corners.split(), float).reshape(-1, 2))
    east = (LONGITUDE + 180) % 360 - 180
    land[-73 + 5 * np.cos(np.radians(east + 60))[None, :] > LATITUDE[:, None]] = True
    for longitude, latitude, width, height in SEAS:
        across = (east[None, :] - longitude) / width
        land[across**2 + ((LATITUDE[:, None] - latitude) / height) ** 2 < 1] = False
    mask = ~land
    mask.setflags(write=False)
    return mask


def _fill(land: NDArray[np.bool_], corners: NDArray[np.float64]) -> None:
    ends = np.roll(corners, -1, axis=0)
    for row, latitude in enumerate(LATITUDE):
        crosses = (corners[:, 1] <= latitude) != (ends[:, 1] <= latitude)
        start, end = corners[crosses], ends[crosses]
        share = (latitude - start[:, 1]) / (end[:, 1] - start[:, 1])
        at = np.sort(start[:, 0] + share * (end[:, 0] - start[:, 0]))
        for west, east in zip(at[::2], at[1::2], strict=True):
            first, last = (int(np.ceil((edge - 0.125) / 0.25)) for edge in (west, east))
            land[row, np.arange(first, last) % 1440] = True
