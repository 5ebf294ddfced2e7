"""Reading and writing safetensors files, with errors that say what is wrong; pickle files are refused."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from rssp.errors import ArgumentError

__all__ = ["read_tensors", "write_tensors"]

_PICKLES = (".pt", ".pth", ".pkl", ".pickle", ".bin", ".ckpt")
_RENAME = "A file of torch.save is read under its own suffix, .pt or .pth, by torch.load(weights_only=True)."


def read_tensors(path: str | Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """All tensors of a safetensors file, and the texts in its header."""
    path = Path(path)
    if not path.is_file():
        raise ArgumentError("path", f"{str(path)!r}, which is not a file", "an existing .safetensors file")
    with path.open("rb") as file:
        start = file.read(9)
    # a safetensors file begins with the length of its header, 8 bytes, and the header's brace
    header = len(start) < 9 or start[5:] == b"\0\0\0{"
    if path.suffix.lower() in _PICKLES or (start.startswith((b"PK\x03\x04", b"\x80")) and not header):
        raise ArgumentError("path", f"the pickle file {path.name!r}", "a .safetensors file", _RENAME)
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, dict(file.metadata() or {})  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as cause:
        raise ArgumentError(
            "path",
            f"{path.name!r}, which cannot be read ({cause})",
            "a complete .safetensors file",
            "It is truncated, corrupted or of another format: write it again.",
        ) from cause


def write_tensors(path: str | Path, tensors: Mapping[str, torch.Tensor], texts: Mapping[str, str]) -> None:
    """Write a safetensors file through a temporary name, so that no half-written file is left under the real one."""
    path = Path(path)
    if path.suffix != ".safetensors":
        raise ArgumentError("path", repr(str(path)), "a name that ends in .safetensors")
    partial = path.with_name(path.name + ".partial")
    try:
        save_file({k: v.detach().contiguous() for k, v in tensors.items()}, partial, metadata=dict(texts))
        partial.replace(path)
    except (OSError, SafetensorError) as cause:
        partial.unlink(missing_ok=True)
        raise ArgumentError("path", f"{str(path)!r} ({cause})", "a file in a folder that can be written") from cause
