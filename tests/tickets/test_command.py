"""`rssp ticket`: a ticket for a model named on the command line, its figures, and their verification."""

import json

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from rssp.cli.app import main
from rssp.tickets import load_ticket, save_ticket, stored_summary
from rssp.tickets.command import make_ticket, named_module, parse_shape, read_model, verify_ticket
from rssp.tickets.files import stored_witness

MODEL = """
import torch
from torch import nn

torch.manual_seed(0)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.fc = nn.Conv2d(1, 2, 3), nn.Linear(8, 3)

    def forward(self, x):
        return self.fc(torch.relu(self.conv(x)).flatten(1))


net, number = Net(), 3


def broken():
    raise RuntimeError("no weights here")
"""


@pytest.fixture
def model(tmp_path):
    (tmp_path / "model.py").write_text(MODEL)
    return tmp_path / "model.py"


def run(capsys, *arguments):
    """Standard output, standard error and the exit code of a command."""
    code = 0
    try:
        main(["ticket", *map(str, arguments)])
    except SystemExit as end:
        code = end.code or 0
    caught = capsys.readouterr()
    return caught.out, caught.err, code


def test_a_ticket_is_written_and_verified(model, tmp_path, capsys):
    out = tmp_path / "t.safetensors"
    shown, _, code = run(capsys, f"{model}:net", "--input", "1x4x4", "--eps", "0.1", "--out", out, "--workers", 1)
    assert code == 0
    for figure in ("over-parameterization", "kept ratio", "density", "largest weight error", "seconds"):
        assert figure in shown
    ticket = load_ticket(out)
    assert ticket.certified_error <= 0.1
    assert stored_summary(out)["attacked output error"] <= ticket.certified_error
    shown, _, code = run(capsys, "--verify", out, "--json")
    assert code == 0
    assert {row["equal"] for row in json.loads(shown)["rows"]} == {"yes"}


def test_weights_that_are_missed_are_drawn_again(model, tmp_path, capsys):
    arguments = [f"{model}:net", "--input", "1x4x4", "--eps", "0.01", "--n", 8, "--construction", "plain"]
    arguments += ["--out", tmp_path / "t.safetensors", "--workers", 1]
    _, said, code = run(capsys, *arguments)
    assert code == 2
    assert "have no subset sum within 0.01" in said
    shown, _, code = run(capsys, *arguments, "--redraw", 20)
    assert code == 0
    assert load_ticket(tmp_path / "t.safetensors").redrawn > 0
    assert "outputs redrawn" in shown


def test_the_attack_is_verified_at_the_input_that_it_found(model, tmp_path):
    ticket, figures = make_ticket(read_model(f"{model}:net", shape=(1, 4, 4)), tmp_path / "t.safetensors", eps=0.3)
    witness = stored_witness(tmp_path / "t.safetensors")
    assert np.linalg.norm(witness) <= 1 + 1e-12
    gap = np.linalg.norm(ticket.target(witness[None]) - ticket(witness[None]))
    assert gap == pytest.approx(figures["attacked output error"], rel=1e-9)
    assert all(row["equal"] == "yes" for row in verify_ticket(tmp_path / "t.safetensors"))
    # a file that was saved without an attack has none to verify
    save_ticket(ticket, tmp_path / "bare.safetensors")
    rows = verify_ticket(tmp_path / "bare.safetensors")
    assert {row["equal"] for row in rows} == {"yes"}
    assert "attacked output error" not in {row["figure"] for row in rows}
    # a witness that is no input of the unit ball proves nothing
    save_ticket(
        ticket, tmp_path / "far.safetensors", figures=stored_summary(tmp_path / "t.safetensors"), witness=9 * witness
    )
    (row,) = [r for r in verify_ticket(tmp_path / "far.safetensors") if r["equal"] == "NO"]
    assert row["computed"] == "an input beyond the unit ball"


def test_numbers_are_equal_to_1e_6_and_counts_exactly(model, tmp_path, capsys):
    ticket, _ = make_ticket(read_model(f"{model}:net", shape=(1, 4, 4)), tmp_path / "t.safetensors", eps=0.3)
    summary = ticket.summary()
    for figure, factor, same in (("largest weight error", 1 + 1e-7, True), ("largest weight error", 1 + 1e-5, False)):
        figures = summary | {figure: summary[figure] * factor}
        save_ticket(ticket, tmp_path / "t.safetensors", figures=figures)
        assert (run(capsys, "--verify", tmp_path / "t.safetensors")[2] == 0) == same
    save_ticket(
        ticket, tmp_path / "t.safetensors", figures=summary | {"kept parameters": summary["kept parameters"] + 1}
    )
    assert run(capsys, "--verify", tmp_path / "t.safetensors")[2] == 2


def test_figures_that_are_not_those_of_the_file_are_found(model, tmp_path, capsys):
    out = tmp_path / "t.safetensors"
    run(capsys, f"{model}:net", "--input", "1x4x4", "--n", 20, "--eps", "0.5", "--out", out)
    with safe_open(out, "pt") as file:
        texts = file.metadata()
    summary = json.loads(texts["summary"])
    texts["summary"] = json.dumps(summary | {"certified output error": summary["certified output error"] / 2})
    save_file(load_file(out), out, metadata=texts)
    shown, said, code = run(capsys, "--verify", out)
    assert code == 2
    assert "NO" in shown
    assert "1 figures of the file are not those of its content: certified output error" in said


def test_files_of_weights_come_with_their_architecture(model, tmp_path, capsys):
    weights = tmp_path / "weights.pt"
    torch.save(named_module(f"{model}:net").state_dict(), weights)
    out = tmp_path / "t.safetensors"
    arguments = (weights, "--input", "1x4x4", "--eps", "0.3", "--out", out, "--construction", "plain", "--n", 16)
    _, said, code = run(capsys, *arguments)
    assert code == 2
    assert "architecture: got None" in said
    _, _, code = run(capsys, *arguments, "--architecture", f"{model}:Net", "--json")
    assert code == 0
    assert load_ticket(out).construction.name == "plain"
    assert read_model(f"{model}:net", shape=(1, 4, 4)).parameters == load_ticket(out).target.parameters


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "model: got none"),
        (["{model}:absent"], "modules there: net"),
        (["{model}:number"], "a int"),
        (["{model}:broken"], "raises RuntimeError: no weights here"),
        (["nowhere.py:net"], "which is not a file"),
        (["model"], "FILE.py:NAME"),
        (["{model}:net"], "example: got None"),
        (["{model}:net", "--input", "big"], "input: got 'big'"),
        (["{model}:net", "--input", "3x4x4"], "inputs of shape 3x4x4"),
        (["{model}:net", "--input", "1x4x4", "--construction", "wide"], "one of plain, theorem, shallow"),
        (["{model}:net", "--input", "1x4x4", "--eps", "-1"], "eps: got -1"),
        (["{model}:net", "--input", "1x4x4", "--out", "t.pt"], "ends in .safetensors"),
        (["{model}:net", "--verify", "t.safetensors"], "none beside --verify"),
        (["--verify", "t.safetensors"], "not a file"),
    ],
)
def test_bad_arguments_are_explained_in_one_line(model, arguments, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _, error, code = run(capsys, *[a.format(model=model) for a in arguments])
    assert code == 2
    assert said in error
    assert "Traceback" not in error


def test_shapes_are_read_in_two_ways():
    assert parse_shape("3,32,32") == parse_shape("3x32x32") == (3, 32, 32)
