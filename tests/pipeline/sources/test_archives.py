"""Archives that cannot be trusted: one member comes out whole, or a named reason."""

import io
import pickle
import stat
import struct
import tarfile
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import GranuleError
from pipeline.sources.archives import is_zip, read_member, read_members

CSV = b"Date Time,p (mbar)\r\n" + b"01.01.2009 00:10:00,996.52\r\n" * 50


def packed(*members: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def unpacked(content: bytes, tmp_path: Path, **limits: int) -> bytes:
    path = tmp_path / "a.zip"
    path.write_bytes(content)
    before = sorted(tmp_path.rglob("*"))
    try:
        return read_member(path, **limits)
    finally:
        assert sorted(tmp_path.rglob("*")) == before, "something was extracted"


def refusal(content: bytes, tmp_path: Path, **limits: int) -> GranuleError:
    with pytest.raises(GranuleError) as caught:
        unpacked(content, tmp_path, **limits)
    assert caught.value.fields["check"] == "structure"
    assert caught.value.fields["path"] == str(tmp_path / "a.zip")
    again = pickle.loads(pickle.dumps(caught.value))
    assert again.fields == caught.value.fields
    return caught.value


def link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


@given(content=st.binary(max_size=4000), name=st.sampled_from(["a.csv", "data/A.CSV", "ä b.csv"]))
def test_what_was_packed_comes_out(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, name: str
) -> None:
    folder = tmp_path_factory.mktemp("zip")
    junk = (("__MACOSX/._a.csv", b"junk"), ("readme.txt", b"words"), ("data/", b""))
    made = packed((name, content), *junk)
    assert is_zip(made[:64])
    assert unpacked(made, folder) == content


@pytest.mark.parametrize(
    "name", ["../a.csv", "data/../../a.csv", "/etc/a.csv", "C:/a.csv", "..\\a.csv", "\\\\host\\a.csv"]
)
@pytest.mark.parametrize("beside", [True, False])
def test_a_member_that_leads_out_is_refused(tmp_path: Path, name: str, beside: bool) -> None:
    members = [(name, CSV)] + ([("good.csv", CSV)] if beside else [])
    error = refusal(packed(*members), tmp_path)
    assert error.fields["member"] == name
    assert "leads out" in error.message or "absolute" in error.message


def test_a_link_is_refused(tmp_path: Path) -> None:
    assert "link" in refusal(packed((link("a.csv"), b"/etc/passwd")), tmp_path).message


def test_a_bomb_is_refused_by_what_it_says(tmp_path: Path) -> None:
    assert "would inflate" in refusal(packed(("a.csv", bytes(5000))), tmp_path, limit_bytes=4000).message


def test_a_bomb_is_refused_by_what_it_does(tmp_path: Path) -> None:
    bomb = packed(("a.csv", bytes(20 << 20)))
    assert len(bomb) < 30_000
    assert "inflate to more than" in refusal(bomb, tmp_path).message
    assert len(unpacked(bomb, tmp_path, limit_ratio=2000)) == 20 << 20


def test_a_bomb_that_lies_of_its_size_is_refused(tmp_path: Path) -> None:
    bomb = bytearray(packed(("a.csv", bytes(20 << 20))))
    told = struct.pack("<L", 20 << 20)
    place = bomb.find(told)
    while place >= 0:
        bomb[place : place + 4] = struct.pack("<L", 100)
        place = bomb.find(told)
    refusal(bytes(bomb), tmp_path)


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ([], "holds no .csv file, but nothing"),
        ([("a.txt", b"x")], "holds no .csv file, but a.txt"),
        ([("__MACOSX/._a.csv", b"x")], "holds no .csv file"),
        ([("a.csv", CSV), ("b.csv", CSV)], "holds 2 .csv files where one is expected: a.csv, b.csv"),
        ([(f"{number}.txt", b"") for number in range(1001)], "holds 1001 members"),
    ],
)
def test_one_member_is_expected(tmp_path: Path, members: list[tuple[str, bytes]], words: str) -> None:
    assert words in refusal(packed(*members), tmp_path).message


def encrypted(content: bytearray) -> None:
    content[6] |= 1
    content[content.find(b"PK\x01\x02") + 8] |= 1


def by_another_method(content: bytearray) -> None:
    for place in (8, content.find(b"PK\x01\x02") + 10):
        content[place : place + 2] = struct.pack("<H", 14)


def altered(content: bytearray) -> None:
    place = content.find(b"PK\x01\x02") + 16
    content[place] ^= 0xFF


@pytest.mark.parametrize(
    ("damage", "words"),
    [(encrypted, "encrypted"), (by_another_method, "method 14"), (altered, "CRC")],
)
def test_damage_is_told(tmp_path: Path, damage: Callable[[bytearray], None], words: str) -> None:
    content = bytearray(packed(("a.csv", CSV)))
    damage(content)
    assert words in refusal(bytes(content), tmp_path).message


@given(cut=st.integers(0, len(packed(("a.csv", CSV))) - 1))
def test_a_truncated_archive_is_refused(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    refusal(packed(("a.csv", CSV))[:cut], tmp_path_factory.mktemp("zip"))


@given(place=st.integers(0, 300), bit=st.integers(0, 7))
def test_any_flipped_bit_gives_the_content_or_an_error(
    tmp_path_factory: pytest.TempPathFactory, place: int, bit: int
) -> None:
    content = bytearray(packed(("a.csv", CSV)))
    content[place % len(content)] ^= 1 << bit
    folder = tmp_path_factory.mktemp("zip")
    with suppress(GranuleError):
        assert unpacked(bytes(content), folder) == CSV


def tarred(*members: tuple[str | tarfile.TarInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in members:
            info = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            info.size = len(content) if info.isreg() else 0
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def of_type(kind: bytes) -> tarfile.TarInfo:
    info = tarfile.TarInfo("a.txt")
    info.type, info.linkname = kind, "/etc/passwd"
    return info


def all_of(content: bytes, tmp_path: Path, **limits: int) -> list[tuple[str, bytes]]:
    path = tmp_path / "many"
    path.write_bytes(content)
    before = sorted(tmp_path.rglob("*"))
    try:
        return list(read_members(path, suffix=".txt", **limits))
    finally:
        assert sorted(tmp_path.rglob("*")) == before, "something was extracted"


@pytest.mark.parametrize("pack", [packed, tarred], ids=["zip", "tar.gz"])
def test_all_members_come_out_in_their_order(tmp_path: Path, pack: Callable[..., bytes]) -> None:
    wanted = [("set/b.txt", b"two"), ("set/a.txt", b""), ("c.TXT", b"three")]
    content = pack(wanted[0], ("set/notes.md", b"x"), wanted[1], ("__MACOSX/set/a.txt", b"x"), wanted[2])
    assert all_of(content, tmp_path) == wanted


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (tarred(("../a.txt", b"x")), "leads out of the archive"),
        (tarred(("a.txt", b"x"), ("/etc/a.txt", b"x")), "absolute or malformed"),
        (packed(("b/../../a.txt", b"x")), "leads out of the archive"),
        (tarred((of_type(tarfile.SYMTYPE), b"")), "is a link or a device"),
        (tarred((of_type(tarfile.LNKTYPE), b"")), "is a link or a device"),
        (tarred((of_type(tarfile.CHRTYPE), b"")), "is a link or a device"),
        (tarred((of_type(tarfile.FIFOTYPE), b"")), "is a link or a device"),
        (tarred(("a.txt", CSV))[:-30], "cannot be unpacked"),
        (b"\x1f\x8bnothing that could be", "cannot be unpacked"),
        (b"RecordID,1\n", "is neither a .tar.gz nor a zip archive"),
    ],
    # A packed content holds the second in which it was made, which the test's name must not.
    ids=["up", "absolute", "zip-up", "symlink", "hard-link", "device", "pipe", "cut", "no-gzip", "text"],
)
def test_an_archive_of_many_that_cannot_be_trusted_is_refused(
    tmp_path: Path, content: bytes, said: str
) -> None:
    with pytest.raises(GranuleError, match=said) as caught:
        all_of(content, tmp_path)
    assert caught.value.fields["check"] == "structure"


@pytest.mark.parametrize("pack", [packed, tarred], ids=["zip", "tar.gz"])
def test_many_members_are_counted_together(tmp_path: Path, pack: Callable[..., bytes]) -> None:
    content = pack(*((f"{number}.txt", bytes(1000)) for number in range(40)))
    with pytest.raises(GranuleError, match="inflate"):
        all_of(content, tmp_path, limit_bytes=30_000)
    bomb = pack(*((f"{number}.txt", bytes(1 << 20)) for number in range(4)))
    with pytest.raises(GranuleError, match="inflate"):
        all_of(bomb, tmp_path, limit_ratio=50)
