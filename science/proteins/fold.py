"""From predicted distances to a backbone.

Residues are rigid and have the hand of L-amino acids; peptide bonds, Ramachandran's map and room
for every atom are terms of an energy, the distogram is another. Several starts descend side by
side: the first guess of all distances embedded in space (with noise), in both hands. They are
ranked by that energy and by how their topology is handed (`hands`), never by the truth. Distances
alone cannot tell a fold from its mirror image; the hand of residues and helices can, since both
images pay for it differently, but only just.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from science.core.errors import UserError
from science.core.seeds import generator
from science.proteins import geometry as g
from science.proteins import hands
from science.proteins.restraints import Distogram, Potential

# Where residues are on Ramachandran's map: phi, psi [degrees], concentration, share. Broad basins
# of alpha, beta, polyproline II and left-handed helices (Lovell et al. 2003, Proteins 50, 437).
_BASINS = (
    (-63.0, -43.0, 8.0, 0.45),
    (-120.0, 135.0, 4.0, 0.35),
    (-70.0, 145.0, 6.0, 0.17),
    (57.0, 45.0, 8.0, 0.03),
)
_CLASH_CA, _CLASH_CB = 3.9, 3.6
_STIFF, _MAP = 30.0, 3.0  # weights of bonds and room, of Ramachandran's map


@dataclass(frozen=True)
class Fold:
    """A backbone and how sure it is.

    Attributes:
        atoms: (L, 4, 3) N, CA, C, CB [Angstrom].
        energy: that ranked it, its hand included; lower is better, comparable for one distogram
            alone.
        confidence: (L,) share of a residue's pairs within 15 A that the distogram expects within
            2 A of where they are: what it believes of the local-distance test.
        others: energies of the other starts.
    """

    atoms: NDArray[np.float32]
    energy: float
    confidence: NDArray[np.float32]
    others: tuple[float, ...] = ()


@dataclass(frozen=True)
class Folder:
    """How folds are looked for.

    Attributes:
        starts: in each hand.
        steps: of each descent.
        rate: of its first steps [Angstrom].
        least: separation of the nearest pairs that restrain.
        reference: see `Potential`.
        handed: what the log odds of `hands.odds` weigh beside the energy, 0 for nothing.
    """

    starts: int = 3
    steps: int = 160
    rate: float = 0.6
    least: int = 2
    reference: float = 0.5
    handed: float = 0.1

    def fold(self, distogram: Distogram, seed: int = 0) -> Fold:
        """The best backbone found.

        Args:
            distogram: of a chain of at least 4 residues.
            seed: of the noise that starts differ by.
        """
        if len(distogram) < 4:
            raise UserError(f"{len(distogram)} residues", "a chain of 4 or more has a fold")
        potential = Potential(distogram, self.least, reference=self.reference)
        atoms, energy = self._descend(potential, self._begin(distogram, seed))
        odds = [hands.odds(made[:, g.CB].numpy()) for made in atoms]
        energy = energy - self.handed * torch.tensor(odds)
        best = int(energy.argmin())
        others = sorted(float(e) for k, e in enumerate(energy) if k != best)
        made = atoms[best].numpy()
        return Fold(made, float(energy[best]), confidence(distogram, made), tuple(others))

    def _begin(self, distogram: Distogram, seed: int) -> Tensor:
        """C-alphas (starts in both hands, L, 3)."""
        guess = torch.from_numpy(distogram.expected())
        noise = torch.randn(
            (self.starts, *guess.shape), generator=generator(seed, "fold", len(guess))
        )
        noise[0] = 0
        noisy = guess * (1 + 0.1 * (noise + noise.transpose(1, 2)))
        traces = torch.stack([g.embed(distance.clamp(min=0)) for distance in noisy])
        mirror = torch.tensor([1.0, 1.0, -1.0])
        return torch.cat([traces, traces * mirror])

    def _descend(self, potential: Potential, ca: Tensor) -> tuple[Tensor, Tensor]:
        """Atoms (starts, L, 4, 3) and energies (starts,) at the end of all descents."""
        place = ca.clone().requires_grad_()
        turn = g.along(_smooth(ca)).requires_grad_()
        optimizer = torch.optim.Adam(
            [{"params": [place], "lr": self.rate}, {"params": [turn], "lr": 0.1}],
            betas=(0.9, 0.99),
        )
        for step in range(self.steps):
            done = step / self.steps
            scale = 0.5 * (1 + math.cos(math.pi * done)) + 0.02
            for group, rate in zip(optimizer.param_groups, (self.rate, 0.1), strict=True):
                group["lr"] = rate * scale
            optimizer.zero_grad()
            made = g.atoms(turn, place)
            total = potential(made[..., g.CB, :]) + chain(made, stiff=0.3 + _STIFF * done**2)
            total.sum().backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        with torch.no_grad():
            made = g.atoms(turn, place)
            energy = potential(made[..., g.CB, :]) + chain(made, stiff=_STIFF)
        return made.detach(), energy


def chain(atoms: Tensor, stiff: float) -> Tensor:
    """Energy (...) of being a chain: peptide bonds, Ramachandran's map, no two atoms in one place.

    Args:
        atoms: (..., L, 4, 3).
        stiff: of bonds and room [1/Angstrom^2].
    """
    bonds = sum(
        (
            ((atoms[..., 1:, b.there, :] - atoms[..., :-1, b.here, :]).square().sum(-1) + 1e-6)
            .sqrt()
            .sub(b.length)
            .square()
            .sum(-1)
            for b in g.PEPTIDE
        ),
        start=torch.zeros(()),
    )
    return stiff * (4 * bonds + _crowded(atoms)) + _MAP * ramachandran(atoms)


def ramachandran(atoms: Tensor) -> Tensor:
    """Minus log of a mixture of basins at each residue's phi and psi, summed (...)."""
    phi, psi = g.torsions(atoms)
    logs = []
    for at_phi, at_psi, sharp, share in _BASINS:
        turn = (phi - math.radians(at_phi)).cos() + (psi - math.radians(at_psi)).cos() - 2
        logs.append(sharp * turn + math.log(share * sharp))
    return -torch.stack([*logs, torch.full_like(phi, math.log(0.02))]).logsumexp(0).sum(-1)


def _crowded(atoms: Tensor) -> Tensor:
    length = atoms.shape[-3]
    place = torch.arange(length)
    far = (place - place[:, None]) >= 3
    total = torch.zeros(())
    for atom, room in ((g.CA, _CLASH_CA), (g.CB, _CLASH_CB)):
        distance = torch.cdist(atoms[..., atom, :], atoms[..., atom, :])
        total = total + ((room - distance).clamp(min=0).square() * far).sum((-1, -2))
    return total


def _smooth(ca: Tensor) -> Tensor:
    """A trace averaged over neighbours, so that the first backbone runs along it."""
    inner = (ca[..., :-2, :] + 2 * ca[..., 1:-1, :] + ca[..., 2:, :]) / 4
    return torch.cat([ca[..., :1, :], inner, ca[..., -1:, :]], -2)


def confidence(distogram: Distogram, atoms: NDArray[np.float32]) -> NDArray[np.float32]:
    """(L,) see `Fold`; residues without a neighbour get 0."""
    grid, density = distogram.densities()
    cb = atoms[:, g.CB].astype(np.float64)
    distance = np.sqrt(((cb[:, None] - cb[None]) ** 2).sum(-1))
    mass = np.cumsum(density, -1)
    mass /= np.maximum(mass[..., -1:], 1e-9)
    step = grid[1] - grid[0]
    at = [
        np.clip(((distance + side) / step).round().astype(int), 0, len(grid) - 1)
        for side in (-2.0, 2.0)
    ]
    low, high = (np.take_along_axis(mass, a[..., None], -1)[..., 0] for a in at)
    place = np.arange(len(cb))
    near = (distance < 15) & (np.abs(place - place[:, None]) >= 3)
    share = ((high - low) * near).sum(1) / np.maximum(near.sum(1), 1)
    return np.asarray(share, np.float32)
