"""What `pytest --medsdk DISEASE` collects: one class for each disease that was named.

The golden file and the pictures of its own kind belong to a plugin's own tests; here they are not to be had.
"""

from __future__ import annotations

from medsdk.testing.conformance import Conformance
from medsdk.testing.plugin import settings

for _disease in settings.diseases:
    _name = "Test" + _disease.title().replace("_", "")
    globals()[_name] = type(
        _name, (Conformance,), {"__module__": __name__, "disease": _disease, "own": None, "golden": None}
    )
