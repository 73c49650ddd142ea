"""Read a protein chain from PDB or mmCIF, at the residues of its sequence.

What structures are like is dealt with and told: residues without coordinates (the rest of the
deposited sequence, or of the query, has them as ``nan``), modified residues (MSE is M), alternate
locations (the one most occupied), several models (the first), insertion codes and jumps in
numbering (numbers are not believed; the chain's own bonds and an alignment are).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gemmi
import numpy as np

from science.core import read_bytes
from science.core.errors import UserError
from science.core.read_bytes import UnreadableError
from science.proteins.structure import BACKBONE, Chain, Floats32, cb_of

LEAST_IDENTITY = 0.9  # of aligned residues; below, the structure is of another protein
LEAST_COVERED = 0.5  # share of the chain's residues that the sequence explains
_BOND_A = 2.5  # a C-N distance above this is no peptide bond, with room for poor models
_MOST_FILLED = 500  # residues that a jump in numbering may stand for


def read_structure(
    path: str | Path,
    sequence: str | None = None,
    chain: str | None = None,
    least_identity: float = LEAST_IDENTITY,
) -> Chain:
    """One chain of a structure file.

    Args:
        path: PDB or mmCIF, compressed or not.
        sequence: what the coordinates are put at; the deposited sequence, or the residues with
            coordinates, if not given.
        chain: its name in the file; if not given, the one that fits ``sequence`` best, or the
            first protein chain.
        least_identity: share of aligned residues that must agree with ``sequence``.

    Raises:
        UserError: the file is unreadable or cut short, has no such chain, or is of another protein.
    """
    path = Path(path).expanduser()
    structure, notes = _parsed(path)
    if len(structure) > 1:
        notes.append(f"{len(structure)} models; the first is taken.")
    found = _chains(structure, path, chain, notes)
    made = [_at_sequence(one, structure, sequence, f"{path}", notes) for one in found]
    best = max(range(len(made)), key=lambda place: made[place][1])
    got, agreement, covered = made[best]
    if sequence is not None and (agreement < least_identity or covered < LEAST_COVERED):
        raise UserError(
            f"{path}: chain {got.name} is of another protein ({agreement:.0%} of its aligned"
            f" residues agree, {covered:.0%} of it aligns)",
            "give the structure of the query, or its chain with --chain",
        )
    return got


def _parsed(path: Path) -> tuple[gemmi.Structure, list[str]]:
    notes: list[str] = []
    try:
        data, warning = read_bytes.content(path)
        text = read_bytes.text(data)
    except UnreadableError as problem:
        raise UserError(f"{path}: {problem}", "give PDB or mmCIF") from None
    cif = text.lstrip().startswith(("data_", "#", "loop_")) or "_atom_site." in text[:200_000]
    try:
        if cif:
            structure = gemmi.make_structure_from_block(gemmi.cif.read_string(text).sole_block())
        else:
            structure = gemmi.read_pdb_string(text)
    except (RuntimeError, ValueError, IndexError) as problem:
        said = " ".join(str(problem).split())
        raise UserError(f"{path}: cannot be read ({said})", "get the file again") from None
    if warning or (not cif and not _ended(text)):
        notes.append(warning or "The file has no END record; it may be cut short.")
    structure.setup_entities()
    return structure, notes


def _ended(text: str) -> bool:
    tail = text.rstrip().rsplit("\n", 1)[-1]
    return tail.startswith(("END", "TER", "MASTER", "CONECT", "HETATM"))


def _chains(
    structure: gemmi.Structure, path: Path, wanted: str | None, notes: list[str]
) -> list[gemmi.Chain]:
    if not len(structure):
        raise UserError(f"{path}: no atoms", "give PDB or mmCIF with coordinates")
    proteins = [one for one in structure[0] if _is_protein(one)]
    if not proteins:
        raise UserError(f"{path}: no protein chain", "give a structure of the protein")
    if wanted is None:
        return proteins
    named = [one for one in proteins if one.name == wanted]
    if not named:
        known = ", ".join(dict.fromkeys(repr(one.name) for one in proteins))
        raise UserError(f"{path}: no protein chain {wanted!r}", f"it has {known}")
    if len(named) > 1:
        notes.append(f"{len(named)} chains are called {wanted!r}; the best is taken.")
    return named


def _is_protein(chain: gemmi.Chain) -> bool:
    return len(_residues(chain)) > 0


def _residues(chain: gemmi.Chain) -> list[gemmi.Residue]:
    """Amino acids with a C-alpha, one per place; a number met twice ends the chain."""
    polymer = [
        residue
        for residue in chain.first_conformer()
        if residue.find_atom("CA", "*", gemmi.Element("C")) and _letter(residue.name) != "-"
    ]
    seen: set[str] = set()
    kept = []
    for residue in polymer:
        number = str(residue.seqid)
        if number in seen:
            break
        seen.add(number)
        kept.append(residue)
    return kept


def _letter(name: str) -> str:
    """One letter of a residue; X if it is an amino acid of unknown kind, - if it is none."""
    known = gemmi.find_tabulated_residue(name)
    if not known.found():
        return "X"  # it has a C-alpha carbon, so it is somebody's modified residue
    if not known.is_amino_acid():
        return "-"
    letter = known.one_letter_code.upper().strip()
    return letter or "X"


def _at_sequence(
    chain: gemmi.Chain,
    structure: gemmi.Structure,
    sequence: str | None,
    source: str,
    notes: Sequence[str],
) -> tuple[Chain, float, float]:
    """The chain at its sequence, with the identity and covered share of the alignment."""
    said = list(notes)
    residues = _residues(chain)
    if len(residues) < len([r for r in chain.first_conformer() if r.find_atom("CA", "*")]):
        said.append(f"Chain {chain.name}: residues that repeat a number are left out.")
    letters = "".join(_letter(residue.name) for residue in residues)
    target = sequence or _deposited(chain, structure) or _bridged(residues, letters, said)
    places, agreement = _align(target, letters, residues)
    backbone = np.full((len(target), 4, 3), np.nan, np.float32)
    given = np.full((len(target), 3), np.nan, np.float32)
    altered = 0
    for place, residue in zip(places, residues, strict=True):
        altered += len({a.altloc for a in residue if a.altloc != "\0"}) > 1
        if place >= 0:
            backbone[place], given[place] = _atoms(residue)
    said += _told(residues, altered, target, int(np.isfinite(backbone[:, 1, 0]).sum()))
    if agreement < 1:
        said.append(f"{agreement:.1%} of the aligned residues agree with the sequence.")
    cb = cb_of(target, backbone, given)
    name = f"{Path(read_bytes.plain_name(source)).stem}:{chain.name.strip() or '(blank)'}"
    covered = sum(place >= 0 for place in places) / max(1, len(places))
    return Chain(name, target, cb, backbone, source, tuple(said)), agreement, covered


def _deposited(chain: gemmi.Chain, structure: gemmi.Structure) -> str:
    """The deposited sequence (SEQRES), one letter a residue; empty if the file has none."""
    entity = structure.get_entity_of(chain.get_polymer())
    if entity is None or not entity.full_sequence:
        return ""
    names = [gemmi.Entity.first_mon(item) for item in entity.full_sequence]
    return "".join(letter for letter in map(_letter, names) if letter != "-")


def _bridged(residues: Sequence[gemmi.Residue], letters: str, said: list[str]) -> str:
    """Residues with coordinates, with X for those that a broken chain and its numbers leave out."""
    parts, filled = [letters[:1]], 0
    for before, here, letter in zip(residues[:-1], residues[1:], letters[1:], strict=True):
        jump = (here.seqid.num or 0) - (before.seqid.num or 0) - 1
        if 0 < jump <= _MOST_FILLED and not _bonded(before, here):
            parts.append("X" * jump)
            filled += jump
        parts.append(letter)
    if filled:
        said.append(f"{filled} residues are missing by the numbering; X stands for them.")
    return "".join(parts)


def _bonded(before: gemmi.Residue, here: gemmi.Residue) -> bool:
    c, n = before.find_atom("C", "*"), here.find_atom("N", "*")
    return bool(c and n) and c.pos.dist(n.pos) < _BOND_A


def _align(target: str, letters: str, residues: Sequence[gemmi.Residue]) -> tuple[list[int], float]:
    """Place of each residue in ``target``, -1 for none, and the share of those that agree.

    Global alignment with affine gaps (gemmi's, as for SEQRES); a gap is cheap where the chain is
    broken and dear where it is bonded.
    """
    if target == letters:
        return list(range(len(letters))), 1.0
    score = gemmi.AlignmentScoring()
    bonds = (_bonded(a, b) for a, b in itertools.pairwise(residues))
    opening = [0, *(score.bad_gapo if bonded else score.good_gapo for bonded in bonds), 0]
    result = gemmi.align_string_sequences(list(target), list(letters), opening, score)
    first, second = result.add_gaps(target, 1), result.add_gaps(letters, 2)
    places: list[int] = []
    at = same = aligned = 0
    for a, b in zip(first, second, strict=True):
        if b != "-":
            places.append(at if a != "-" else -1)
            aligned += a != "-" and "X" not in (a, b)
            same += a == b and a != "X"
        at += a != "-"
    return places, same / aligned if aligned else 0.0


def _atoms(residue: gemmi.Residue) -> tuple[Floats32, Floats32]:
    """Backbone (4, 3) and C-beta (3,), of the alternate location most occupied."""
    best = _location(residue)
    places: list[Any] = []
    for name in (*BACKBONE, "CB"):
        atom = residue.find_atom(name, best) or residue.find_atom(name, "\0")
        atom = atom or residue.find_atom(name, "*")
        places.append(atom.pos.tolist() if atom else [np.nan] * 3)
    found = np.array(places, np.float32)
    return found[:4], found[4]


def _location(residue: gemmi.Residue) -> str:
    """Letter of the alternate location with the largest occupancy; of equals the first."""
    total: dict[str, float] = {}
    for atom in residue:
        if atom.altloc != "\0":
            total[atom.altloc] = total.get(atom.altloc, 0.0) + atom.occ
    return min(total, key=lambda letter: (-total[letter], letter)) if total else "\0"


def _told(residues: Sequence[gemmi.Residue], altered: int, target: str, known: int) -> list[str]:
    standard = {r.name for r in residues if gemmi.find_tabulated_residue(r.name).is_standard()}
    modified = [r.name for r in residues if r.name not in standard]
    said = []
    if modified:
        kinds = ", ".join(sorted(set(modified)))
        said.append(f"{len(modified)} modified residues ({kinds}) count as their parents.")
    if altered:
        said.append(f"{altered} residues have alternate locations; the most occupied is taken.")
    if known < len(target):
        said.append(f"{len(target) - known} of {len(target)} residues have no coordinates.")
    return said
