"""Redis elsewhere: behind sentinels that fail over, and with TLS."""

import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
import requests
import trustme

from tests.services.pictures import photo
from tests.services.redis_server import binary
from tests.services.seaweed import free_ports
from tests.services.sentinels import Sentinels
from tests.services.up import Up, eventually

pytestmark = pytest.mark.live


def sent(up: Up, content: bytes) -> str:
    """Where its operation is; waits out the 503 of a Redis that is changing hands."""
    answers = []

    def taken() -> bool:
        answers.append(requests.post(f"{up.url}/v1/uploads?filename=cat.jpg", data=content, headers=up.bearer, timeout=30))
        assert answers[-1].status_code in {202, 503}, answers[-1].text
        return answers[-1].status_code == 202

    eventually(taken, 60, "a door that takes uploads")
    return answers[-1].headers["Location"]


def completed(up: Up, location: str) -> dict:
    def done() -> bool:
        found.update(requests.get(location, headers=up.bearer, timeout=30).json())
        return found.get("status") == "completed"

    found: dict = {}
    eventually(done, 90, f"the end of {location}")
    return found


def test_a_master_fails_over():
    with Sentinels() as sentinels, Up(SLIPWAY_REDIS=sentinels.url_of(1), SLIPWAY_BROKER=sentinels.url_of(0)) as up:
        before = completed(up, sent(up, photo(seed=1)))
        sentinels.fail_over()
        later = completed(up, sent(up, photo(seed=2)))
        for operation, seed in ((before, 1), (later, 2)):
            answer = requests.get(operation["resourceUrl"] + "/content", headers=up.bearer, timeout=30)
            assert answer.content == photo(seed=seed)
        flower = requests.get(f"{up.flower}/api/workers", auth=up.flower_auth, timeout=30)
        assert flower.status_code != 500


@contextmanager
def encrypted():
    """A Redis that speaks nothing but TLS; the URL of a database of it."""
    folder = Path(tempfile.mkdtemp(prefix="slt-", dir="/tmp"))
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    (port,) = free_ports(1)
    files = ["--tls-cert-file", folder / "cert.pem", "--tls-key-file", folder / "key.pem", "--tls-ca-cert-file", folder / "ca.pem"]
    where = ["--port", "0", "--tls-port", str(port), "--bind", "127.0.0.1", "--dir", folder, "--tls-auth-clients", "no", "--save", ""]
    process = subprocess.Popen([binary(), *where, *files, "--requirepass", "s:cret/"], stdout=subprocess.PIPE, text=True)

    def url_of(db: int, *, ca: bool = True) -> str:
        return f"rediss://:s%3Acret%2F@localhost:{port}/{db}" + (f"?ssl_ca_certs={folder / 'ca.pem'}" if ca else "")

    def answers() -> bool:
        if process.poll() is not None and "tls" in (said := process.stdout.read()).lower():
            pytest.skip(f"this redis-server has no TLS: {said.splitlines()[-1]}")
        try:
            return redis.Redis.from_url(url_of(0)).ping()
        except redis.ConnectionError:
            return False

    try:
        eventually(answers, what="a Redis with TLS")
        yield url_of
    finally:
        process.kill()
        process.communicate()
        shutil.rmtree(folder, ignore_errors=True)


def test_tls_all_the_way():
    with encrypted() as url_of, Up(SLIPWAY_REDIS=url_of(1), SLIPWAY_BROKER=url_of(0)) as up:
        done = completed(up, sent(up, photo(seed=3)))
        assert requests.get(done["resourceUrl"] + "/content", headers=up.bearer, timeout=30).content == photo(seed=3)


def test_a_certificate_that_nobody_vouches_for_is_refused():
    from app.core.errors import BrokerDown, RecordsDown
    from app.core.refs import Kind, Ref
    from app.jobs import CeleryJobs
    from app.records import open_records

    with encrypted() as url_of:
        with pytest.raises(RecordsDown, match=r"(?i)certificate"):
            open_records(url_of(1, ca=False)).records.ping()
        with pytest.raises(BrokerDown, match=r"(?i)certificate"):
            CeleryJobs(url_of(0, ca=False)).process(Ref(Kind.OPERATION, "acme", "x"))
        CeleryJobs(url_of(0)).process(Ref(Kind.OPERATION, "acme", "x"))
