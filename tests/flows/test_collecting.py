"""A server on SQLite whose garbage waits for the database."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

HOLDING = textwrap.dedent("""
    import sqlite3, sys, threading, time

    def connect(seconds):
        return sqlite3.connect(sys.argv[1], timeout=seconds, isolation_level=None, check_same_thread=False)

    def failed_statement():
        # In a cycle, as an error and its traceback are.
        kept = [waiting.cursor()]
        kept.append(kept)
        waiting.execute("PRAGMA busy_timeout = 0")
        try:
            kept[0].execute("INSERT INTO numbers VALUES (0)")
        except sqlite3.OperationalError as error:
            print(error)
        waiting.execute("PRAGMA busy_timeout = 20000")

    holding, waiting = connect(0), connect(20)
    holding.execute("PRAGMA journal_mode = WAL")
    holding.execute("CREATE TABLE numbers (value INTEGER)")
    holding.execute("BEGIN IMMEDIATE")
    failed_statement()
    begun = threading.Event()

    def wait():
        begun.set()
        try:
            waiting.execute("INSERT INTO numbers VALUES (1)")
        except sqlite3.OperationalError as error:
            print(error)

    thread = threading.Thread(target=wait)
    thread.start()
    begun.wait()
    time.sleep(0.5)  # until it waits
    many = [[number] for number in range(3_000_000)]
    print(thread.is_alive())
    holding.execute("COMMIT")
    thread.join()
    print(holding.execute("SELECT value FROM numbers").fetchall())
""")

LEAVING = textwrap.dedent("""
    import gc, time, weakref

    class Left:
        pass

    def leave():
        left = Left()
        left.itself = left
        return weakref.ref(left)

    print(gc.isenabled())
    seen = leave()
    until = time.monotonic() + 60
    while seen() is not None and time.monotonic() < until:
        many = [[number] for number in range(10_000)]
        time.sleep(0.1)
    print(seen())
""")


def run(folder: Path, script: str, *words: str) -> list[str]:
    """What a script prints as a program of `flows.collecting`."""
    (folder / "script.py").write_text(script)
    done = subprocess.run(
        [sys.executable, "-m", "flows.collecting", "script", *words],
        env={"PYTHONPATH": f"{folder}:{Path(__file__).parents[2]}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_what_failed_is_not_collected_by_who_has_locked_the_database(tmp_path: Path) -> None:
    assert run(tmp_path, HOLDING, str(tmp_path / "numbers.db")) == ["database is locked", "True", "[(1,)]"]


def test_what_is_left_is_collected_all_the_same(tmp_path: Path) -> None:
    assert run(tmp_path, LEAVING) == ["False", "None"]
