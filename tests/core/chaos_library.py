"""The other half of `tests.core.chaos`: what happens to assets, folders and documents."""

from __future__ import annotations

from app.core import asset, document
from app.core.refs import Kind
from app.core.renditions import Spec
from tests.core.chaos import Chaos
from tests.core.worlds import ACME


class Everything(Chaos):
    """The whole chaos."""

    def do_delete(self) -> None:
        if of := self.some(Kind.ASSET):
            self.library.delete(of)

    def do_trash(self) -> None:
        if of := self.some(Kind.ASSET):
            self.library.trash(of)

    def do_restore(self) -> None:
        if of := self.some(Kind.ASSET):
            self.library.restore(of)

    def do_keep(self) -> None:
        if of := self.some(Kind.ASSET):
            self.library.keep(of)

    def do_revise(self) -> None:
        to = self.place()
        if of := self.some(Kind.ASSET, lambda of: of.document is None):
            self.library.revise(of, lambda it, now: asset.revised(it, now, parent=to), claim=self.names(), drop=self.names())

    def do_promise_an_asset(self) -> None:
        chosen = self.dice.choice([None, "mine", "yours"])
        self.library.placeholder(ACME, "v1", "n", self.place(), chosen, aliases=self.names("abc"))

    def do_render(self) -> None:
        if of := self.some(Kind.ASSET, lambda of: of.facts and of.facts.width):
            self.rendering.request(of, Spec(self.dice.randint(1, 3)))

    # ------------------------------------------------------------ folders

    def do_make_a_folder(self) -> None:
        self.folders.create(ACME, "v1", "f", self.place())

    def do_make_a_path(self) -> None:
        self.folders.ensure(ACME, "v1", list(self.names("fgh")), self.place())

    def do_move_a_folder(self) -> None:
        if folder := self.some(Kind.FOLDER):
            self.folders.move(folder, self.place())

    do_move_another_folder = do_move_a_folder

    def do_rename_a_folder(self) -> None:
        if folder := self.some(Kind.FOLDER):
            self.folders.rename(folder, "r")

    def do_delete_a_folder(self) -> None:
        if (folder := self.some(Kind.FOLDER)) and self.dice.random() < 0.5:
            self.folders.delete(folder)

    # ------------------------------------------------------------ documents

    def do_make_a_document(self) -> None:
        self.documents.create(ACME, "v1", self.dice.choice(["d", "e"]), {}, aliases=self.names("abc"))

    def do_revise_a_document(self) -> None:
        slots = self.dice.choice([{}, {"en": "en"}, {"en": "en", "de": "de", "published": "en"}])  # what stands in which slot from then on
        if paper := self.some(Kind.DOCUMENT):
            self.documents.revise(paper, lambda it, now: document.revised(it, now, files=_chosen(it, slots)), claim=self.names("abc"))

    def do_delete_a_document(self) -> None:
        if (paper := self.some(Kind.DOCUMENT)) and self.dice.random() < 0.4:
            self.documents.delete(paper)


def _chosen(paper, slots):
    return {slot: paper.files[other] for slot, other in slots.items() if other in paper.files}
