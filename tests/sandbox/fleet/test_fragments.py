import json

import pytest

from sandbox.calls import refused, with_namespace

from .fragment_calls import create, get, including, update, use

NOTHING = "00000000-0000-4000-8000-000000000000"
PRIVATE, PUBLIC, UNLISTED = 1, 2, 3


def names(caller, organization_id, **fields):
    return [each.name for each in caller.ListFragments(organization_id=organization_id, **fields).fragments]


def test_the_sample_fragment_is_private_and_used_by_a_machine(sandbox, owner):
    response = owner.GetFragment(id=sandbox.fragment_id, current_organization_id=sandbox.organization_id)
    fragment = response.fragment
    assert (fragment.name, fragment.organization_owner) == ("data-capture", sandbox.organization_id)
    assert (fragment.organization_name, fragment.visibility, fragment.public) == ("Lesson Robotics", PRIVATE, False)
    assert (fragment.robot_part_count, fragment.organization_count, fragment.only_used_by_owner) == (1, 1, True)
    assert json.loads(fragment.fragment_config_json)["services"][0]["name"] == "data"
    usage = response.fragment_usage
    assert (usage.organizations, usage.machines, usage.machines_in_current_org) == (1, 1, 1)
    assert owner.GetFragment(id=sandbox.fragment_id).fragment_usage.machines_in_current_org == 0
    assert [each.revision for each in response.revisions] == [fragment.revision]
    assert not fragment.HasField("public_namespace")


def test_a_new_fragment_is_private_and_unused(sandbox, owner):
    made = create(owner, sandbox, config={"n": 1, "x": 0.5})
    assert (made.visibility, made.public, made.robot_part_count) == (PRIVATE, False, 0)
    assert made.only_used_by_owner
    assert made.created_on.seconds
    assert made.last_updated.seconds
    assert json.loads(made.fragment_config_json) == {"n": 1, "x": 0.5}
    assert '"n": 1' in made.fragment_config_json
    assert get(owner, made) == made
    assert json.loads(create(owner, sandbox, "empty").fragment_config_json) == {}


def test_a_fragment_needs_a_name_that_is_unique_in_its_organization(sandbox, owner, stranger):
    made = create(owner, sandbox)
    other = create(owner, sandbox, "other")
    for name in ("", "  "):
        with refused("INVALID_ARGUMENT", "The name of the fragment is empty"):
            create(owner, sandbox, name)
        with refused("INVALID_ARGUMENT", "The name of the fragment is empty"):
            update(owner, made, name=name)
    with refused("ALREADY_EXISTS", "has a fragment named 'base' already"):
        create(owner, sandbox)
    with refused("ALREADY_EXISTS", "has a fragment named 'base' already"):
        update(owner, other, name="base")
    stranger.CreateFragment(organization_id=stranger.organization_id, name="base")


@pytest.mark.parametrize(
    "rpc", ["GetFragment", "UpdateFragment", "DeleteFragment", "GetFragmentHistory", "GetFragmentUsage"]
)
def test_a_fragment_that_does_not_exist_is_refused(owner, rpc):
    field = "fragment_id" if rpc == "GetFragmentUsage" else "id"
    more = {"name": "base"} if rpc == "UpdateFragment" else {}
    with refused("NOT_FOUND", f"No fragment has the ID '{NOTHING}'; list_fragments shows"):
        getattr(owner, rpc)(**{field: NOTHING}, **more)
    for id in ("", "base", "\0", "é" * 36):
        with refused("INVALID_ARGUMENT", "fragment ID"):
            getattr(owner, rpc)(**{field: id}, **more)


def test_an_organization_that_does_not_exist_has_no_fragments(owner):
    with refused("NOT_FOUND"):
        owner.CreateFragment(organization_id=NOTHING, name="base")
    with refused("NOT_FOUND"):
        owner.ListFragments(organization_id=NOTHING)
    with refused("INVALID_ARGUMENT"):
        owner.ListFragments()


def test_an_update_keeps_what_it_does_not_have(sandbox, owner):
    made = create(owner, sandbox, config={"n": 1})
    renamed = update(owner, made, name="renamed")
    assert (renamed.name, renamed.fragment, renamed.visibility) == ("renamed", made.fragment, PRIVATE)
    assert update(owner, renamed, config={}).fragment_config_json == "{}"
    changed = update(owner, renamed, config={"a": 1}, fragment_config_json='{"b": 2}')
    assert (dict(changed.fragment), changed.fragment_config_json) == ({"b": 2}, '{"b": 2}')


@pytest.mark.parametrize("text", ["", "nonsense", "[1]", '{"a": NaN}', '{"a": 1e999}', '{"a":' * 31 + "1" + "}" * 31])
def test_a_configuration_that_is_no_json_object_is_refused(sandbox, owner, text):
    with refused("INVALID_ARGUMENT", "The configuration of the fragment cannot be used"):
        owner.UpdateFragment(id=sandbox.fragment_id, name="data-capture", fragment_config_json=text)
    with refused("INVALID_ARGUMENT", "The configuration of the fragment cannot be used"):
        create(owner, sandbox, config={"a": float("inf")})


def test_a_configuration_of_any_shape_is_kept(sandbox, owner):
    for config in ({"fragments": 1}, {"fragments": [1, {"id": 2}, {"id": "x\0"}, {}]}, {"fragments": {"id": "a"}}):
        fragment = create(owner, sandbox, json.dumps(config), config=config)
        assert get(owner, fragment).robot_part_count == 0
        owner.DeleteFragment(id=fragment.id)


def test_public_fragments_need_a_namespace(sandbox, owner):
    made = create(owner, sandbox)
    for fields in ({"public": True}, {"visibility": PUBLIC}, {"visibility": UNLISTED}):
        with refused("FAILED_PRECONDITION", "has no public namespace, which public fragments need"):
            update(owner, made, **fields)
    with refused("FAILED_PRECONDITION", "has no public namespace"):
        create(owner, sandbox, "open", visibility=PUBLIC)
    with_namespace(owner, sandbox.organization_id)
    assert update(owner, made, public=True).public_namespace == "lessons"
    assert create(owner, sandbox, "open", visibility=PUBLIC).public


def test_the_visibility_beats_public_and_both_stay_in_step(sandbox, owner):
    with_namespace(owner, sandbox.organization_id)
    made = create(owner, sandbox)

    def after(**fields):
        changed = update(owner, made, **fields)
        return changed.visibility, changed.public

    assert after(public=True) == (PUBLIC, True)
    assert after(public=True, visibility=PRIVATE) == (PRIVATE, False)
    assert after(public=False, visibility=UNLISTED) == (UNLISTED, True)
    assert after() == (UNLISTED, True)
    assert after(public=True) == (UNLISTED, True)
    assert after(public=False, visibility=0) == (PRIVATE, False)
    with refused("INVALID_ARGUMENT", "77 is not the visibility of a fragment"):
        after(visibility=77)


def test_lists_show_what_is_asked_for(sandbox, owner, stranger):
    with_namespace(owner, sandbox.organization_id)
    create(owner, sandbox, "mine-public", visibility=PUBLIC)
    create(owner, sandbox, "mine-unlisted", visibility=UNLISTED)
    with_namespace(owner, stranger.organization_id, "elsewhere")
    for name, visibility in (("theirs", PRIVATE), ("their-public", PUBLIC), ("their-unlisted", UNLISTED)):
        stranger.CreateFragment(organization_id=stranger.organization_id, name=name, visibility=visibility)
    here = sandbox.organization_id
    assert names(owner, here, show_public=True) == ["mine-public", "their-public"]
    assert names(owner, here) == ["data-capture"]
    assert names(owner, here, fragment_visibility=[UNLISTED]) == ["mine-unlisted"]
    assert names(owner, here, fragment_visibility=[PRIVATE, PUBLIC], show_public=True) == [
        "data-capture",
        "mine-public",
        "their-public",
    ]
    assert names(stranger, stranger.organization_id, fragment_visibility=[0, PRIVATE]) == ["theirs"]
    with refused("INVALID_ARGUMENT", "-1 is not the visibility of a fragment"):
        names(owner, here, fragment_visibility=[-1])


def test_a_list_comes_with_how_much_each_fragment_is_used(sandbox, owner):
    response = owner.ListFragments(organization_id=sandbox.organization_id)
    (usage,) = response.fragment_usages
    assert (usage.fragment_id, usage.machines, usage.machines_in_current_org) == (sandbox.fragment_id, 1, 1)
    assert not usage.HasField("version")


def test_uses_are_counted_over_all_organizations(sandbox, owner, stranger):
    with_namespace(owner, sandbox.organization_id)
    shared = create(owner, sandbox, visibility=PUBLIC)
    use(owner, sandbox.location_id, shared)
    assert get(owner, shared).only_used_by_owner
    use(stranger, stranger.location_id, shared)
    use(stranger, stranger.location_id, shared, "second")
    counted = get(stranger, shared)
    assert (counted.robot_part_count, counted.organization_count, counted.only_used_by_owner) == (3, 2, False)
    usage = stranger.GetFragment(id=shared.id, current_organization_id=stranger.organization_id).fragment_usage
    assert (usage.organizations, usage.machines, usage.machines_in_current_org) == (2, 3, 2)
    with refused("PERMISSION_DENIED", "You have no role in the organization"):
        stranger.GetFragment(id=shared.id, current_organization_id=sandbox.organization_id)


def test_a_fragment_in_another_one_is_used_where_that_is(sandbox, owner):
    inner = create(owner, sandbox, "inner")
    outer = create(owner, sandbox, "outer", config=including(inner))
    part_id = use(owner, sandbox.location_id, outer)
    assert get(owner, inner).robot_part_count == 1
    with refused("FAILED_PRECONDITION", "1 machines use the fragment 'inner'"):
        owner.DeleteFragment(id=inner.id)
    owner.UpdateRobotPart(id=part_id, name="user-main", robot_config={})
    owner.DeleteFragment(id=inner.id)
    with refused("NOT_FOUND"):
        get(owner, inner)


def test_a_fragment_that_a_machine_uses_cannot_be_deleted(sandbox, owner):
    with refused("FAILED_PRECONDITION", "1 machines use the fragment 'data-capture'"):
        owner.DeleteFragment(id=sandbox.fragment_id)
    unused = create(owner, sandbox)
    owner.SetFragmentTag(fragment_id=unused.id, tag="stable", revision=unused.revision)
    owner.DeleteFragment(id=unused.id)
    assert create(owner, sandbox).id != unused.id


def test_fragments_do_not_include_themselves(sandbox, owner):
    first = create(owner, sandbox, "first")
    second = create(owner, sandbox, "second", config=including(first))
    with refused("FAILED_PRECONDITION", "The fragment 'first' would include itself"):
        update(owner, first, config=including(second))
    with refused("FAILED_PRECONDITION", "would include itself"):
        update(owner, first, fragment_config_json=json.dumps(including(first)))
    assert dict(get(owner, first).fragment) == {}


def test_fragments_nest_five_levels_deep(sandbox, owner):
    chain = [create(owner, sandbox, "level 0")]
    for level in range(1, 6):
        chain.append(create(owner, sandbox, f"level {level}", config=including(chain[-1])))
    with refused("FAILED_PRECONDITION", "5 levels deep"):
        create(owner, sandbox, "level 6", config=including(chain[-1]))
    leaf = create(owner, sandbox, "leaf")
    with refused("FAILED_PRECONDITION", "5 levels deep"):
        update(owner, chain[0], config=including(leaf))
    update(owner, chain[1], config=including(chain[0], leaf))
    # An ID of no fragment adds no level.
    update(owner, chain[0], config={"fragments": [{"id": NOTHING}, {}, 1], "modules": [{"module_id": "a:b"}]})


def test_a_stranger_sees_a_fragment_only_once_it_is_public_and_never_changes_it(sandbox, owner, stranger):
    made = create(owner, sandbox, config={"v": 1})
    with refused("PERMISSION_DENIED", "can be read by those who own it"):
        get(stranger, made)
    with_namespace(owner, sandbox.organization_id)
    for visibility in (PUBLIC, UNLISTED):
        update(owner, made, visibility=visibility)
        assert get(stranger, made).fragment["v"] == 1
    for fields in ({"rpc": "UpdateFragment", "name": "mine"}, {"rpc": "DeleteFragment"}):
        with refused("PERMISSION_DENIED", "write_fragment"):
            getattr(stranger, fields.pop("rpc"))(id=made.id, **fields)
    with refused("PERMISSION_DENIED", "can be read by those who own it"):
        stranger.GetFragmentHistory(id=made.id)
    with refused("PERMISSION_DENIED", "write_fragment"):
        stranger.SetFragmentTag(fragment_id=made.id, tag="t", revision=made.revision)
    with refused("PERMISSION_DENIED", "write_fragment"):
        stranger.DeleteFragmentTag(fragment_id=made.id, tag="t")
    with refused("PERMISSION_DENIED", "write_fragment"):
        create(stranger, sandbox, "mine")
    with refused("PERMISSION_DENIED"):
        names(stranger, sandbox.organization_id)


@pytest.mark.parametrize("level", ["organization", "location", "robot"])
def test_an_owner_at_any_level_reads_fragments_and_an_operator_does_not(sandbox, caller_with, level):
    resource_id = getattr(sandbox, f"{level}_id")
    owner = caller_with("owner", level, resource_id)
    assert owner.GetFragment(id=sandbox.fragment_id).fragment.name == "data-capture"
    assert names(owner, sandbox.organization_id) == ["data-capture"]
    assert not owner.GetFragmentHistory(id=sandbox.fragment_id).history
    operator = caller_with("operator", level, resource_id)
    with refused("PERMISSION_DENIED"):
        operator.GetFragment(id=sandbox.fragment_id)
    with refused("PERMISSION_DENIED"):
        names(operator, sandbox.organization_id)
    with refused("PERMISSION_DENIED", "write_fragment"):
        create(operator, sandbox)
    if level != "organization":
        with refused("PERMISSION_DENIED", "write_fragment"):
            create(owner, sandbox)


def test_fragments_go_with_their_organization(owner):
    organization = owner.CreateOrganization(name="Second").organization.id
    location = owner.ListLocations(organization_id=organization).locations[0].id
    made = owner.CreateFragment(organization_id=organization, name="base").fragment
    owner.DeleteLocation(location_id=location)
    owner.DeleteOrganization(organization_id=organization)
    with refused("NOT_FOUND"):
        get(owner, made)
