"""Statistics and learning: contacts from what evolution tried, alone and as others showed it."""

from __future__ import annotations

import numpy as np

from science.core.config import checked
from science.core.errors import UserError
from science.core.ladder import Answer, Asked
from science.core.recipe import Recipe
from science.core.seeds import derive
from science.proteins.contact_baselines import field, information
from science.proteins.contact_data import ContactData
from science.proteins.families import Family
from science.proteins.feature_cache import FeatureCache
from science.proteins.features import coupling_score
from science.proteins.predict import Predictor

VIEWS = 100  # families that one training sees, however few there are; each is seen in some views


def mutual(asked: Asked) -> Answer:
    """Mutual information of columns, less what phylogeny and entropy add (the APC)."""
    return Answer([information(one.tokens) for one in asked.questions.alignments])


def mean_field(asked: Asked) -> Answer:
    """A Potts model in mean-field theory: direct couplings instead of correlations."""
    return Answer([field(one.tokens) for one in asked.questions.alignments])


def gaussian(asked: Asked) -> Answer:
    """A Gaussian model: the inverse of the covariance, tamed by a ridge."""
    return Answer([coupling_score(one.tokens) for one in asked.questions.alignments])


def network(asked: Asked) -> Answer:
    """The quickstart's network, trained on the examples' alignments and contacts.

    Raises:
        UserError: there are too few families.
    """
    known: list[Family] = asked.examples
    if len(known) < 2:
        raise UserError(f"{len(known)} families teach nothing", "give two and more")
    config = checked("proteins/quickstart", ["trainer.max_epochs=1"])
    config |= {"seed": derive(asked.seed, "ladder", "network")}
    config["trainer"] |= {"check_val_every_n_epoch": 1}
    data = ContactData("proteins/simulated", crop=64)
    data.families, data.cache = known, FeatureCache(asked.folder / "features")
    watched = max(1, len(known) // 10)
    learn = np.resize(np.arange(len(known) - watched), asked.share(VIEWS))
    watch = np.arange(len(known) - watched, len(known))
    fold = data.fold(learn, watch, derive(asked.seed, "ladder", "fold"))
    net = Recipe(config, asked.folder).train("network", fold)  # type: ignore[arg-type]
    seer = Predictor([net])
    maps = [seer.raw(one.tokens) for one in asked.questions.alignments]
    return Answer(maps, f"{sum(p.numel() for p in net.parameters()):,} parameters")
