"""Two hundred clients that wait for one operation, and others that upload meanwhile."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.services import pictures
from tests.services.up import eventually

WAITERS, SEATS = 200, 16  # a quarter of the 32 threads of each of the two processes


@pytest.mark.timeout(120)
def test_who_waits_does_not_stop_who_uploads(up):
    announced = requests.post(f"{up.url}/v1/uploads", json={"filename": "late.png"}, headers=up.bearer, timeout=30).json()
    monitor = f"{up.url}/v1/operations/{announced['id']}"
    answered, lock = [], threading.Lock()

    def wait():
        answer = requests.get(monitor, headers={**up.bearer, "Prefer": "wait=30"}, timeout=60)
        with lock:
            answered.append((answer.status_code, answer.json()["status"]))

    def upload(seed):
        body = pictures.photo(64, 48, pictures.PNG, seed=seed)
        sent = requests.post(f"{up.url}/v1/uploads", data=body, headers={**up.bearer, "Content-Type": "image/png"}, timeout=30)
        assert sent.status_code == 202, sent.text
        where = sent.headers["Location"]
        eventually(lambda: requests.get(where, headers=up.bearer, timeout=30).json()["status"] == "completed", 60, "the upload")

    waiters = [threading.Thread(target=wait) for _ in range(WAITERS)]
    for waiter in waiters:
        waiter.start()
    eventually(lambda: len(answered) >= WAITERS - SEATS, 60, "an answer at once for all but those who have a seat")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(upload, range(9_000, 9_008)))
    assert len(answered) < WAITERS, "nobody waited while the others uploaded"
    assert set(answered) == {(200, "acknowledged")}
    requests.delete(monitor, headers=up.bearer, timeout=30)
    for waiter in waiters:
        waiter.join()
    assert {status for _, status in answered[WAITERS - SEATS :]} <= {"acknowledged", "cancelled"}
    assert answered[-1] == (200, "cancelled")
