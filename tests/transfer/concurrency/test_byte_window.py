from viam_sync.transfer.concurrency.byte_window import ByteWindow

MEGA = 1_000_000


def test_a_window_grows_while_responses_come_fast() -> None:
    window = ByteWindow(first=2 * MEGA, seconds=30)
    for under_way in (2, 2, 4):
        window.answered(MEGA, under_way * MEGA, seconds=1)
    assert window.size == 5 * MEGA


def test_a_window_that_is_not_used_does_not_grow() -> None:
    window = ByteWindow(first=2 * MEGA, seconds=30)
    window.answered(1000, under_way=8000, seconds=0.1)
    assert window.size == 2 * MEGA


def test_a_window_keeps_its_size_while_responses_come_in_good_time() -> None:
    window = ByteWindow(first=2 * MEGA, seconds=30)
    window.answered(MEGA, under_way=2 * MEGA, seconds=20)
    assert window.size == 2 * MEGA


def test_a_window_shrinks_to_what_the_line_brings_in_good_time() -> None:
    window = ByteWindow(first=32 * MEGA, seconds=30)
    window.answered(4 * MEGA, under_way=32 * MEGA, seconds=160)
    assert window.size == 6 * MEGA


def test_a_window_is_never_so_small_that_tiny_files_come_one_by_one() -> None:
    window = ByteWindow(first=MEGA, seconds=30)
    for _ in range(20):
        window.timed_out(under_way=MEGA)
    assert window.size == 128 << 10
