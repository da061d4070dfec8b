import gzip
import io
import os
import zipfile

import pytest
from archives import packed

from sandbox.calls import APP, Caller, refused, with_namespace
from sandbox.data_calls import blob_names
from viam_sync.app.viam_client import ViamClient
from viam_sync.proto import app as pb
from viam_sync.sandbox import Sandbox

PACKED, QUICK = packed(), packed(b"quick")
NOTHING = "00000000-0000-4000-8000-000000000000"
PRIVATE, PUBLIC = 1, 2
MODEL = {"api": "rdk:component:camera", "model": "acme:cameras:thermal"}


def create(owner, sandbox, name="cameras"):
    return owner.CreateModule(organization_id=sandbox.organization_id, name=name).module_id


def update(owner, module_id, **fields):
    return owner.UpdateModule(**{"module_id": module_id, "visibility": PRIVATE, "entrypoint": "run.sh", **fields}).url


def get(owner, module_id, **fields):
    return owner.GetModule(module_id=module_id, **fields).module


def names(caller, **fields):
    return [module.name for module in caller.ListModules(**fields).modules]


def send(caller, requests):
    """Make an upload out of messages."""
    method = caller.channel.stream_unary(
        f"/{APP}/UploadModuleFile",
        request_serializer=lambda request: request.SerializeToString(),
        response_deserializer=pb.UploadModuleFileResponse.FromString,
    )
    return method(iter(requests), metadata=caller.metadata, timeout=10).url


def info(module_id, version="1.0.0", platform="linux/amd64"):
    fields = {"module_id": module_id, "version": version, "platform": platform}
    return pb.UploadModuleFileRequest(module_file_info=fields)


def chunk(data):
    return pb.UploadModuleFileRequest(file=data)


def upload(caller, module_id, version="1.0.0", platform="linux/amd64", data=PACKED):
    return send(caller, [info(module_id, version, platform), chunk(data)])


def contents(sandbox):
    """Return what is kept of uploads."""
    world = sandbox._world
    with world.store.transaction():
        ids = [row["file_id"] for row in world.store.rows("SELECT file_id FROM module_files ORDER BY rowid")]
    return [world.store.blobs.read(id) for id in ids]


def files(folder):
    """Return the names and contents of all that is in the folder for contents."""
    return {path.name: path.read_bytes() for path in (folder / "blobs").iterdir()}


def test_a_new_module_has_an_id_and_a_page(sandbox, owner):
    made = owner.CreateModule(organization_id=sandbox.organization_id, name="cool_new_module")
    assert made.module_id == f"{sandbox.organization_id}:cool_new_module"
    assert made.url == f"https://app.viam.com/module/{sandbox.organization_id}/cool_new_module"
    module = get(owner, made.module_id)
    assert (module.name, module.visibility, module.organization_id) == ("cool_new_module", 1, sandbox.organization_id)
    assert owner.GetRegistryItem(item_id=made.module_id).item.WhichOneof("metadata") == "module_metadata"
    with_namespace(owner, sandbox.organization_id)
    assert owner.CreateModule(organization_id=sandbox.organization_id, name="b").url.endswith("/module/lessons/b")
    assert get(owner, made.module_id).module_id == "lessons:cool_new_module"
    assert get(owner, "cool_new_module").public_namespace == "lessons"


def test_the_name_of_a_module_is_needed_and_unique_among_all_items(sandbox, owner):
    create(owner, sandbox)
    with refused("INVALID_ARGUMENT", "The name of the module is empty"):
        create(owner, sandbox, "")
    with refused("INVALID_ARGUMENT", "'a:b' cannot be the name of a module"):
        create(owner, sandbox, "a:b")
    with refused("ALREADY_EXISTS", "has a module named 'cameras'"):
        create(owner, sandbox)
    with refused("ALREADY_EXISTS", "has a module named 'cameras'"):
        owner.CreateRegistryItem(organization_id=sandbox.organization_id, name="cameras", type=3)
    for id, code in ((NOTHING, "NOT_FOUND"), ("lessons", "INVALID_ARGUMENT")):
        with refused(code):
            owner.CreateModule(organization_id=id, name="cameras")


def test_an_item_that_is_no_module_is_refused(sandbox, owner):
    owner.CreateRegistryItem(organization_id=sandbox.organization_id, name="script", type=5)
    for id, code in (("script", "NOT_FOUND"), ("lessons:cameras", "NOT_FOUND"), ("a:b:c", "INVALID_ARGUMENT")):
        for call in (get, update, upload):
            with refused(code, " module "):
                call(owner, id)


def test_an_update_replaces_all_that_is_said_of_a_module(sandbox, owner):
    module_id = create(owner, sandbox)
    url = update(
        owner,
        module_id,
        url="https://example.com",
        description="Sees heat",
        models=[MODEL, {**MODEL, "model": "acme:cameras:other"}],
        first_run="setup.sh",
        markdown_description="# Hi",
        apps=[{"name": "viewer"}],
    )
    assert url == f"https://app.viam.com/module/{sandbox.organization_id}/cameras"
    module = get(owner, module_id)
    assert (module.url, module.description, module.entrypoint) == ("https://example.com", "Sees heat", "run.sh")
    assert [model.model for model in module.models] == ["acme:cameras:thermal", "acme:cameras:other"]
    assert (module.first_run, module.apps[0].name) == ("setup.sh", "viewer")
    assert not module.HasField("markdown_description")
    assert get(owner, module_id, include_markdown_documentation=True).markdown_description == "# Hi"
    update(owner, module_id, entrypoint="main", models=[MODEL])
    module = get(owner, module_id, include_markdown_documentation=True)
    assert (module.url, module.description, module.entrypoint, len(module.models)) == ("", "", "main", 1)
    assert not module.HasField("first_run")
    assert not module.HasField("markdown_description")
    assert not module.apps


@pytest.mark.parametrize("name", ["", "a:b", "a:b:c:d", "A:b:c", "a:b:", "a b:c:d", "a:b:c\n", "a:b:\0"])
def test_models_and_apis_are_lowercase_triplets(sandbox, owner, name):
    module_id = create(owner, sandbox)
    for field in ("api", "model"):
        with refused("INVALID_ARGUMENT", f"cannot be the {field} of a model"):
            update(owner, module_id, models=[{**MODEL, field: name}])


def test_an_update_needs_an_entrypoint_and_a_visibility(sandbox, owner):
    module_id = create(owner, sandbox)
    with refused("INVALID_ARGUMENT", "The entrypoint of the module is empty"):
        update(owner, module_id, entrypoint="")
    with refused("INVALID_ARGUMENT", "The visibility is not given or not known"):
        update(owner, module_id, visibility=0)
    with refused("FAILED_PRECONDITION", "has no public namespace"):
        update(owner, module_id, visibility=PUBLIC)


def test_uploads_become_versions_in_their_order(sandbox, owner):
    module_id = create(owner, sandbox)
    update(owner, module_id, models=[MODEL])
    url = upload(owner, module_id, "1.10.0")
    assert url == f"https://app.viam.com/module/{sandbox.organization_id}/cameras"
    update(owner, module_id, entrypoint="new.sh")
    for version in ("1.9.0", "1.10.0-rc.1", "2.0.0", "1.10.0-rc.1.1", "1.10.0-beta", "1.10.0-7"):
        upload(owner, module_id, version)
    upload(owner, module_id, "1.10.0", "darwin/arm64")
    module = get(owner, module_id)
    versions = ["1.9.0", "1.10.0-7", "1.10.0-beta", "1.10.0-rc.1", "1.10.0-rc.1.1", "1.10.0", "2.0.0"]
    assert [each.version for each in module.versions] == versions
    first = module.versions[5]
    assert [file.platform for file in first.files] == ["linux/amd64", "darwin/arm64"]
    assert first.files[0].uploaded_at.seconds
    assert (first.entrypoint, first.models[0].model) == ("run.sh", "acme:cameras:thermal")
    assert (module.versions[6].entrypoint, len(module.versions[6].models)) == ("new.sh", 0)
    item = owner.GetRegistryItem(item_id=module_id).item
    assert [each.version for each in item.module_metadata.versions] == versions


def test_the_contents_are_kept_as_they_came(sandbox, owner):
    module_id = create(owner, sandbox)
    large = packed(os.urandom(6_000_000))
    pieces = [large[first : first + 300_000] for first in range(0, len(large), 300_000)]
    send(owner, [info(module_id), *(chunk(piece) for piece in pieces), chunk(b"")])
    assert contents(sandbox) == [large]


def test_a_version_is_uploaded_once_for_each_platform(sandbox, owner):
    module_id = create(owner, sandbox)
    upload(owner, module_id)
    with refused("ALREADY_EXISTS", "has a file of version '1.0.0' for 'linux/amd64' already"):
        upload(owner, module_id, data=packed(b"other"))
    assert contents(sandbox) == [PACKED]


@pytest.mark.parametrize(
    "version",
    [
        *("", "1", "1.0", "v1.0.0", "01.0.0", "1.0.0-", "1.0.0-01", "1.0.0+", "1.0.0\n"),
        *("\u0661.0.0", "1.0." + "9" * 9999),
    ],
)
def test_a_version_that_is_not_semantic_is_refused(sandbox, owner, version):
    with refused("INVALID_ARGUMENT", "is no semantic version"):
        upload(owner, create(owner, sandbox), version)


@pytest.mark.parametrize("version", ["0.0.0", "1.2.3-rc.1+build.5", "1.0.0--", "1.0.0-0a", "999999999999999999999.0.0"])
def test_all_kinds_of_semantic_versions_are_taken(sandbox, owner, version):
    module_id = create(owner, sandbox)
    upload(owner, module_id, version)
    assert get(owner, module_id).versions[0].version == version


@pytest.mark.parametrize("platform", ["linux", "linux/mips", "Linux/amd64", "windows/any", "any/any"])
def test_an_unknown_platform_is_refused(sandbox, owner, platform):
    with refused("INVALID_ARGUMENT", "is not a platform; choose one of any, any/amd64"):
        upload(owner, create(owner, sandbox), platform=platform)
    with refused("INVALID_ARGUMENT", "is not a platform"):
        owner.ListRegistryItems(platforms=[platform])


def test_a_file_is_for_a_platform(sandbox, owner):
    with refused("INVALID_ARGUMENT", "'' is not a platform"):
        upload(owner, create(owner, sandbox), platform="")


def test_an_upload_is_information_and_then_only_chunks(sandbox, owner):
    module_id = create(owner, sandbox)
    for requests in ([], [chunk(b"early")], [pb.UploadModuleFileRequest()]):
        with refused("INVALID_ARGUMENT", "does not begin with a module_file_info"):
            send(owner, requests)
    for late in (info(module_id), pb.UploadModuleFileRequest()):
        with refused("INVALID_ARGUMENT", "has no chunk of the file"):
            send(owner, [info(module_id), chunk(b"a"), late, chunk(b"b")])
    with refused("INVALID_ARGUMENT"):
        send(owner, [pb.UploadModuleFileRequest(module_file_info={})])
    assert contents(sandbox) == []
    assert not get(owner, module_id).versions


def zipped():
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("run.sh", "exec true")
    return made.getvalue()


WHOLE = packed(os.urandom(300_000))
NO_ARCHIVES = {
    "nothing": b"",
    "a text": b"the packed files",
    "a zip file": zipped(),
    "a tar file that is not packed": gzip.decompress(WHOLE),
    "a packed text": gzip.compress(b"the files"),
    "a packed nothing": gzip.compress(b""),
    "half of an archive": WHOLE[: len(WHOLE) // 2],
    "an archive without its last byte": WHOLE[:-1],
    "a packed half of an archive": gzip.compress(gzip.decompress(WHOLE)[:100_000]),
    "an archive with a wrong bit": WHOLE[:1000] + bytes([WHOLE[1000] ^ 1]) + WHOLE[1001:],
}


@pytest.mark.parametrize("data", NO_ARCHIVES.values(), ids=NO_ARCHIVES)
def test_a_file_that_is_no_whole_archive_is_refused_and_not_kept(sandbox, owner, data):
    module_id, before = create(owner, sandbox), blob_names(sandbox)
    with refused("INVALID_ARGUMENT", "is no tar archive packed with gzip, or not the whole of one"):
        upload(owner, module_id, data=data)
    with refused("INVALID_ARGUMENT", "The archive is empty"):
        upload(owner, module_id, data=gzip.compress(bytes(10240)))
    assert not get(owner, module_id).versions
    assert blob_names(sandbox) == before
    upload(owner, module_id)


def test_uploads_that_fail_leave_nothing(tmp_path):
    with Sandbox(tmp_path) as sandbox:
        owner = Caller(sandbox, sandbox.api_key_id, sandbox.api_key)
        before = files(tmp_path)
        module_id = create(owner, sandbox)

        def stop_halfway():
            yield info(module_id)
            yield chunk(b"a" * 100_000)
            raise OSError("the disk is gone")

        def overtaken():
            yield info(module_id)
            yield chunk(PACKED[:10])
            upload(owner, module_id, data=QUICK)
            yield chunk(PACKED[10:])

        with refused("UNKNOWN"):
            send(owner, stop_halfway())
        with refused("INVALID_ARGUMENT"):
            send(owner, [info(module_id), chunk(b"a"), info(module_id)])
        with refused("ALREADY_EXISTS"):
            send(owner, overtaken())
        assert contents(sandbox) == [QUICK]
        owner.channel.close()
    # Now that the sandbox has stopped, it is through with what was given up.
    assert [data for name, data in files(tmp_path).items() if name not in before] == [QUICK]


def test_the_contents_go_with_the_organization(tmp_path):
    with Sandbox(tmp_path) as sandbox:
        owner = Caller(sandbox, sandbox.api_key_id, sandbox.api_key)
        before = files(tmp_path)
        organization = owner.CreateOrganization(name="Second").organization.id
        upload(owner, owner.CreateModule(organization_id=organization, name="cameras").module_id)
        assert len(files(tmp_path)) == len(before) + 1
        owner.DeleteLocation(location_id=owner.ListLocations(organization_id=organization).locations[0].id)
        owner.DeleteOrganization(organization_id=organization)
        assert files(tmp_path) == before
        owner.channel.close()


def test_the_contents_of_a_module_go_with_it(sandbox, owner):
    module_id = create(owner, sandbox)
    upload(owner, module_id)
    owner.DeleteRegistryItem(item_id=module_id)
    assert contents(sandbox) == []
    with refused("NOT_FOUND"):
        upload(owner, module_id)


def test_modules_are_searched_by_the_platforms_that_they_run_on(sandbox, owner):
    for name, platform in (("a", "any"), ("b", "linux/any"), ("c", "linux/arm64"), ("d", "any/arm64")):
        upload(owner, create(owner, sandbox, name), platform=platform)

    def found(*platforms):
        request = {"organization_id": sandbox.organization_id, "platforms": platforms}
        return "".join(item.name for item in owner.ListRegistryItems(**request).items)

    assert found("linux/arm64") == "abcd"
    assert found("linux/amd64") == "ab"
    assert found("darwin/arm64") == "ad"
    assert found("windows/amd64", "linux/amd64") == "ab"
    assert found("any") == "a"
    assert found() == found("") == "abcdsoil-sensor"
    assert found("", "any") == "a"
    owner.CreateRegistryItem(organization_id=sandbox.organization_id, name="script", type=5)
    assert found("any") == "ascript"


def test_a_version_is_deprecated_and_comes_back(sandbox, owner):
    module_id = create(owner, sandbox)
    upload(owner, module_id)
    owner.DeprecateRegistryItemVersion(item_id=module_id, version="1.0.0", message="It crashes.")
    (version,) = get(owner, module_id).versions
    assert (version.deprecated_status.message, len(version.files)) == ("It crashes.", 1)
    assert version.deprecated_status.deprecated_at.seconds
    owner.UndeprecateRegistryItemVersion(item_id=module_id, version="1.0.0")
    assert not get(owner, module_id).versions[0].HasField("deprecated_status")
    with refused("NOT_FOUND", "has no version '2.0.0'"):
        owner.DeprecateRegistryItemVersion(item_id=module_id, version="2.0.0")
    with refused("INVALID_ARGUMENT", "The version is empty"):
        owner.UndeprecateRegistryItemVersion(item_id=module_id)


def test_lists_have_the_modules_of_the_organization_and_public_ones(sandbox, owner, stranger):
    with_namespace(owner, sandbox.organization_id)
    update(owner, create(owner, sandbox), visibility=PUBLIC)
    owner.CreateRegistryItem(organization_id=sandbox.organization_id, name="script", type=5)
    assert names(owner, organization_id=sandbox.organization_id) == ["cameras", "soil-sensor"]
    assert names(owner) == names(owner, organization_id="") == ["cameras"]
    assert names(stranger, organization_id=stranger.organization_id) == ["cameras"]
    owner.DeprecateRegistryItem(item_id="cameras", message="Old")
    assert names(stranger) == []
    assert names(owner, organization_id=sandbox.organization_id) == ["cameras", "soil-sensor"]
    assert get(stranger, "lessons:cameras").deprecated_status.message == "Old"
    with refused("PERMISSION_DENIED"):
        names(stranger, organization_id=sandbox.organization_id)
    with refused("NOT_FOUND"):
        names(owner, organization_id=NOTHING)


def test_a_module_counts_its_machines(sandbox, owner):
    module_id = create(owner, sandbox)
    config = {"modules": [{"type": "registry", "name": "cameras", "module_id": module_id, "version": "1.0.0"}]}
    owner.UpdateRobotPart(id=sandbox.robot_part_id, name="rover-main", robot_config=config)
    module = get(owner, module_id)
    assert (module.total_robot_usage, module.total_organization_usage) == (1, 1)


def test_only_owners_of_the_organization_change_its_modules(sandbox, owner, stranger, caller_with):
    module_id = create(owner, sandbox)
    operator = caller_with("operator", "organization", sandbox.organization_id)
    keeper = caller_with("owner", "location", sandbox.location_id)
    for other in (stranger, operator, keeper):
        for call in (update, upload):
            with refused("PERMISSION_DENIED", "write_private_registry_item"):
                call(other, module_id)
        with refused("PERMISSION_DENIED", "read_private_registry_item"):
            get(other, module_id)
        with refused("PERMISSION_DENIED", "write_private_registry_item"):
            create(other, sandbox, "mine")
    assert names(operator, organization_id=sandbox.organization_id) == []
    with_namespace(owner, sandbox.organization_id)
    update(owner, module_id, visibility=PUBLIC)
    assert get(stranger, module_id).name == "cameras"
    with refused("PERMISSION_DENIED", "write_public_registry_item"):
        upload(stranger, module_id)


def test_modules_and_their_contents_are_there_after_a_restart(tmp_path):
    with Sandbox(tmp_path) as sandbox:
        owner = Caller(sandbox, sandbox.api_key_id, sandbox.api_key)
        module_id = create(owner, sandbox)
        upload(owner, module_id)
        module = get(owner, module_id)
        owner.channel.close()
    with Sandbox(tmp_path) as sandbox:
        owner = Caller(sandbox, sandbox.api_key_id, sandbox.api_key)
        assert get(owner, module_id) == module
        assert contents(sandbox) == [PACKED]
        owner.channel.close()


def test_the_client_makes_changes_and_uploads_a_module(sandbox, tmp_path):
    file = tmp_path / "module.tar.gz"
    file.write_bytes(packed(os.urandom(1_200_000)))
    with ViamClient.create_from_dial_options(sandbox.dial_options(), sandbox.url) as client:
        app = client.app_client
        module_id, url = app.create_module(sandbox.organization_id, "cameras")
        assert app.update_module(module_id, "", "Sees heat", [pb.Model(**MODEL)], "run.sh") == url
        file_info = pb.ModuleFileInfo(module_id=module_id, version="1.0.0", platform="any")
        assert app.upload_module_file(file_info, file) == url
        assert app.get_module(module_id).versions[0].files[0].platform == "any"
        assert [each.name for each in app.list_modules(sandbox.organization_id)] == ["cameras", "soil-sensor"]
        assert app.list_modules() == app.list_modules("") == []
        assert [each.name for each in app.list_registry_items("", [], [], [], [])] == ["cameras", "soil-sensor"]
    assert contents(sandbox) == [file.read_bytes()]
