"""The family that newcomers try the commands on."""

from __future__ import annotations

import numpy as np

from science.proteins import example
from science.proteins.metrics import precision
from science.proteins.mi import mutual_information
from science.proteins.read import read as read_alignment
from science.proteins.read_structure import read_structure


def test_an_example_is_read_as_it_was_made(tmp_path):
    alignment, structure = example.write(tmp_path)
    read = read_alignment(alignment)
    assert (read.depth, read.length) == (example.DEPTH, 64)
    chain = read_structure(structure, read.query)
    assert chain.sequence == read.query
    assert np.isfinite(chain.distances()).all()
    assert (
        precision(mutual_information(read.tokens).score.numpy(), chain.distances(), "long", 5) > 0.2
    )


def test_it_repeats_and_follows_the_seed(tmp_path):
    first, again, other = (
        example.write(tmp_path / n, s) for n, s in (("a", 0), ("b", 0), ("c", 1))
    )
    for one, two, three in zip(first, again, other, strict=True):
        assert one.read_bytes() == two.read_bytes() != three.read_bytes()
