"""What a prediction run leaves for others: a table of compositions, all structures, some CIFs."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from science.core.files import atomic, write_text
from science.core.samples import Samples
from science.crystals import lattice
from science.crystals.crystals import Crystals, unpack

_SHOWN = 12  # structures written as CIF


def write(folder: Path, asked: Samples, made: Crystals, rms: NDArray[np.float64]) -> None:
    """Write ``structures.csv``, ``samples.csv.gz`` and ``structures/*.cif``."""
    count = rms.shape[1]
    best = np.nan_to_num(rms, nan=np.inf).argmin(1)
    least = rms[np.arange(len(rms)), best]
    frame = pd.DataFrame(
        {
            "id": asked.id,
            "formula": asked.group,
            "rms_1": rms[:, 0],
            "matched_1": np.isfinite(rms[:, 0]),
            "rms": least,
            "matched": np.isfinite(least),
            "sample": best,
            "of": count,
        }
    )
    write_text(folder / "structures.csv", frame.to_csv(index=False))
    text = samples(asked.id, made, count).to_csv(index=False).encode()
    with atomic(folder / "samples.csv.gz") as temporary:
        temporary.write_bytes(gzip.compress(text, mtime=0))
    _cifs(folder / "structures", asked, made, best, least)


def samples(names: NDArray[np.str_], made: Crystals, count: int) -> pd.DataFrame:
    """Structures in the columns of the cards' tables; lengths [Angstrom], angles [degree]."""
    from pymatgen.core.periodic_table import Element

    lengths, angles = lattice.lengths_angles(lattice.matrix(made.cell.double()))
    symbol = [""] + [Element.from_Z(z).symbol for z in range(1, 119)]
    columns = dict(zip("abc", lengths.numpy().round(5).T, strict=True))
    columns |= dict(zip(("alpha", "beta", "gamma"), angles.numpy().round(4).T, strict=True))
    species, frac = made.species.numpy(), made.frac.numpy()
    atoms = [" ".join(symbol[z] for z in row[row > 0]) for row in species]
    sites = [
        " ".join(f"{x:.5f}" for x in places[row > 0].ravel())
        for row, places in zip(species, frac, strict=True)
    ]
    number = np.arange(len(species))
    ids = [f"{names[n // count]}-{n % count}" for n in number]
    return pd.DataFrame(
        {"material_id": ids, "n_atoms": (species > 0).sum(1), **columns}
        | {"species": atoms, "frac": sites}
    )


def _cifs(
    folder: Path,
    asked: Samples,
    made: Crystals,
    best: NDArray[np.int64],
    least: NDArray[np.float64],
) -> None:
    from pymatgen.io.cif import CifWriter

    folder.mkdir(exist_ok=True)
    count = len(made.species) // len(asked)
    some = np.linspace(0, len(asked) - 1, min(_SHOWN, len(asked))).astype(int)
    rows = torch.from_numpy(some * count + best[some])
    for row, structure in zip(some, unpack(Crystals(*(v[rows] for v in made))), strict=True):
        said = f"# predicted; rms {least[row]:.4f}\n" if np.isfinite(least[row]) else ""
        said = said or "# predicted; does not match\n"
        write_text(folder / f"{asked.id[row]}.cif", said + str(CifWriter(structure)))
