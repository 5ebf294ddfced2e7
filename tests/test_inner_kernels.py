"""Inner kernels have no entry point from Python: a call from there ends the process, so that none must be written."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "rssp"
FILES = [path for path in sorted(ROOT.rglob("*.py")) if "rssp._jit import kernel" in path.read_text("utf-8")]


def decorators(node: ast.FunctionDef) -> list[str]:
    return [ast.unparse(decorator) for decorator in node.decorator_list]


def is_inner(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef) and any(d.startswith("kernel(") for d in decorators(node))


def inner_names(tree: ast.Module) -> set[str]:
    """The inner kernels that a file defines or imports."""
    names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and is_inner(node)}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("rssp."):
            source = ROOT.parent / Path(*node.module.split(".")).with_suffix(".py")
            if source in FILES:
                inner = {n.name for n in ast.parse(source.read_text("utf-8")).body if is_inner(n)}  # type: ignore[attr-defined]
                names |= inner & {alias.name for alias in node.names}
    return names


def calls_from_python(tree: ast.Module) -> Iterator[str]:
    inner = inner_names(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and not any(d.startswith("kernel") for d in decorators(node)):
            for part in ast.walk(node):
                if isinstance(part, ast.Call) and isinstance(part.func, ast.Name) and part.func.id in inner:
                    yield f"{node.name} calls {part.func.id}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_inner_kernels_are_called_by_kernels_only(path: Path) -> None:
    assert not list(calls_from_python(ast.parse(path.read_text("utf-8"))))


def test_the_check_sees_a_call() -> None:
    source = "@kernel(inner=True)\ndef f(x): return x\n@kernel\ndef g(x): return f(x)\ndef h(x): return f(x) + g(x)\n"
    assert list(calls_from_python(ast.parse(source))) == ["h calls f"]
