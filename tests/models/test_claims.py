import json
import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from models import claims
from models.claims import Claim, claimed
from pipeline.errors import StoreError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(place, monkeypatch):
    monkeypatch.setattr(claims, "BEAT", 0.05)
    monkeypatch.setattr(claims, "STALE", 1.5)
    return place / ".claim-x"


def held_elsewhere(folder, **changes):
    """A claim of a process on another machine, which gives no signs of life."""
    claim = Claim(folder, 1)
    assert claim.take()
    told = json.loads((folder / "0001.json").read_text())
    (folder / "0001.json").write_text(json.dumps(told | {"machine": "another", "host": "far"} | changes))
    return claim


def test_a_claim_leaves_nothing_behind(folder):
    with claimed(folder) as claim:
        claim.require()
        assert (folder / "0001.json").is_file()
    assert not folder.exists()
    with pytest.raises(ZeroDivisionError), claimed(folder):
        raise ZeroDivisionError
    assert not folder.exists()


def test_one_works_at_a_time_and_each_has_its_turn(folder):
    inside, most, turns = [], [], []
    together = threading.Barrier(4)

    def work():
        together.wait()
        with claimed(folder) as claim:
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.05)
            claim.require()
            turns.append(1)
            inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert most == [1] * 4
    assert len(turns) == 4
    assert not folder.exists()


def test_who_is_waited_for_is_told_and_a_holder_that_beats_is_waited_for(folder):
    told = []
    first = held_elsewhere(folder, pid=77)
    ended = threading.Event()
    beats = threading.Thread(target=claims._give_beats, args=(first, ended))
    first.token = json.loads((folder / "0001.json").read_text())["token"]
    beats.start()
    taken = threading.Event()

    def second():
        with claimed(folder, waiting=told.append):
            taken.set()

    other = threading.Thread(target=second)
    other.start()
    # Three times as long as a silent holder is waited for.
    assert not taken.wait(3 * claims.STALE)
    ended.set()
    beats.join()
    assert taken.wait(30)
    other.join()
    assert set(told) == {"waiting for process 77 on far, which does the same"}


def test_a_silent_holder_is_followed_and_finds_out(folder):
    former = held_elsewhere(folder)
    former.require()
    with claimed(folder) as claim:
        assert claim.number == 2
        with pytest.raises(StoreError, match="another worker has taken over claim-x"):
            former.require()
        claim.require()
    # Nothing is left of either; who slept all the while is still refused, then and when a third is at it.
    assert not folder.exists()
    with pytest.raises(StoreError):
        former.require()
    with claimed(folder) as third:
        assert third.number == former.number
        with pytest.raises(StoreError):
            former.require()


@pytest.mark.parametrize("place", ["disk"], indirect=True)
def test_a_dead_process_of_this_machine_is_followed_at_once(folder, monkeypatch):
    monkeypatch.setattr(claims, "STALE", 3600)
    code = textwrap.dedent("""
        import os, signal, sys
        from pathlib import Path
        from models.claims import claimed
        with claimed(Path(sys.argv[1])):
            os.kill(os.getpid(), signal.SIGKILL)
    """)
    killed = subprocess.run([sys.executable, "-c", code, str(folder)], cwd=ROOT, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert (folder / "0001.json").is_file()
    with claimed(folder) as claim:
        assert claim.number == 2
    assert not folder.exists()


@pytest.mark.parametrize("place", ["disk"], indirect=True)
def test_a_process_that_was_stopped_finds_out_when_it_goes_on(folder):
    """SIGSTOP is what a suspended laptop or a frozen container looks like."""
    code = textwrap.dedent("""
        import sys
        from pathlib import Path
        from models import claims
        claims.BEAT, claims.STALE = 0.05, 0.6
        with claims.claimed(Path(sys.argv[1])) as claim:
            print("held", flush=True)
            sys.stdin.readline()
            try:
                claim.require()
            except Exception as error:
                print(type(error).__name__, flush=True)
    """)
    with subprocess.Popen(
        [sys.executable, "-c", code, str(folder)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as sleeper:
        assert sleeper.stdout.readline() == "held\n"
        os.kill(sleeper.pid, signal.SIGSTOP)
        with claimed(folder) as claim:
            assert claim.number == 2
            os.kill(sleeper.pid, signal.SIGCONT)
            out, _ = sleeper.communicate("\n")
            assert out == "StoreError\n"
            claim.require()
    assert not folder.exists()


def _turn(folder, log):
    with claimed(Path(folder)):
        path = Path(log)
        before = path.read_text() if path.exists() else ""
        time.sleep(0.02)
        path.write_text(before + "x")


def test_processes_take_turns(tmp_path):
    folder, log = tmp_path / ".claim", tmp_path / "log"
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_turn, args=(str(folder), str(log))) for _ in range(3)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    assert [each.exitcode for each in workers] == [0] * 3
    assert log.read_text() == "xxx"
    assert not folder.exists()
