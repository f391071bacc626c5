"""What only a disk can promise: locks that other processes feel, space taken at once, links, modes."""

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from app.core.errors import Busy, Code, StoreDown, UploadError
from app.core.parts import Slot
from app.core.upload import Staged
from tests.conformance.rooms import ENDLESS, PART, Kept, LocalRoom, landed, opened
from tests.conformance.senders import MIB, Beside, Paused, Sender, content, quiet

HOLDER = """
import os, sys
from app.stores.locks import lock
fd = os.open(sys.argv[1], os.O_RDWR)
assert lock(fd, int(sys.argv[2]), int(sys.argv[3]))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def held(local):
    """Makes another process hold a range of a staged file; ended with -9."""
    processes = []

    def hold(staged, offset, length):
        command = [sys.executable, "-c", HOLDER, str(local.root / staged.key), str(offset), str(length)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        processes.append(process)
        assert process.stdout.readline() == b"held\n"
        return process

    yield hold
    for process in processes:
        end(process)


def end(process):
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()


@pytest.mark.parametrize(
    ("slot", "free"),
    [(Slot(1, 0, PART), True), (Slot(2, PART, PART), False), (Slot(3, 2 * PART, PART), True)],
)
def test_a_part_is_refused_while_another_process_writes_there_and_only_there(local, held, slot, free):
    staged = local.plan(3 * PART)
    held(staged, PART + 10, 20)
    body = Sender(content(PART))
    if free:
        local.store.put_part(staged, slot, body, quiet)
        return
    with pytest.raises(UploadError) as refusal:
        local.store.put_part(staged, slot, body, quiet)
    assert (refusal.value.code, body.taken) == (Code.LOCKED, 0)


def test_a_stream_its_cutting_and_its_sealing_wait_for_another_process_until_it_dies(local, held):
    kept = Kept(local.stream())
    kept.write(local.store, b"0123456789")
    other = held(kept.staged, 10, 0)
    body, ticks = Sender(b"more"), []
    with pytest.raises(UploadError) as refusal:
        local.store.write(kept.staged, 10, PART, body, ENDLESS, ticks.append)
    assert (refusal.value.code, body.taken, ticks) == (Code.LOCKED, 0, [])
    with pytest.raises(UploadError):
        local.store.truncate(kept.staged, 5)
    with pytest.raises(Busy):
        kept.sealed(local.store)
    end(other)
    kept.write(local.store, b"more")
    assert landed(local.store, kept.sealed(local.store)) == b"0123456789more"


def test_two_threads_of_one_process_exclude_each_other(local):
    staged, first = local.plan(2 * PART), Paused(content(PART))
    beside = Beside(lambda: local.store.put_part(staged, Slot(1, 0, PART), first, quiet))
    assert first.begun.wait(30)
    with pytest.raises(UploadError) as refusal:
        local.store.put_part(staged, Slot(1, 0, PART), Sender(content(PART)), quiet)
    assert refusal.value.code is Code.LOCKED
    local.store.put_part(staged, Slot(2, PART, PART), Sender(content(PART)), quiet)
    first.go.set()
    assert beside.wait().size == PART


# ---------------------------------------------------------------- space


def test_a_plan_of_known_length_takes_its_space_with_its_first_part(local):
    staged = local.plan(3 * PART)
    assert (local.root / staged.key).stat().st_blocks == 0
    local.store.put_part(staged, Slot(2, PART, PART), Sender(content(PART)), quiet)
    found = (local.root / staged.key).stat()
    assert found.st_size == 3 * PART
    assert found.st_blocks * 512 >= 3 * PART


def test_a_plan_without_a_length_and_a_stream_take_none(local):
    staged = local.plan(None)
    assert (local.root / staged.key).stat().st_size == 0
    assert not (local.root / local.stream().key).exists()


@pytest.fixture
def full(local):
    """No file may grow beyond 1 MiB, as if the disk were full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (MIB, before[1]))
    yield local
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_told_before_the_first_part_is_read(full):
    staged, sender = full.plan(2 * MIB), Sender(content(MIB // 2))
    with pytest.raises(StoreDown, match="File too large"):
        full.store.put_part(staged, Slot(1, 0, MIB // 2), sender, quiet)
    assert sender.taken == 0


def test_a_full_disk_is_told_in_the_middle_of_a_stream(full):
    with pytest.raises(StoreDown, match="File too large"):
        Kept(full.stream()).write(full.store, content(2 * MIB))


def test_a_full_disk_is_told_in_the_middle_of_a_part(full):
    staged = full.plan(None)
    with pytest.raises(StoreDown, match="File too large"):
        full.store.put_part(staged, Slot(1, 0, 2 * MIB), Sender(content(2 * MIB)), quiet)


def test_a_full_disk_leaves_the_document_that_was_there(full):
    key = full.document()
    full.store.save(key, b"old")
    with pytest.raises(StoreDown):
        full.store.save(key, bytes(2 * MIB))
    assert full.store.load(key) == b"old"
    assert full.left() == [key]


@pytest.fixture
def large():
    with tempfile.TemporaryFile() as file:
        file.write(bytes(2 * MIB))
        file.flush()
        yield file


def test_a_full_disk_leaves_nothing_of_a_file_that_is_placed(large, full):
    with pytest.raises(StoreDown, match="File too large"):
        full.store.place(full.rendition(), large)
    assert full.left() == []


# ---------------------------------------------------------------- crashes


def test_a_stream_reaches_further_than_the_record_after_a_crash(local):
    kept = Kept(local.stream())
    kept.write(local.store, b"recorded")
    local.store.write(kept.staged, kept.offset, PART, Sender(b" and not"), ENDLESS, quiet)
    assert local.again().extent(kept.staged, kept.offset) == len(b"recorded and not")


def test_a_stream_goes_on_where_the_record_says_when_that_is_asked_for(local):
    kept = Kept(local.stream())
    kept.write(local.store, b"recorded")
    local.store.write(kept.staged, kept.offset, PART, Sender(b" and not verified"), ENDLESS, quiet)
    kept.write(local.store, b"!")
    assert landed(local.store, kept.sealed(local.store)) == b"recorded!"


def test_a_stream_that_the_disk_cut_short_is_told(local):
    kept = Kept(local.stream())
    kept.write(local.store, b"0123456789")
    os.truncate(local.root / kept.staged.key, 4)
    assert local.store.extent(kept.staged, 10) == 4
    with pytest.raises(UploadError) as refusal:
        kept.sealed(local.store)
    assert refusal.value.code is Code.CHANGED
    with pytest.raises(UploadError) as refusal:
        kept.write(local.store, b"more")
    assert refusal.value.code is Code.GONE


def test_a_draft_that_a_crash_left_is_swept(local):
    draft = local.root / "staging" / "_saving" / "deadbeef"
    draft.parent.mkdir(parents=True, exist_ok=True)
    draft.write_bytes(b"half a document")
    [found] = local.store.staged_before(-60)
    local.store.discard(found)
    assert local.left() == []


# ---------------------------------------------------------------- files


def test_promoting_copies_nothing(local):
    kept = Kept(local.stream())
    kept.write(local.store, b"bytes")
    local.store.promote(kept.sealed(local.store), local.blob_of(kept.staged))
    assert (local.root / kept.staged.key).samefile(local.root / local.blob_of(kept.staged))


def test_other_bytes_at_rest_under_the_key_are_not_taken_for_ours(local):
    kept = Kept(local.stream())
    kept.write(local.store, b"bytes")
    local.store.save(local.blob_of(kept.staged), b"other")
    with pytest.raises(UploadError) as refusal:
        local.store.promote(kept.sealed(local.store), local.blob_of(kept.staged))
    assert refusal.value.code is Code.CHANGED


def test_files_are_for_their_owner_only(local):
    kept = Kept(local.stream())
    kept.write(local.store, b"bytes")
    local.store.promote(kept.sealed(local.store), local.blob_of(kept.staged))
    local.store.save(local.document(), b"{}")
    local.plan(10)
    modes = {path.stat().st_mode & 0o777 for path in local.root.rglob("*") if path.is_file()}
    folders = {path.stat().st_mode & 0o777 for path in [local.root, *local.root.rglob("*")] if path.is_dir()}
    assert (modes, folders) == ({0o600}, {0o700})


@pytest.mark.parametrize("fsync", [True, False])
def test_bytes_and_names_are_on_disk_before_a_call_returns_unless_that_is_off(tmp_path, monkeypatch, fsync):
    synced = []
    for name in ("fsync", "fdatasync"):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda fd, real=real: (synced.append(str(Path(f"/proc/self/fd/{fd}").readlink())), real(fd)))
    store = opened(f"file://{tmp_path}/store", fsync=fsync)
    staged = store.stage("staging/t/one", planned=False, length=None)
    calls = [
        ({"staging/t/one", "staging/t", "staging"}, lambda: store.write(staged, 0, PART, Sender(b"bytes"), ENDLESS, quiet)),
        ({"blobs/t", "blobs"}, lambda: store.promote(store.seal(staged, Kept(staged).parts, 5), "blobs/t/one")),
        ({"manifests/t", "manifests"}, lambda: store.save("manifests/t/one.json", b"{}")),
        ({"staging/t"}, lambda: store.stage("staging/t/two", planned=True, length=5)),
        ({"staging/t/two"}, lambda: store.put_part(Staged("staging/t/two", session="plan:5"), Slot(1, 0, 5), Sender(b"bytes"), quiet)),
    ]
    for paths, call in calls:
        synced.clear()
        call()
        found = {name.removeprefix(f"{tmp_path}/store/") for name in synced}
        assert paths <= found if fsync else not found


def test_a_file_system_without_links_is_told_at_the_start(tmp_path, monkeypatch):
    def refuse(*_args, **_options):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    with pytest.raises(ValueError, match="hard links"):
        opened(f"file://{tmp_path}/store")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_folder_that_cannot_be_made_is_told_at_the_start(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ValueError, match="cannot keep uploads"):
        opened(f"file://{tmp_path}/file/store")


def test_a_folder_that_is_missing_later_is_a_fault_until_it_is_back(local):
    local.root.rename(local.root.with_name("unmounted"))
    for call in (local.store.ping, lambda: local.store.delete("blobs/t/any"), lambda: local.store.fetch("blobs/t/any", 0, 1).__enter__()):
        with pytest.raises(StoreDown, match="is its disk mounted"):
            call()
    assert not local.root.exists()
    local.root.with_name("unmounted").rename(local.root)
    local.store.ping()


def test_a_folder_is_opened_again_with_what_it_holds(tmp_path):
    room = LocalRoom(tmp_path / "store")
    kept = Kept(room.stream())
    kept.write(room.store, b"bytes")
    assert landed(opened(f"file://{tmp_path}/store"), kept.sealed(room.store)) == b"bytes"
