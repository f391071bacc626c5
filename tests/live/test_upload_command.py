"""`slipway upload` against real processes: what arrives, what is said, and how it goes on after every kind of break."""

import hashlib
import json
import os
import signal
import subprocess

import pytest
import requests

from tests.live.conftest import CLOCK, records_of
from tests.services.cutting import Cutting
from tests.services.pictures import photo
from tests.services.up import SLIPWAY, Up, clean_environment

pytestmark = pytest.mark.live

MIB = 1024 * 1024
PART = 8 * MIB
BIG = {"SLIPWAY_V1_MEDIA_TYPES": "*/*", "SLIPWAY_V1_JUDGE": "off", "SLIPWAY_V1_MAX_BYTES": "200000000"}


@pytest.fixture(scope="module")
def any_file():
    """One that takes any bytes, whose web is killed and whose clock is moved."""
    with Up(**BIG, SLIPWAY_CLOCK_KEY=CLOCK, SLIPWAY_V1_UPLOAD_TTL="86400") as up:
        yield up


@pytest.fixture
def film(tmp_path):
    """40 MiB and a little: six parts."""
    file = tmp_path / "film.bin"
    file.write_bytes(os.urandom(5 * PART + 1234))
    return file


@pytest.fixture
def start(tmp_path):
    """Starts `slipway upload` with notes of this test's own."""
    running = []

    def start(up, *words, url=None, key=None, stdin=None):
        env = clean_environment(XDG_STATE_HOME=str(tmp_path / "state"), SLIPWAY_DATA=str(up.data))
        if url:
            env |= {"SLIPWAY_URL": url, "SLIPWAY_KEY": key or up.credentials["api_key"]}
        command = ["env", "--default-signal=INT", SLIPWAY, "upload", *map(str, words)]  # what a shell puts behind itself ignores Ctrl-C
        running.append(subprocess.Popen(command, env=env, text=True, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE))
        return running[-1]

    yield start
    for each in running:
        each.kill()
        each.communicate()


@pytest.fixture
def run(start):
    """Runs it to its end -> what went to stdout, as objects with --json."""

    def run(up, *words, status=0, **where):
        process = start(up, "--json", *words, **where)
        said, complaints = process.communicate(timeout=90)
        assert process.returncode == status, said + complaints
        return [json.loads(line) for line in said.splitlines()]

    return run


def bytes_of(up, shown):
    answer = requests.get(f"{up.url}/v1/assets/{shown['assetId']}/content", headers=up.bearer, timeout=60)
    assert answer.status_code == 200
    return answer.content


def notes(tmp_path):
    folder = tmp_path / "state" / "slipway"
    return [json.loads(file.read_text()) for file in folder.iterdir()] if folder.exists() else []


def test_files_go_out_and_their_results_are_told_in_order(up, run, tmp_path):
    good, bad = tmp_path / "gut & schön.png", tmp_path / "bad.png"
    good.write_bytes(photo(64, 48, "PNG"))
    bad.write_bytes(b"no image at all")
    folder = tmp_path / "folder"
    (folder / "inside").mkdir(parents=True)
    (folder / "inside" / "third.png").write_bytes(good.read_bytes())
    first, second, third = run(up, good, bad, folder, "-r", status=1)
    assert first == {
        "path": str(good),
        "ok": True,
        "status": "completed",
        "operationId": first["operationId"],
        "assetId": first["assetId"],
        "url": f"{up.url}/v1/assets/{first['assetId']}",
        "mediaType": "image/png",
        "size": good.stat().st_size,
        "width": 64,
        "height": 48,
        "digest": f"sha256:{hashlib.sha256(good.read_bytes()).hexdigest()}",
        "problem": None,
    }
    assert bytes_of(up, first) == good.read_bytes()
    assert requests.get(first["url"], headers=up.bearer, timeout=10).json()["filename"] == good.name
    assert (second["ok"], second["status"], second["problem"]["code"]) == (False, "failed", "not_an_image")
    assert (third["ok"], third["path"]) == (True, str(folder / "inside" / "third.png"))


def test_people_are_told_in_lines(up, start, tmp_path):
    good, bad = tmp_path / "good.png", tmp_path / "bad.png"
    good.write_bytes(photo(64, 48, "PNG"))
    bad.write_bytes(b"no image at all")
    process = start(up, good, bad)
    said, complaints = process.communicate(timeout=60)
    path, asset, url, measured = said.rstrip("\n").split("\t")
    assert (path, url, measured[:9]) == (str(good), f"{up.url}/v1/assets/{asset}", "image/png")
    assert measured.endswith("64x48")
    assert complaints == f"{bad}: The file is not an image of a known format.\n"
    assert process.returncode == 1


def test_a_key_that_is_none_is_told_so(up, start, tmp_path):
    (tmp_path / "photo.png").write_bytes(photo(8, 8, "PNG"))
    process = start(up, tmp_path / "photo.png", url=up.url, key="nonsense")
    assert process.communicate(timeout=60) == ("", f"{tmp_path}/photo.png: No valid credentials were sent.\n")
    assert process.returncode == 1


def test_standard_input_is_streamed(up, run, tmp_path):
    file = tmp_path / "any.png"
    file.write_bytes(photo(80, 60, "PNG"))
    with file.open("rb") as stdin:
        (shown,) = run(up, "-", "--filename", "piped.png", stdin=stdin)
    assert (shown["path"], shown["mediaType"], bytes_of(up, shown)) == ("-", "image/png", file.read_bytes())


def test_a_large_file_goes_in_parts(any_file, run, film, tmp_path):
    with Cutting(any_file.url) as proxy:
        (shown,) = run(any_file, film, url=proxy.url)
    assert bytes_of(any_file, shown) == film.read_bytes()
    assert proxy.parts == dict.fromkeys(range(1, 7), 1)
    assert shown["url"].startswith(proxy.url)
    assert notes(tmp_path) == []


def test_nobody_waits_who_does_not_want_to(any_file, run, film):
    (shown,) = run(any_file, film, "--no-wait", "--no-digest")
    assert (shown["ok"], shown["status"], shown["assetId"]) == (True, "pending", None)
    answer = requests.get(f"{any_file.url}/v1/operations/{shown['operationId']}", headers=any_file.bearer, timeout=10)
    assert answer.json()["status"] in {"queued", "started", "completed"}


def test_broken_connections_cost_a_part_each_at_the_most(any_file, run, film):
    cuts = (3 * MIB, 15 * MIB, 30 * MIB)
    with Cutting(any_file.url, cuts=cuts) as proxy:
        (shown,) = run(any_file, film, url=proxy.url)
    assert bytes_of(any_file, shown) == film.read_bytes()
    assert sum(proxy.parts.values()) > 6
    assert proxy.sent < film.stat().st_size + len(cuts) * 4 * PART  # four were under way at each cut


def test_it_goes_on_when_the_web_process_is_killed(any_file, start, film):
    with Cutting(any_file.url, hold_at=12 * MIB) as proxy:
        process = start(any_file, film, "--json", url=proxy.url)
        assert proxy.held.wait(60)
        any_file.kill("web")
        proxy.release()
        said, complaints = process.communicate(timeout=90)
    assert process.returncode == 0, complaints
    assert bytes_of(any_file, json.loads(said)) == film.read_bytes()
    assert max(proxy.parts.values()) > 1


def test_it_goes_on_where_a_killed_command_ended(any_file, start, run, film, tmp_path):
    with Cutting(any_file.url, hold_at=36 * MIB) as proxy:
        process = start(any_file, film, "--parallel", "1", url=proxy.url)
        assert proxy.held.wait(60)
        (note,) = notes(tmp_path)
        process.send_signal(signal.SIGKILL)
        process.wait()
        began = dict(proxy.parts)
        proxy.cut()
        proxy.release()
        (shown,) = run(any_file, film, url=proxy.url)
    assert began.keys() == {1, 2, 3, 4, 5}
    assert bytes_of(any_file, shown) == film.read_bytes()
    assert shown["operationId"] == note["operation"]
    assert proxy.parts == {**dict.fromkeys((1, 2, 3, 4), 1), 5: 2, 6: 1}
    assert notes(tmp_path) == []


def test_ctrl_c_says_how_to_go_on(any_file, start, film, tmp_path):
    with Cutting(any_file.url, hold_at=12 * MIB) as proxy:
        process = start(any_file, film, url=proxy.url)
        assert proxy.held.wait(60)
        process.send_signal(signal.SIGINT)
        said, complaints = process.communicate(timeout=30)
    assert (process.returncode, said) == (130, "")
    assert "the same command goes on" in complaints
    assert "Traceback" not in complaints
    assert len(notes(tmp_path)) == 1


def test_a_url_that_ran_out_is_renewed(any_file, start, film):
    clock = records_of(any_file)
    try:
        with Cutting(any_file.url, hold_at=12 * MIB) as proxy:
            process = start(any_file, film, "--json", "--parallel", "1", url=proxy.url)
            assert proxy.held.wait(60)
            clock.set(CLOCK, 4000)  # beyond the hour of a signed URL, within the day of the upload
            proxy.release()
            said, complaints = process.communicate(timeout=90)
    finally:
        clock.delete(CLOCK)
    assert process.returncode == 0, complaints
    assert bytes_of(any_file, json.loads(said)) == film.read_bytes()
    assert max(proxy.parts.values()) == 2


def test_a_file_that_changes_meanwhile_is_not_uploaded(any_file, start, film, tmp_path):
    with Cutting(any_file.url, hold_at=12 * MIB) as proxy:
        process = start(any_file, film, "--json", url=proxy.url)
        assert proxy.held.wait(60)
        (note,) = notes(tmp_path)
        with film.open("r+b") as file:
            file.write(b"other")
        proxy.release()
        said, complaints = process.communicate(timeout=60)
    assert process.returncode == 1, complaints
    assert "changed while" in json.loads(said)["problem"]["detail"]
    assert requests.get(f"{any_file.url}/v1/uploads/{note['upload']}", headers=any_file.bearer, timeout=10).status_code == 410
    assert notes(tmp_path) == []


def test_what_was_begun_and_expired_is_begun_again(any_file, start, run, film, tmp_path):
    with Cutting(any_file.url, hold_at=20 * MIB) as proxy:
        process = start(any_file, film, url=proxy.url)
        assert proxy.held.wait(60)
        process.send_signal(signal.SIGKILL)
        process.wait()
        (note,) = notes(tmp_path)
        requests.delete(f"{any_file.url}/v1/uploads/{note['upload']}", headers=any_file.bearer, timeout=10)
        proxy.release()
        (shown,) = run(any_file, film, url=proxy.url)
    assert shown["operationId"] != note["operation"]
    assert bytes_of(any_file, shown) == film.read_bytes()


def test_parts_go_straight_to_s3(seaweed, run, film):
    bucket = seaweed.bucket()
    with Up(SLIPWAY_STORE=seaweed.store_url(bucket, "house"), **seaweed.environment, **BIG) as up, Cutting(up.url) as proxy:
        (shown,) = run(up, film, url=proxy.url)
        assert bytes_of(up, shown) == film.read_bytes()
    assert proxy.sent < MIB


def test_operations_are_shown_waited_for_and_given_up(up, run, tmp_path):
    file = tmp_path / "photo.png"
    file.write_bytes(photo(64, 48, "PNG"))
    (shown,) = run(up, file, "--no-wait")
    env = clean_environment(SLIPWAY_URL=up.url, SLIPWAY_KEY=up.credentials["api_key"])

    def ask(*words):
        return subprocess.run([SLIPWAY, "operations", *words], env=env, text=True, capture_output=True, timeout=60, check=False)

    listed = ask("--limit", "3", "--json")
    assert listed.returncode == 0, listed.stderr
    assert shown["operationId"] in [json.loads(line)["id"] for line in listed.stdout.splitlines()]
    waited = ask("show", shown["operationId"], "--wait", "--json")
    assert (waited.returncode, json.loads(waited.stdout)["status"]) == (0, "completed")
    assert ask("cancel", shown["operationId"]).returncode == 1
    assert "Error: " in ask("show", "nothing").stderr
    opened = requests.post(f"{up.url}/v1/uploads", json={"filename": "a.png"}, headers=up.bearer, timeout=10).json()
    assert json.loads(ask("cancel", opened["id"], "--json").stdout)["status"] == "cancelled"
