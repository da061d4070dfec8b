import pytest

from sandbox.calls import Caller, refused
from viam_sync.sandbox import Sandbox

from .fragment_calls import create, get, including, update, use


@pytest.fixture
def fixed_time(start, owner_of):
    """Provide a sandbox whose clock stands still, and its owner."""
    sandbox = start(clock=lambda: 1_700_000_000.0)
    return sandbox, owner_of(sandbox)


def test_each_save_makes_a_revision_and_its_time_goes_up(fixed_time):
    sandbox, owner = fixed_time
    made = create(owner, sandbox, config={"v": 1})
    second = update(owner, made, config={"v": 2})
    third = update(owner, made)
    assert len({made.revision, second.revision, third.revision}) == 3
    assert made.last_updated.nanos < second.last_updated.nanos < third.last_updated.nanos
    response = owner.GetFragment(id=made.id)
    assert [each.revision for each in response.revisions] == [third.revision, second.revision, made.revision]
    assert response.revisions[0].created_at == third.last_updated


def test_a_change_on_top_of_an_older_state_is_refused(fixed_time):
    sandbox, owner = fixed_time
    made = create(owner, sandbox)
    newer = update(owner, made, last_known_update=made.last_updated)
    with refused("FAILED_PRECONDITION", "was changed since you read it"):
        update(owner, made, last_known_update=made.last_updated)
    with refused("FAILED_PRECONDITION"):
        update(owner, made, last_known_update={"seconds": -(2**62)})
    assert update(owner, made, last_known_update=newer.last_updated).revision != newer.revision


def test_an_earlier_revision_is_found_by_its_id_and_by_a_tag(sandbox, owner):
    made = create(owner, sandbox, config={"v": 1})
    update(owner, made, config={"v": 2})
    assert get(owner, made).fragment["v"] == 2
    assert get(owner, made, version="").fragment["v"] == 2
    assert get(owner, made, version=made.revision).fragment["v"] == 1
    (tag,) = owner.SetFragmentTag(fragment_id=made.id, tag="stable", revision=made.revision).tags
    assert (tag.tag, tag.revision) == ("stable", made.revision)
    assert get(owner, made, version="stable").fragment["v"] == 1
    assert list(owner.GetFragment(id=made.id).tags) == [tag]
    with refused("NOT_FOUND", "has no revision or tag 'beta'"):
        get(owner, made, version="beta")


def test_a_tag_moves_and_goes(sandbox, owner):
    made = create(owner, sandbox, config={"v": 1})
    newer = update(owner, made, config={"v": 2})
    owner.SetFragmentTag(fragment_id=made.id, tag="stable", revision=made.revision)
    owner.SetFragmentTag(fragment_id=made.id, tag="stable", revision=newer.revision)
    assert get(owner, made, version="stable").fragment["v"] == 2
    assert not owner.DeleteFragmentTag(fragment_id=made.id, tag="stable").tags
    with refused("NOT_FOUND", "has no tag 'stable'"):
        owner.DeleteFragmentTag(fragment_id=made.id, tag="stable")
    with refused("NOT_FOUND", "has no revision 'v1'"):
        owner.SetFragmentTag(fragment_id=made.id, tag="stable", revision="v1")
    with refused("INVALID_ARGUMENT", "The tag is empty"):
        owner.SetFragmentTag(fragment_id=made.id, revision=newer.revision)
    with refused("INVALID_ARGUMENT", "The revision is empty"):
        owner.SetFragmentTag(fragment_id=made.id, tag="stable")


def test_usage_is_told_by_version(sandbox, owner):
    made = create(owner, sandbox)
    owner.SetFragmentTag(fragment_id=made.id, tag="stable", revision=made.revision)
    outer = create(owner, sandbox, "outer", config=including(made, version="stable"))
    use(owner, sandbox.location_id, made, "newest")
    use(owner, sandbox.location_id, made, "pinned", "stable")
    use(owner, sandbox.location_id, outer, "nested")
    newest, stable = owner.GetFragmentUsage(fragment_id=made.id).version_usages
    assert (newest.machines, newest.HasField("version")) == (1, False)
    assert (stable.machines, stable.version, stable.machines_in_current_org) == (2, "stable", 2)
    assert not owner.GetFragmentUsage(fragment_id=create(owner, sandbox, "new").id).version_usages


def test_history_has_each_edit_with_what_was_before_newest_first(sandbox, owner):
    made = create(owner, sandbox, config={"v": 1})
    second = update(owner, made, config={"v": 2})
    third = update(owner, made, name="renamed")
    newest, oldest = owner.GetFragmentHistory(id=made.id).history
    assert (oldest.fragment, oldest.revision, oldest.old.revision) == (made.id, second.revision, made.revision)
    assert (oldest.old.fragment["v"], oldest.config["v"], oldest.edited_on) == (1, 2, second.last_updated)
    assert (newest.revision, newest.old.name, newest.old.organization_name) == (
        third.revision,
        "base",
        "Lesson Robotics",
    )
    assert (newest.edited_by.type, newest.edited_by.value) == (2, sandbox.api_key_id)
    assert not owner.GetFragmentHistory(id=sandbox.fragment_id).history


def test_history_comes_in_pages(sandbox, owner):
    made = create(owner, sandbox, "name")
    for number in range(5):
        update(owner, made, name=f"name {number}")
    page, seen = owner.GetFragmentHistory(id=made.id, page_limit=2), []
    while True:
        assert len(page.history) in (1, 2)
        seen += [entry.old.name for entry in page.history]
        if not page.next_page_token:
            break
        page = owner.GetFragmentHistory(id=made.id, page_limit=2, page_token=page.next_page_token)
    assert seen == ["name 3", "name 2", "name 1", "name 0", "name"]
    assert owner.GetFragmentHistory(id=made.id, page_limit=5).next_page_token == ""
    for limit in (0, 6, 2**63 - 1):
        assert len(owner.GetFragmentHistory(id=made.id, page_limit=limit).history) == 5


@pytest.mark.parametrize("token", ["malformed", "revision-", "revision-x", "revision-" + "9" * 30, "edit-1"])
def test_a_page_token_from_elsewhere_is_refused(sandbox, owner, token):
    with refused("INVALID_ARGUMENT", "The page token is none that this call returned"):
        owner.GetFragmentHistory(id=sandbox.fragment_id, page_token=token)
    with refused("INVALID_ARGUMENT", "page_limit is -1"):
        owner.GetFragmentHistory(id=sandbox.fragment_id, page_limit=-1)


def test_fragments_and_their_history_are_there_after_a_restart(tmp_path):
    with Sandbox(tmp_path) as sandbox:
        owner = Caller(sandbox, sandbox.api_key_id, sandbox.api_key)
        made = create(owner, sandbox, config={"v": 1})
        changed = update(owner, made, config={"v": 2})
        owner.SetFragmentTag(fragment_id=made.id, tag="stable", revision=made.revision)
        owner.channel.close()
    with Sandbox(tmp_path) as sandbox:
        owner = Caller(sandbox, sandbox.api_key_id, sandbox.api_key)
        assert get(owner, made) == changed
        assert get(owner, made, version="stable").fragment["v"] == 1
        assert owner.GetFragment(id=sandbox.fragment_id).fragment.name == "data-capture"
        owner.channel.close()
