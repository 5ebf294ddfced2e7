"""What killed writers leave behind is cleared away after a day, and nothing else is."""

import os
import time
from pathlib import Path

from rssp import _files


def test_only_what_was_abandoned_is_removed(tmp_path):
    old, young, part = (tmp_path / name for name in (f"{_files._TEMPORARY}old", f"{_files._TEMPORARY}young", "part"))
    for path in (old, young, part):
        path.write_bytes(b"x")
    two_days_ago = time.time() - 2 * 86_400  # the age is what is tested, not how long anything takes
    for path in (old, part):
        os.utime(path, (two_days_ago, two_days_ago))
    _files.clear_abandoned(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([young.name, part.name])


def test_another_process_may_be_faster(tmp_path, monkeypatch):
    left = tmp_path / f"{_files._TEMPORARY}old"
    left.write_bytes(b"x")
    os.utime(left, (0, 0))

    def gone(path, **more):
        raise FileNotFoundError(path)

    monkeypatch.setattr(Path, "unlink", gone)
    _files.clear_abandoned(tmp_path)
