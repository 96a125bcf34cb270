"""medsdk's contract, check by check: see `pytest --collect-only -v`."""

from medsdk.testing import Conformance


class TestScabies(Conformance):
    """What to say here, and what each check asks, stands in the class's documentation."""

    disease = "scabies"
