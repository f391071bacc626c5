"""Contentful's states as a machine: whatever is asked of an asset in whatever order, these things hold."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from app.core.document import Document, File, await_file, filled
from app.core.errors import UploadError
from app.core.facts import Facts
from app.dialects.contentful import steps, views
from tests.dialects.contentful.speak import file_from

LOCALES = st.sampled_from(["en-US", "de"])
SOME = st.none() | st.lists(st.sampled_from(["en-US", "de", "fr"]), min_size=1, unique=True)


class States(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = 1_000.0
        self.count = 0
        sent = {"fields": {"title": {"en-US": "a"}, "file": {"en-US": file_from("first"), "de": file_from("erste")}}}
        self.document = Document("x", "acme", "contentful", "me", self.now, self.now, body=steps.body(sent))

    def step(self, change, *args, **more) -> None:
        before, self.now = self.document, self.now + 1
        try:
            after = change(before, self.now, *args, **more)
        except UploadError:
            assert self.document == before
            return
        assert (after.revision, after.updated_at) == (before.revision + 1, self.now)
        self.document = after

    @rule(locales=SOME)
    def publish(self, locales) -> None:
        self.step(steps.published, "me", locales)

    @rule(locales=SOME)
    def unpublish(self, locales) -> None:
        self.step(steps.unpublished, "me", locales)

    @rule()
    def archive(self) -> None:
        self.step(steps.archived, "me")

    @rule()
    def unarchive(self) -> None:
        self.step(steps.unarchived, "me")

    @rule(locales=st.sets(LOCALES, min_size=1))
    def update(self, locales) -> None:
        self.count += 1
        files = {locale: file_from(f"{locale}-{self.count}") for locale in sorted(locales)}
        self.step(steps.replaced, {"fields": {"title": {"en-US": "b"}, "file": files}}, "you")

    @rule()
    def process(self) -> None:
        for locale in self.document.body["fields"].get("file", {}):
            if locale not in self.document.files:
                self.count += 1
                file = File(f"asset-{self.count}", "cat.png", Facts(3, f"sha256:{self.count:064x}", "image/png"))
                self.document = filled(await_file(self.document, locale, "op"), locale, "op", file, self.now)

    @invariant()
    def never_both(self) -> None:
        assert not (steps.is_published(self.document) and steps.is_archived(self.document))

    @invariant()
    def what_is_told_is_so(self) -> None:
        told = self.document.body["sys"]
        published = steps.is_published(self.document)
        assert all((name in told) is published for name in steps.PUBLICATION)
        assert all((name in told) is steps.is_archived(self.document) for name in steps.ARCHIVE)
        assert ("firstPublishedAt" in told) is (told.get("publishedCounter", 0) > 0)
        assert told.get("publishedVersion", 0) < self.document.revision

    @invariant()
    def only_what_is_published_has_a_published_file(self) -> None:
        shown = set(views.published_files(self.document))
        assert shown <= set(self.document.body.get("published", {"fields": {}})["fields"].get("file", {}))
        assert set(views.draft_files(self.document)) <= set(self.document.body["fields"].get("file", {}))

    @invariant()
    def what_is_published_was_processed(self) -> None:
        files = self.document.body.get("published", {"fields": {}})["fields"].get("file", {})
        assert set(files) == set(views.published_files(self.document))
        assert bool(files) is steps.is_published(self.document)


States.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestStates = States.TestCase
