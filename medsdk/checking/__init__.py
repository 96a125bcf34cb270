"""Is a bundle whole, and does it do what its card says? What can be told without a training stack: `medsdk check`."""

from medsdk.checking.bundle import check_bundle
from medsdk.checking.installed import check_installed, claimed_twice
from medsdk.checking.model import Check, all_passed

__all__ = ["Check", "all_passed", "check_bundle", "check_installed", "claimed_twice"]
