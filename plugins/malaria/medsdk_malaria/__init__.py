"""Malaria: in a single red blood cell of a Giemsa-stained thin smear, or in a whole field of them, or in many fields."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import medsdk

# The contract that this plugin is written for.
medsdk_api = "1"

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from .counting import FieldHead, FieldNotes


class Malaria(medsdk.DiseasePlugin):
    """The card has everything about one cell; what is here is how a field is split into cells and added up."""

    bundle = medsdk.Bundle.beside(__file__)
    counts = "red_cells"

    def regions(self, image: npt.NDArray[np.uint8]) -> medsdk.Regions:
        """The whole red cells of a field, suspicious ones alone on black; in doubt if it does not look like a field."""
        from .field import cutout, read_field

        reading = read_field(image)
        if not reading.quality.usable:
            sentence = reading.quality.reason.value
            return medsdk.Regions(refusal=sentence[0].upper() + sentence[1:] + ".", certain=reading.quality.is_field)
        from .counting import FieldNotes  # brings what a picture of one cell needs not

        # Every cell counts; the network sees those that have something in them, and some plain ones beside them.
        chosen = self._head.first_look(reading.spots())
        cells = zip(reading.whole, chosen.judged, strict=True)
        items = tuple(medsdk.Region(cell.box, cutout(image, cell) if judged else None) for cell, judged in cells)
        return medsdk.Regions(items, notes=FieldNotes(reading.quality, chosen))

    def fold(
        self, regions: medsdk.Regions, outputs: Sequence[medsdk.ModelOutputs], picture: medsdk.Picture
    ) -> medsdk.Prediction:
        """Red cells counted, infected ones with boxes and scores, parasitaemia with its interval."""
        from .counting import fold
        from .picture import FieldPicture

        notes: FieldNotes = regions.notes
        contexts = [each.context for each in outputs if each.context is not None]  # the card names contexts
        cells = self._head(contexts, notes.chosen)
        boxes = [region.box for region in regions.items]
        pictured = FieldPicture(boxes, cells, notes.quality.diameter, picture)
        return fold(picture.name, boxes, cells, self._head, notes.quality, pictured)

    def combine(self, source: str, findings: Sequence[medsdk.Prediction]) -> medsdk.Prediction:
        """Fields of one slide."""
        from .counting import sum_up

        return sum_up(source, findings, self._head.mistakes)

    @cached_property
    def _head(self) -> FieldHead:
        from .counting.head import FILE, FieldHead

        head = FieldHead.decode(self.bundle.read(FILE))
        if head.model_sha256 != self.card.model.sha256:
            raise medsdk.ModelDamagedError(
                str(self.bundle.folder / FILE), "it was fitted on another model.", "Reinstall the plugin."
            )
        return head


@medsdk.hookimpl
def medsdk_register_diseases(register: Callable[[medsdk.DiseasePlugin], None]) -> None:
    """Tell medsdk of this disease."""
    register(Malaria())
