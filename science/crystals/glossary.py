"""Measures of made things: do they match, are they valid, are they new, are they stable."""

from __future__ import annotations

import re

GATED = "a match counts only if the sample passes the tests of validity, as published scripts ask."
TERMS: dict[str, tuple[str, str, bool]] = {
    "match_rate": (
        "Match rate",
        "share of targets that at least one of the k samples matches within the matcher's "
        "tolerances; it says nothing about how near, so read it with RMSE or cRMSE.",
        False,
    ),
    "match_rmse": (
        "RMSE of matches",
        "mean distance of the best matching sample from its target, over matched targets only, in "
        "units of the mean spacing of atoms; missing the hard targets makes it smaller.",
        True,
    ),
    "crmse": (
        "cRMSE",
        "the same over all targets, an unmatched one counting as the matcher's tolerance: blurred "
        "samples that match everything loosely gain nothing.",
        True,
    ),
    "matched": (
        "Matched",
        "share of the samples whose composition is in the reference that match a structure there.",
        False,
    ),
    "metre": (
        "METRe",
        "match rate in which each target may be met by a sample of any target with the same "
        "composition: nobody is asked to guess which of several true answers is meant.",
        False,
    ),
    "ceiling": (
        "Ceiling",
        "share of targets that pass the tests of validity themselves: no gated rate can exceed it.",
        False,
    ),
    "validity": ("Validity", "share of samples that pass every test of plausibility.", False),
    "structure_validity": (
        "Structural validity",
        "share of samples with no two atoms nearer than 0.5 Å and a cell with volume.",
        False,
    ),
    "composition_validity": (
        "Compositional validity",
        "share of samples whose elements have common charges that sum to zero (SMACT's test; "
        "alloys pass).",
        False,
    ),
    "cov_recall": (
        "Coverage, recall",
        "share of reference samples that some made sample resembles: is anything left out?",
        False,
    ),
    "cov_precision": (
        "Coverage, precision",
        "share of made samples that resemble some reference sample: is anything made up?",
        False,
    ),
    "wasserstein": (
        "Wasserstein distance",
        "how far one distribution must be moved to become the other, in the quantity's own unit.",
        True,
    ),
    "uniqueness": ("Unique", "share of samples that are unlike all earlier ones.", False),
    "novelty": ("Novel", "share of samples that match nothing known.", False),
    "stability": ("Stable", "share of samples at or below the threshold over the hull.", False),
    "sun": (
        "S.U.N.",
        "share of samples that are stable, unique and novel at once, all others counting against "
        "it.",
        False,
    ),
    "hit_rate": ("Hit rate", "share of the costly trials that found what was sought.", False),
    "hits": ("Hits", "number of trials that found what was sought.", False),
    "e_hull": (
        "Energy above hull",
        "energy per atom above the best mixture of known phases [eV/atom]; zero or less is stable.",
        True,
    ),
    "e_form": ("Formation energy", "energy per atom against the elements [eV/atom].", True),
    "miscalibration": (
        "Miscalibration",
        "mean gap between the share of errors that stated intervals promise to hold and the share "
        "they hold; 0 means that stated uncertainties can be believed.",
        True,
    ),
}
ALIASES = {
    "match": "match_rate",
    "mr": "match_rate",
    "struct_valid": "structure_validity",
    "structural_validity": "structure_validity",
    "smact_validity": "composition_validity",
    "comp_valid": "composition_validity",
    "valid": "validity",
    "valid_structure": "structure_validity",
    "valid_composition": "composition_validity",
    "matched_rmse": "match_rmse",
    "cov_r": "cov_recall",
    "cov_p": "cov_precision",
    "unique": "uniqueness",
    "novel": "novelty",
    "stable": "stability",
    "above_hull": "e_hull",
}
_TRIES = re.compile(r"(.+?)(?:@|_k|_)(\d+)$")
_DISTANCE = re.compile(r"(?:wasserstein|w|w1|emd)_(.+)$|(.+)_distance$")


def term(key: str) -> tuple[str, str, bool] | None:
    """Label, meaning and whether less is better of ``match_rate@20`` or ``wasserstein_density``.

    Names may carry the number of tries behind them, or what a distance is about, and ``gated_`` in
    front.
    """
    if words := TERMS.get(ALIASES.get(key, key)):
        return words
    if key.startswith("gated_") and (free := term(key.removeprefix("gated_"))):
        return f"{free[0]}, gated", GATED, free[2]
    if tries := _TRIES.match(key):
        # Of several tries only the best one counts.
        once = term("match_rmse" if tries[1] == "rmse" else tries[1])
        return once and (f"{once[0]}, k = {tries[2]}", *once[1:])
    if distance := _DISTANCE.match(key):
        label, meaning, lower = TERMS["wasserstein"]
        return f"{label}, {(distance[1] or distance[2]).replace('_', ' ')}", meaning, lower
    return None
