"""A small Transformer over alignments: which columns it lets see each other tells contacts.

Tied row attention and column attention by turns, as in the MSA Transformer (Rao et al. 2021, ICML),
with two differences that a laptop's budget asks for. Queries and keys of the row attention are
centred over the rows, so that its logits are covariances of columns, significant ones large, before
anything is learned. And a gap is no token but a hidden place: it neither asks nor answers, so that
gaps side by side cannot pass for covariation.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from science.core.nn.axial import AxialBlock
from science.core.nn.positions import RelativeBias
from science.proteins.alphabet import GAP

VOCABULARY = GAP  # the residues; a hidden one reads as a gap
MASK = GAP


class AlignmentTransformer(nn.Module):
    """Says what hidden residues of an alignment are, for pre-training.

    Args:
        width: features of a residue.
        layers: blocks of row attention, column attention and feed-forward net.
        heads: of each attention.
        hidden: width of the feed-forward nets.
        dropout: on what each part of a block adds.
        centred: whether the row attention compares deviations from the column's mean.
    """

    def __init__(
        self,
        width: int = 64,
        layers: int = 5,
        heads: int = 8,
        hidden: int = 128,
        dropout: float = 0.0,
        centred: bool = True,
    ) -> None:
        super().__init__()
        self.maps = layers * heads
        self.embed = nn.Embedding(VOCABULARY + 1, width)
        self.blocks = nn.ModuleList(
            AxialBlock(width, heads, hidden, dropout, centred) for _ in range(layers)
        )
        self.near = nn.ModuleList(RelativeBias(heads) for _ in range(layers))
        self.norm, self.say = nn.LayerNorm(width), nn.Linear(width, VOCABULARY)

    def forward(self, ids: Tensor, real: Tensor) -> Tensor:
        """Logits (batch, rows, columns, 20) of every residue.

        Args:
            ids: (batch, rows, columns) residues, 0 to 19; 20 where hidden.
            real: the same shape; False at gaps and padding.
        """
        features, _ = self.read(ids, real)
        logits: Tensor = self.say(self.norm(features))
        return logits

    def read(self, ids: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
        """Features (batch, rows, columns, width), maps (batch, maps, columns, columns)."""
        x, maps = self.embed(ids.long()), []
        columns = ids.shape[-1]
        for block, near in zip(self.blocks, self.near, strict=True):
            x, weights = block(x, real, near(columns))
            maps.append(weights[..., -columns:])  # without a prefix's
        return x, torch.cat(maps, 1)
