"""The checks, each a function that takes the subject and raises ContractError, or NotApplicableError."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from medsdk.testing.checks.answers import determinism, predictions_are_well_formed, thread_safety, untrained_says_so
from medsdk.testing.checks.card import card_is_complete, card_is_true_to_the_model
from medsdk.testing.checks.costs import import_cost, latency, memory
from medsdk.testing.checks.looking import accepts_its_own, attention, rejects_foreign_pictures
from medsdk.testing.checks.manners import network, writes
from medsdk.testing.checks.packaging import api_version, registration, wheel_contents
from medsdk.testing.checks.reading import bad_sources, sources
from medsdk.testing.checks.tensors import preprocessing, preprocessing_golden
from medsdk.testing.subject import Subject

Check: TypeAlias = Callable[[Subject], None]

# What can be asked of a plugin that does not load.
FIRST: tuple[Check, ...] = (registration, api_version)

# In the order in which a failure is best understood: what comes first makes the later ones fail too.
CHECKS: tuple[Check, ...] = (
    *FIRST,
    card_is_complete,
    card_is_true_to_the_model,
    preprocessing,
    preprocessing_golden,
    predictions_are_well_formed,
    untrained_says_so,
    determinism,
    thread_safety,
    sources,
    bad_sources,
    rejects_foreign_pictures,
    accepts_its_own,
    attention,
    latency,
    memory,
    import_cost,
    network,
    writes,
    wheel_contents,
)
