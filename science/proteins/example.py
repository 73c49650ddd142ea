"""A family to try the commands on: a lattice protein's alignment, and the structure it folds to."""

from __future__ import annotations

from pathlib import Path

import gemmi
import numpy as np

from science.core.files import write_text
from science.core.seeds import derive
from science.proteins import synth
from science.proteins.alphabet import decode
from science.proteins.lattice import SPACING_A, places

DEPTH = 200
NAME = "example"


def write(folder: Path, seed: int = 0) -> list[Path]:
    """Write ``example.a3m`` and ``example.pdb``; no family of ``proteins/simulated`` is like it.

    Args:
        folder: to write to.
        seed: of shape and sequences.
    """
    made = synth.make(depth=DEPTH, seed=derive(seed, "proteins", "example"))
    rows = [decode(row) for row in made.tokens]
    named = [NAME, *(f"relative-{n}" for n in range(1, len(rows)))]
    lines = [f">{name}\n{row}" for name, row in zip(named, rows, strict=True)]
    alignment, structure = folder / f"{NAME}.a3m", folder / f"{NAME}.pdb"
    write_text(alignment, "\n".join(lines) + "\n")
    at = np.asarray(places(synth.BOX)[made.shape] * SPACING_A, np.float64)
    write_text(structure, _pdb(rows[0], at))
    return [alignment, structure]


def _pdb(sequence: str, at: synth.Floats) -> str:
    """A chain whose residues are points: C-alpha and C-beta lie in one place."""
    chain = gemmi.Chain("A")
    for number, (letter, point) in enumerate(zip(sequence, at, strict=True), 1):
        residue = gemmi.Residue()
        residue.name = gemmi.expand_one_letter(letter, gemmi.ResidueKind.AA)
        residue.seqid = gemmi.SeqId(number, " ")
        residue.entity_type = gemmi.EntityType.Polymer
        for name in ("CA",) if residue.name == "GLY" else ("CA", "CB"):
            atom = gemmi.Atom()
            atom.name, atom.element = name, gemmi.Element("C")
            atom.pos = gemmi.Position(*map(float, point))
            residue.add_atom(atom)
        chain.add_residue(residue)
    model, whole = gemmi.Model(1), gemmi.Structure()
    model.add_chain(chain)
    whole.name = NAME
    whole.add_model(model)
    whole.setup_entities()
    return str(whole.make_pdb_string())
