"""Distances between residues as classes, and the contact they add up to."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from science.proteins.contacts import CONTACT_A

EDGES = (5.0, 6.0, 7.0, CONTACT_A, 9.0, 10.0, 12.0, 14.0, 16.0, 18.0, 20.0)
BINS = len(EDGES) + 1
TOUCHING = EDGES.index(CONTACT_A) + 1  # classes nearer than a contact


def contact_log_odds(logits: Tensor) -> Tensor:
    """(B, L, L) log-odds that a pair is nearer than 8 Angstrom, of (B, BINS, L, L)."""
    return logits[:, :TOUCHING].logsumexp(1) - logits[:, TOUCHING:].logsumexp(1)


class DistogramLoss(nn.Module):
    """Cross-entropy of the distance class, and of the contact that the classes add up to.

    Args:
        contact: how much the second counts; the first counts one.
    """

    def __init__(self, contact: float = 2.0) -> None:
        super().__init__()
        self.contact = contact
        self.edges: Tensor
        self.register_buffer("edges", torch.tensor(EDGES), persistent=False)

    def forward(self, logits: Tensor, distance: Tensor) -> Tensor:
        """(B, L, L) loss of each pair, of (B, BINS, L, L) and distances [Angstrom]."""
        place = torch.bucketize(distance.contiguous(), self.edges, right=True)
        each = F.cross_entropy(logits, place, reduction="none")
        touching = (distance < CONTACT_A).to(logits.dtype)
        odds = contact_log_odds(logits)
        return each + self.contact * F.binary_cross_entropy_with_logits(
            odds, touching, reduction="none"
        )
