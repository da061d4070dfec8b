"""A tour through every documented method, for either SDK: what each call returns is checked, and kept.

``do(client, method, ...)`` makes a call; ``hook(name, ...)`` has the sandbox do what no RPC does: ``log`` writes an
entry into the log of a part, ``advance`` turns the clock by seconds.
"""

import tarfile
from pathlib import Path
from typing import Any, Awaitable, Callable, Dict

JPEG = bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffd9")
MONDAY = 1_760_000_000


class Tour:
    """What a tour needs: the calls of an SDK, its modules, the IDs of the sample world, and a folder."""

    def __init__(
        self,
        do: Callable[..., Awaitable[Any]],
        hook: Callable[..., Any],
        modules: Dict[str, Any],
        ids: Dict[str, str],
        folder: str,
    ) -> None:
        self.do = do
        self.hook = hook
        self.pb = modules["app"]
        self.data_pb = modules["data"]
        self.training_pb = modules["mltraining"]
        self.packages_pb = modules["packages"]
        self.provisioning_pb = modules["provisioning"]
        self.records = modules["records"]
        self.time = modules["datetime"]
        self.ids = ids
        self.org = ids["organization"]
        self.folder = folder

    async def run(self) -> None:
        for part in (
            self.organizations,
            self.members,
            self.locations,
            self.machines,
            self.parts,
            self.logs,
            self.fragments,
            self.roles,
            self.registry,
            self.modules,
            self.keys,
            self.uploads_and_binary_data,
            self.boxes,
            self.datasets,
            self.tabular_data,
            self.queries,
            self.training,
            self.billing,
            self.provisioning,
            self.deletions,
        ):
            await part()

    async def app(self, method: str, *args: Any, **kwargs: Any) -> Any:
        return await self.do("app_client", method, *args, **kwargs)

    async def data(self, method: str, *args: Any, **kwargs: Any) -> Any:
        return await self.do("data_client", method, *args, **kwargs)

    async def organizations(self) -> None:
        made = await self.app("create_organization", "Night School")
        assert made.name == "Night School"
        assert {each.id for each in await self.app("list_organizations")} >= {self.org, made.id}
        assert (await self.app("get_organization", made.id)).name == "Night School"
        assert await self.app("get_organization_namespace_availability", "night-school") is True
        changed = await self.app("update_organization", made.id, "Evening School", "night-school", "eu-west", "c-1")
        assert (changed.name, changed.public_namespace, changed.default_region) == (
            "Evening School",
            "night-school",
            "eu-west",
        )
        assert await self.app("get_organization_namespace_availability", "night-school") is False
        with_access = await self.app("get_organizations_with_access_to_location", self.ids["location"])
        assert [each.id for each in with_access] == [self.org]
        [location] = await self.app("list_locations", made.id)
        assert location.name == "First Location"
        await self.app("delete_location", location.id)
        await self.app("delete_organization", made.id)
        assert made.id not in {each.id for each in await self.app("list_organizations")}

    async def members(self) -> None:
        members, invites = await self.app("list_organization_members", self.org)
        assert len(members) == 1
        assert invites == []
        assert await self.app("get_user_id_by_email", members[0].emails[0]) == members[0].user_id
        orgs = await self.app("list_organizations_by_user", members[0].user_id)
        assert self.org in {each.org_id for each in orgs}
        invite = await self.app("create_organization_invite", self.org, "eve@example.com")
        assert invite.email == "eve@example.com"
        operator = self.pb.Authorization(
            authorization_type="role",
            authorization_id="location_operator",
            resource_type="location",
            resource_id=self.ids["location"],
            organization_id=self.org,
        )
        changed = await self.app(
            "update_organization_invite_authorizations", self.org, "eve@example.com", [operator], None
        )
        assert "location_operator" in {each.authorization_id for each in changed.authorizations}
        assert (await self.app("resend_organization_invite", self.org, "eve@example.com")).email == "eve@example.com"
        await self.app("delete_organization_invite", self.org, "eve@example.com")
        robot_operator = self.pb.Authorization(
            authorization_type="role",
            authorization_id="robot_operator",
            resource_type="robot",
            resource_id=self.ids["robot"],
            organization_id=self.org,
        )
        await self.app("create_organization_invite", self.org, "zoe@example.com", [robot_operator], False)
        zoe = self.hook("sign_in", "zoe@example.com")
        members, _ = await self.app("list_organization_members", self.org)
        assert zoe in {each.user_id for each in members}
        await self.app("delete_organization_member", self.org, zoe)
        assert len((await self.app("list_organization_members", self.org))[0]) == 1

    async def locations(self) -> None:
        shelf = await self.app("create_location", self.org, "Shelf", self.ids["location"])
        assert shelf.parent_location_id == self.ids["location"]
        assert (await self.app("get_location", shelf.id)).name == "Shelf"
        assert (await self.app("update_location", shelf.id, "Top shelf")).parent_location_id == self.ids["location"]
        assert (await self.app("update_location", shelf.id, None, "")).parent_location_id == ""
        other = await self.app("create_organization", "Neighbours")
        await self.app("share_location", other.id, shelf.id)
        assert len(await self.app("get_organizations_with_access_to_location", shelf.id)) == 2
        await self.app("unshare_location", other.id, shelf.id)
        assert len((await self.app("location_auth", shelf.id)).secrets) == 1
        auth = await self.app("create_location_secret", shelf.id)
        assert len(auth.secrets) == 2
        await self.app("delete_location_secret", auth.secrets[1].id, shelf.id)
        assert len((await self.app("location_auth", shelf.id)).secrets) == 1
        await self.app("delete_location", shelf.id)
        assert shelf.id not in {each.id for each in await self.app("list_locations", self.org)}

    async def machines(self) -> None:
        made = await self.app("new_robot", "scout", self.ids["location"])
        assert (await self.app("get_robot", made)).name == "scout"
        assert (await self.app("update_robot", made, "moon scout", self.ids["location"])).name == "moon scout"
        assert made in {each.id for each in await self.app("list_robots", self.ids["location"])}
        assert await self.app("get_rover_rental_robots", self.org) == []
        [key] = await self.app("get_robot_api_keys", made)
        assert key.api_key.key
        await self.app("delete_robot", made)
        assert made not in {each.id for each in await self.app("list_robots", self.ids["location"])}

    async def parts(self) -> None:
        robot = await self.app("new_robot", "crawler", self.ids["location"])
        [main] = await self.app("get_robot_parts", robot)
        made = await self.app("new_robot_part", robot, "leg")
        changed = await self.app("update_robot_part", made, "left leg", {"components": [{"name": "knee"}]})
        assert changed.robot_config == {"components": [{"name": "knee"}]}
        part = await self.app("get_robot_part", made, f"{self.folder}/part.json", 2)
        assert part.name == "left leg"
        [entry] = await self.app("get_robot_part_history", made)
        assert entry.old.name == "leg"
        await self.app("mark_part_for_restart", made)
        await self.app("mark_part_as_main", made)
        parts = {each.id: each.main_part for each in await self.app("get_robot_parts", robot)}
        assert parts == {made: True, main.id: False}
        with_secret = await self.app("create_robot_part_secret", made)
        assert len(with_secret.secrets) == 2
        await self.app("delete_robot_part_secret", made, with_secret.secrets[0].id)
        await self.app("delete_robot_part", main.id)
        await self.app("delete_robot", robot)

    async def logs(self) -> None:
        part = self.ids["part"]
        for number in range(3):
            self.hook("log", part, f"The motor stalled {number} times.", "error")
        logs = await self.app("get_robot_part_logs", part, "MOTOR stalled", None, ["error"], 2)
        assert [each.message for each in logs] == ["The motor stalled 2 times.", "The motor stalled 1 times."]
        await self.app("get_robot_part_logs", part, num_log_entries=0, dest=f"{self.folder}/logs.json")
        tailed = await self.do("app_client", "tail_robot_part_logs", part, True, "tail")
        assert [each.message for each in tailed] == ["A tail is wagged."]

    async def fragments(self) -> None:
        made = await self.app("create_fragment", self.org, "wheels", {"components": [{"name": "wheel"}]})
        assert made.fragment == {"components": [{"name": "wheel"}]}
        assert (await self.app("get_fragment", made.id)).name == "wheels"
        private = await self.app("list_fragments", self.org, False)
        assert made.id in {each.id for each in private}
        assert made.id not in {each.id for each in await self.app("list_fragments", self.org)}
        changed = await self.app("update_fragment", made.id, "big wheels", {"components": []}, False)
        assert (changed.name, changed.fragment) == ("big wheels", {"components": []})
        await self.app("delete_fragment", made.id)
        assert made.id not in {each.id for each in await self.app("list_fragments", self.org, False)}

    async def roles(self) -> None:
        user, location = self.ids["bob"], ("location", self.ids["location"])
        await self.app("add_role", self.org, user, "operator", *location)
        roles = await self.app("list_authorizations", self.org, [self.ids["location"]])
        assert [(each.identity_id, each.authorization_id) for each in roles] == [(user, "location_operator")]
        await self.app("change_role", self.org, user, "operator", *location, user, "owner", *location)
        await self.app("remove_role", self.org, user, "owner", *location)
        assert await self.app("list_authorizations", self.org, [self.ids["location"]]) == []
        asked = self.pb.AuthorizedPermissions(
            resource_type="robot", resource_id=self.ids["robot"], permissions=["control_robot", "fly_robot"]
        )
        [held] = await self.app("check_permissions", [asked])
        assert list(held.permissions) == ["control_robot"]

    async def registry(self) -> None:
        kind = self.packages_pb.PackageType.PACKAGE_TYPE_ML_TRAINING
        await self.app("create_registry_item", self.org, "sorter", kind)
        item = f"{self.org}:sorter"
        assert (await self.app("get_registry_item", item)).type == kind
        private = self.pb.Visibility.VISIBILITY_PRIVATE
        await self.app("update_registry_item", item, kind, "Sorts fruit.", private)
        found = await self.app("list_registry_items", self.org, [kind], [private], [], [], "sort")
        assert [(each.item_id, each.description) for each in found] == [(item, "Sorts fruit.")]
        await self.app("create_registry_item", self.org, "spare", kind)
        await self.app("delete_registry_item", f"{self.org}:spare")

    async def modules(self) -> None:
        module, url = await self.app("create_module", self.org, "gripper")
        assert module == f"{self.org}:gripper"
        assert url.startswith("https://app.viam.com/module/")
        model = self.pb.Model(api="rdk:component:gripper", model="acme:grippers:soft")
        await self.app("update_module", module, "https://example.com", "Grips.", [model], "run.sh", False)
        info = self.pb.ModuleFileInfo(module_id=module, version="1.0.0", platform="linux/amd64")
        packed = Path(self.folder, "module.tar.gz")
        with tarfile.open(packed, "w:gz") as archive:
            archive.addfile(tarfile.TarInfo("run.sh"))
        await self.app("upload_module_file", info, packed.read_bytes())
        got = await self.app("get_module", module)
        assert [each.version for each in got.versions] == ["1.0.0"]
        assert module in {each.module_id for each in await self.app("list_modules", self.org)}

    async def keys(self) -> None:
        role = self.records.APIKeyAuthorization("operator", "robot", self.ids["robot"])
        _, key_id = await self.app("create_key", self.org, [role], "for the rover")
        _, copy_id = await self.app("create_key_from_existing_key_authorizations", key_id)
        _, rotated_id = await self.app("rotate_key", key_id)
        known = {each.api_key.id for each in await self.app("list_keys", self.org)}
        assert {copy_id, rotated_id} <= known
        assert key_id not in known
        await self.app("delete_key", copy_id)
        await self.app("delete_key", rotated_id)

    async def uploads_and_binary_data(self) -> None:
        part, noon = self.ids["part"], self.time(2024, 5, 1, 12)
        captured = await self.data(
            "binary_data_capture_upload",
            JPEG,
            part,
            "camera",
            "eye",
            "GetImages",
            ".jpg",
            tags=["first"],
            data_request_times=(noon, noon),
        )
        streamed = await self.data("streaming_data_capture_upload", JPEG * 2, part, ".jpg", "camera", "eye")
        plain = await self.data("file_upload", part, b"text", file_name="notes", file_extension=".txt", tags=["note"])
        Path(self.folder, "upload.txt").write_bytes(b"from a path")
        from_path = await self.data("file_upload_from_path", f"{self.folder}/upload.txt", part)
        self.files = [each if "/" in each else self.full(each) for each in (captured, streamed, plain, from_path)]
        read = await self.data("binary_data_by_ids", self.files)
        assert [each.binary for each in read] == [JPEG, JPEG * 2, b"text", b"from a path"]
        assert [each.metadata.file_ext for each in read] == [".jpg", ".jpg", ".txt", ".txt"]
        mine = self.data_pb.Filter(part_id=part)
        files, count, last = await self.data("binary_data_by_filter", mine, 2, None, None, False)
        assert (len(files), count) == (2, 2)
        rest, _, _ = await self.data("binary_data_by_filter", mine, 2, None, last)
        assert not {each.metadata.binary_data_id for each in files} & {each.metadata.binary_data_id for each in rest}
        assert (await self.data("binary_data_by_filter", mine, count_only=True))[1] == 4
        await self.data("add_tags_to_binary_data_by_ids", ["red", "round"], self.files[:2])
        assert await self.data("tags_by_filter", mine) == ["first", "note", "red", "round"]
        assert await self.data("remove_tags_from_binary_data_by_ids", ["round"], self.files) == 2
        await self.data("add_tags_to_binary_data_by_filter", ["mine"], mine)
        assert await self.data("remove_tags_from_binary_data_by_filter", ["mine", "red"], mine) == 4

    def full(self, file_id: str) -> str:
        return f"{self.org}/{self.ids['location']}/{file_id}"

    async def boxes(self) -> None:
        image = self.files[0]
        box = await self.data("add_bounding_box_to_image_by_id", image, "apple", 0.1, 0.2, 0.3, 0.4)
        mine = self.data_pb.Filter(part_id=self.ids["part"])
        assert await self.data("bounding_box_labels_by_filter", mine) == ["apple"]
        [read] = await self.data("binary_data_by_ids", [image])
        assert [each.id for each in read.metadata.annotations.bboxes] == [box]
        await self.data("remove_bounding_box_from_image_by_id", box, image)
        assert await self.data("bounding_box_labels_by_filter", mine) == []

    async def datasets(self) -> None:
        made = await self.data("create_dataset", "fruit", self.org)
        assert [each.name for each in await self.data("list_dataset_by_ids", [made])] == ["fruit"]
        await self.data("rename_dataset", made, "fruits")
        named = {each.id: each.name for each in await self.data("list_datasets_by_organization_id", self.org)}
        assert named[made] == "fruits"
        await self.data("add_binary_data_to_dataset_by_ids", self.files[:2], made)
        inside = self.data_pb.Filter(dataset_id=made)
        assert (await self.data("binary_data_by_filter", inside, count_only=True))[1] == 2
        await self.data("remove_binary_data_from_dataset_by_ids", self.files[:1], made)
        assert (await self.data("binary_data_by_filter", inside, count_only=True))[1] == 1
        await self.data("delete_dataset", made)
        assert (await self.data("binary_data_by_ids", self.files[1:2]))[0].metadata.dataset_ids == []

    async def tabular_data(self) -> None:
        part, noon = self.ids["part"], self.time(2025, 10, 6, 12)
        rows = [{"readings": {"speed": float(speed), "on": speed > 1}} for speed in range(4)]
        times = [(noon.replace(minute=minute), noon.replace(minute=minute, second=1)) for minute in range(4)]
        await self.data(
            "tabular_data_capture_upload", rows, part, "sensor", "gps", "Readings", tags=["t"], data_request_times=times
        )
        self.gps = self.data_pb.Filter(component_name="gps")
        ascending = self.data_pb.Order.ORDER_ASCENDING
        page, count, last = await self.data("tabular_data_by_filter", self.gps, 3, ascending)
        assert [each.data for each in page] == rows[:3]
        assert count == 3
        assert page[0].time_requested.replace(tzinfo=None) == noon
        page, _, last = await self.data("tabular_data_by_filter", self.gps, 3, ascending, last)
        assert [each.data for each in page] == rows[3:]
        assert (await self.data("tabular_data_by_filter", self.gps, 3, ascending, last))[0] == []

    async def queries(self) -> None:
        sql = (
            "SELECT data.readings.speed AS speed FROM readings WHERE component_name = 'gps' ORDER BY speed DESC LIMIT 2"
        )
        assert await self.data("tabular_data_by_sql", self.org, sql) == [{"speed": 3.0}, {"speed": 2.0}]
        stages = [
            {"$match": {"component_name": "gps"}},
            {"$group": {"_id": "$component_name", "most": {"$max": "$data.readings.speed"}}},
        ]
        assert await self.data("tabular_data_by_mql", self.org, stages) == [{"_id": "gps", "most": 3.0}]
        await self.data("configure_database_user", self.org, "Correct-horse-7")
        assert "query.mongodb.net" in await self.data("get_database_connection", self.org)

    async def training(self) -> None:
        kind = self.training_pb.ModelType.MODEL_TYPE_OBJECT_DETECTION
        job = await self.do(
            "ml_training_client", "submit_training_job", self.org, self.ids["dataset"], "fruit", "v1", kind, ["ripe"]
        )
        status = self.training_pb.TrainingStatus
        got = await self.do("ml_training_client", "get_training_job", job)
        assert got.status == status.TRAINING_STATUS_PENDING
        custom = await self.do(
            "ml_training_client",
            "submit_custom_training_job",
            org_id=self.org,
            dataset_id=self.ids["dataset"],
            registry_item_id=f"{self.org}:sorter",
            registry_item_version="",
            model_name="sorted",
            model_version="v1",
        )
        await self.do("ml_training_client", "cancel_training_job", custom)
        self.hook("advance", 3600)
        done = await self.do("ml_training_client", "list_training_jobs", self.org, status.TRAINING_STATUS_COMPLETED)
        assert [each.id for each in done] == [job]
        got = await self.do("ml_training_client", "get_training_job", custom)
        assert got.status == status.TRAINING_STATUS_CANCELED
        await self.do("ml_training_client", "delete_completed_training_job", job)
        assert (
            await self.do("ml_training_client", "list_training_jobs", self.org, status.TRAINING_STATUS_COMPLETED) == []
        )

    async def billing(self) -> None:
        usage = await self.do("billing_client", "get_current_month_usage", self.org)
        assert usage.start_date.seconds < usage.end_date.seconds
        await self.do("billing_client", "get_org_billing_information", self.org)
        summary = await self.do("billing_client", "get_invoices_summary", self.org)
        path = f"{self.folder}/invoice.pdf"
        await self.do("billing_client", "get_invoice_pdf", summary.invoices[0].id, self.org, path)
        assert Path(path).read_bytes().startswith(b"%PDF-")

    async def provisioning(self) -> None:
        networks = await self.do("provisioning_client", "get_network_list")
        assert all(0 <= each.signal <= 100 for each in networks)
        status = await self.do("provisioning_client", "get_smart_machine_status")
        assert status.provisioning_info.manufacturer == "viam"
        await self.do("provisioning_client", "set_network_credentials", "wifi", "Workshop", "hush-hush")
        config = self.provisioning_pb.CloudConfig(
            id=self.ids["part"], secret="hush", app_address="https://app.viam.com"
        )
        await self.do("provisioning_client", "set_smart_machine_credentials", config)

    async def deletions(self) -> None:
        assert await self.data("delete_binary_data_by_ids", self.files[:1]) == 1
        assert await self.data("delete_binary_data_by_filter", self.data_pb.Filter(part_id=self.ids["part"])) == 3
        try:
            await self.data("delete_tabular_data_by_filter", self.gps)
        except NotImplementedError:
            pass
        else:
            raise AssertionError("delete_tabular_data_by_filter is gone from the service")
        assert await self.data("delete_tabular_data", self.org, 0) >= 4
        assert (await self.data("tabular_data_by_filter", self.gps))[0] == []
