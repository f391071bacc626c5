import pytest
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from app.metrics.door import Exported
from app.metrics.ledger import Ledger


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "m"


@pytest.fixture
def ledger(folder):
    return Ledger(folder)


@pytest.fixture
def exported(folder):
    """What a scrape finds: sample by sample."""

    def scrape(looks=()):
        families = text_string_to_metric_families(generate_latest(Exported(folder, looks)).decode())
        samples = {(sample.name, *sorted(sample.labels.values())): sample.value for family in families for sample in family.samples}
        return {(name.removeprefix("slipway_"), *labels): number for (name, *labels), number in samples.items()}

    return scrape
