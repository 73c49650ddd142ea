"""CHGNet behind the oracle interface: many structures in one pass, forces by one backward pass."""

from __future__ import annotations

import contextlib
import importlib.util
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from science.core.errors import UserError
from science.crystals.oracle import Floats, Oracle, Response, chgnet, unfit
from science.crystals.oracle_graph import graph, isolated

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

WEIGHTS = "pretrained/0.3.0/chgnet_0.3.0_e29f68s314m37.pth.tar"
UNSEEN = {84, 85, 86, 87, 88}  # Po, At, Rn, Fr, Ra: not in its training data
ELEMENTS = frozenset(range(1, 95)) - UNSEEN
ATOMS = 160  # in one pass: enough to keep the arithmetic busy, small enough for the cache


class ChgnetOracle:
    """CHGNet 0.3.0 (Deng et al. 2023, Nat. Mach. Intell. 5, 1031).

    The package builds the graph of the gradient in case somebody trains on forces, and runs one
    backward pass for forces and one for stress. Here is one pass for both, without that graph.
    """

    name = "chgnet-0.3.0"

    def __init__(self, device: str = "cpu") -> None:
        self.device = device
        self.model = _load().to(device).eval().requires_grad_(False)
        self.far = float(self.model.graph_converter.atom_graph_cutoff)
        self.near = float(self.model.graph_converter.bond_graph_cutoff)

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        # Workers load the weights once each instead of getting them with every task.
        return chgnet, (self.device,)

    def energies(self, structures: Sequence[Structure]) -> Floats:
        """(n,) eV/atom, ``nan`` for what it cannot take."""
        return np.array([r.energy for r in self._ask(structures, forces=False)])

    def forces_stress(self, structures: Sequence[Structure]) -> list[Response]:
        """Energy, forces and stress of each."""
        return self._ask(structures, forces=True)

    def _ask(self, structures: Sequence[Structure], forces: bool) -> list[Response]:
        said = [Response(np.nan, problem=self._unfit(s)) for s in structures]
        good = [i for i, response in enumerate(said) if not response.problem]
        for rows in _parts(good, [len(s) for s in structures]):
            answers = self._pass([structures[i] for i in rows], forces)
            for i, answer in zip(rows, answers, strict=True):
                said[i] = answer
        return said

    def _unfit(self, structure: Structure) -> str:
        problem = unfit(structure, ELEMENTS)
        alone = 0 if problem else isolated(structure, self.far)
        if alone:
            return f"{alone} isolated atom{'s' * (alone > 1)}: no neighbour within {self.far:g} Å"
        return problem

    def _pass(self, structures: Sequence[Structure], forces: bool) -> list[Response]:
        count = [len(s) for s in structures]
        where = torch.tensor(np.concatenate([s.cart_coords for s in structures])).float()
        where = where.to(self.device).requires_grad_(forces)
        strain = torch.zeros(len(structures), 3, 3, device=self.device, requires_grad=forces)
        with torch.set_grad_enabled(forces):
            energy = self._energy(structures, where, strain)
        each = energy.detach().cpu().double().numpy()
        if not forces:
            return [_response(e) for e in each]
        total = (energy * energy.new_tensor(count)).sum()
        pull, by_strain = torch.autograd.grad(total, [where, strain])
        push = np.split(-pull.cpu().double().numpy(), np.cumsum(count)[:-1])
        volume = np.array([s.volume for s in structures])[:, None, None]
        stress = by_strain.cpu().double().numpy() / volume
        stress = 0.5 * (stress + stress.swapaxes(1, 2))
        return [_response(*answer) for answer in zip(each, push, stress, strict=True)]

    def _energy(self, structures: Sequence[Structure], where: Tensor, strain: Tensor) -> Tensor:
        """(n,) eV/atom of structures under a strain that is zero, so that it can be derived by."""
        from chgnet.model.model import BatchedGraph

        g, model = graph(structures, self.far, self.near), self.model

        def put(array: Any) -> Tensor:
            return torch.as_tensor(array, device=self.device)

        owner, pairs = put(g.owner), put(g.pairs)
        cells = put(np.stack([s.lattice.matrix for s in structures])).float()
        bend = torch.eye(3, device=self.device) + strain
        across = torch.einsum("ni,nij->nj", put(g.image).float(), cells[owner[pairs[:, 0]]])
        where = torch.einsum("ni,nij->nj", where, bend[owner])
        across = torch.einsum("ni,nij->nj", across, bend[owner[pairs[:, 0]]])
        far, near, arrow = model.bond_basis_expansion(
            center=where[pairs[:, 0]],
            neighbor=where[pairs[:, 1]] + across,
            undirected2directed=put(g.directed),
            image=across.new_zeros(1, 3),
            lattice=across.new_zeros(3, 3),
        )
        arms = put(g.arms)
        numbers = put(np.concatenate([s.atomic_numbers for s in structures]))
        batch = BatchedGraph(
            atomic_numbers=numbers,
            bond_bases_ag=far,
            bond_bases_bg=near,
            angle_bases=model.angle_basis_expansion(arrow[arms[:, 0]], arrow[arms[:, 1]])
            if len(arms)
            else arrow.new_zeros(0),
            batched_atom_graph=pairs,
            batched_bond_graph=put(g.angles),
            atom_owners=owner,
            directed2undirected=put(g.undirected),
            atom_positions=[],
            strains=[],
            volumes=[],
        )
        cut = torch.split(numbers, [len(s) for s in structures])
        offset = model.composition_model([SimpleNamespace(atomic_number=z) for z in cut])
        energy: Tensor = model._compute(batch)["e"] + offset
        return energy


def _load() -> Any:
    spec = importlib.util.find_spec("chgnet")
    if spec is None or spec.origin is None:
        raise UserError("the oracle needs CHGNet", "pip install fifth-paradigm[crystals]")
    from chgnet.model.model import CHGNet

    path = Path(spec.origin).parent / WEIGHTS
    state = torch.load(path, map_location="cpu", weights_only=True)["model"]
    # Its own `load` would unpickle whatever the file holds.
    with contextlib.redirect_stdout(io.StringIO()):
        model = CHGNet(**{**state["model_args"], "mlp_out_bias": False})
    model.load_state_dict(state["state_dict"])
    return model


def _parts(rows: Sequence[int], atoms: Sequence[int]) -> Iterator[list[int]]:
    """Rows in groups of about as many atoms as one pass takes."""
    part: list[int] = []
    for row in rows:
        if part and sum(atoms[i] for i in part) + atoms[row] > ATOMS:
            yield part
            part = []
        part.append(row)
    if part:
        yield part


def _response(
    energy: float, forces: Floats | None = None, stress: Floats | None = None
) -> Response:
    if forces is None or stress is None:
        return Response(float(energy), problem="" if np.isfinite(energy) else "no finite energy")
    finite = np.isfinite(energy) and np.isfinite(forces).all() and np.isfinite(stress).all()
    if not finite:
        return Response(np.nan, problem="no finite energy or forces")
    return Response(float(energy), forces, stress)


_: type[Oracle] = ChgnetOracle
