"""Images of identities, from a folder of folders or from Labeled Faces in the Wild."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from corr.data.identities import Identities, read_identities, read_lfw_people
from corr.data.image_batches import LabelledImages, PhotoFiles
from corr.data.image_datamodule import ImageDataModule
from corr.data.photometric import Photometry
from corr.data.views import Views
from corr.errors import DatasetError, OptionError

FACES = Views(
    min_area=0.25, max_area=0.6, max_aspect=1.1, max_rotation_deg=10.0, max_perspective=0.1
)
"""Of an aligned photograph, around its middle or not far from it."""


class IdentityDataModule(ImageDataModule):
    """Images of identities, P of them in a batch and K images of each.

    Only identities with two images or more are learned from. A training batch depends on the seed
    and on its step alone; each image is seen in a random view. The held-out images are those of
    identities that are not trained on, as they are.

    Args:
        folder: holds a folder for each identity.
        val_folder: likewise, of identities held out; every tenth identity of `folder` by name, from
            the first, and at least two, when not given.
        people: a file of names, such as LFW's `peopleDevTrain.txt`: only these are trained on.
        val_people: such as `peopleDevTest.txt`: these are held out, of the same folder.
        num_identities: P, in a batch, on each device.
        images_per_identity: K; an identity with fewer gives some of them twice, in other views.
        side: of a view, px; the network should be told the same.
        steps_per_epoch: batches in an epoch; there is no natural end.
        num_workers: processes that make batches; 0 makes them in the main one.
        seed: of the views, the light and the order of the identities.
        views: how much a view differs from its image.
        photometry: how much its light and camera differ.

    Raises:
        OptionError: a number outside its range.
    """

    def __init__(
        self,
        folder: str,
        val_folder: str | None = None,
        people: str | None = None,
        val_people: str | None = None,
        *,
        num_identities: int = 32,
        images_per_identity: int = 4,
        side: int = 128,
        steps_per_epoch: int = 100,
        num_workers: int = 1,
        seed: int = 0,
        views: Views | None = None,
        photometry: Photometry | None = None,
    ) -> None:
        super().__init__(
            num_identities=num_identities, images_per_identity=images_per_identity, side=side,
            steps_per_epoch=steps_per_epoch, num_workers=num_workers, seed=seed,
            views=views or FACES, photometry=photometry or Photometry(),
        )  # fmt: skip
        if (people is None) != (val_people is None):
            raise OptionError("people and val_people belong together; one was given")
        if people is not None and val_folder is not None:
            raise OptionError("give val_people or val_folder, not both")
        self.folder = folder
        self.val_folder = val_folder
        self.people = people
        self.val_people = val_people

    def read_train(self) -> LabelledImages:
        """The images to train on, each read when it is needed.

        Raises:
            DatasetError: no identity has so many images, or a folder cannot be used.
        """
        train, _ = self._split()
        most = max(np.bincount(train.labels))
        if most < self.images_per_identity:
            raise DatasetError(
                f"images_per_identity is {self.images_per_identity}, and no identity in "
                f"'{self.folder}' has more than {most} images; use {most} or fewer"
            )
        return self._images(train)

    def read_val(self) -> LabelledImages:
        """Those held out, each read when it is needed."""
        return self._images(self._split()[1])

    def _split(self) -> tuple[Identities, Identities]:
        found = read_identities(self.folder)
        if self.people is not None and self.val_people is not None:
            lists = (read_lfw_people(path) for path in (self.people, self.val_people))
            return tuple(self._kept(found, names) for names in lists)  # type: ignore[return-value]
        if self.val_folder is not None:
            other = read_identities(self.val_folder)
            return self._kept(found, found.names), self._kept(other, other.names)
        several = self._kept(found, found.names).names
        held_out = several[:: min(10, max(2, len(several) // 2))]
        rest = [name for name in several if name not in set(held_out)]
        return self._kept(found, rest), self._kept(found, held_out)

    def _kept(self, found: Identities, names: Sequence[str]) -> Identities:
        """Those of the names that have two images or more."""
        counts = np.bincount(found.labels, minlength=len(found.names))
        kept = [
            label
            for label, name in enumerate(found.names)
            if counts[label] >= 2 and name in set(names)
        ]
        if len(kept) < 2:
            raise DatasetError(
                f"'{self.folder}' leaves {len(kept)} identities with two images or more to train "
                "on or to validate with; two or more are needed for each"
            )
        place = {label: number for number, label in enumerate(kept)}
        rows = [row for row, label in enumerate(found.labels) if label in place]
        return Identities(
            tuple(found.paths[row] for row in rows),
            tuple(place[found.labels[row]] for row in rows),
            tuple(found.names[label] for label in kept),
        )

    def _images(self, found: Identities) -> LabelledImages:
        return LabelledImages(PhotoFiles(found.paths, 4 * self.side), np.array(found.labels))
