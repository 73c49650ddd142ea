"""Folds as structure files."""

from __future__ import annotations

from pathlib import Path

import gemmi
import torch

from science.core.errors import UserError
from science.core.files import write_text
from science.proteins import geometry as g
from science.proteins.fold import Fold

_WHAT = "Backbone folded from predicted distances; B factor = 100 x confidence"


def structure(sequence: str, fold: Fold, name: str) -> gemmi.Structure:
    """A fold as a structure of one chain ``A``: N, CA, C, O and, but for glycine, CB.

    Args:
        sequence: L letters.
        fold: of L residues.
        name: of the structure.
    """
    if len(sequence) != len(fold.atoms):
        raise UserError(f"{len(sequence)} letters and {len(fold.atoms)} residues do not fit")
    oxygen = g.oxygens(torch.from_numpy(fold.atoms)).numpy()
    chain = gemmi.Chain("A")
    for place, letter in enumerate(sequence):
        residue = gemmi.Residue()
        residue.name = gemmi.expand_one_letter(letter, gemmi.ResidueKind.AA) or "UNK"
        residue.seqid = gemmi.SeqId(place + 1, " ")
        residue.entity_type = gemmi.EntityType.Polymer
        positions = {
            "N": fold.atoms[place, g.N],
            "CA": fold.atoms[place, g.CA],
            "C": fold.atoms[place, g.C],
            "O": oxygen[place],
        }
        if residue.name != "GLY":
            positions["CB"] = fold.atoms[place, g.CB]
        for atom, position in positions.items():
            made = gemmi.Atom()
            made.name, made.element = atom, gemmi.Element(atom[0])
            made.pos = gemmi.Position(*map(float, position))
            made.b_iso = 100 * float(fold.confidence[place])
            residue.add_atom(made)
        chain.add_residue(residue)
    model = gemmi.Model(1)
    model.add_chain(chain)
    whole = gemmi.Structure()
    whole.name = name
    whole.add_model(model)
    whole.info["_struct.title"] = _WHAT
    whole.setup_entities()
    whole.assign_label_seq_id()
    return whole


def write(path: Path, sequence: str, fold: Fold) -> Path:
    """Write a fold as mmCIF (``.cif``) or PDB (``.pdb``), by the ending of ``path``.

    Raises:
        UserError: another ending.
    """
    made = structure(sequence, fold, path.stem)
    if path.suffix == ".cif":
        text = made.make_mmcif_document().as_string()
    elif path.suffix == ".pdb":
        text = made.make_pdb_string()
    else:
        raise UserError(f"{path}: no known ending", "write .cif or .pdb")
    write_text(path, text)
    return path
