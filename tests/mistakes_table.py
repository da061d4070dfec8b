"""The table of mistakes: a name, what a beginner writes, and the error with its text.

IDs, ports and the working folder stand in texts as ``<robot_id>`` and the like.
"""

from typing import List, Tuple

MISTAKES: List[Tuple[str, str, str, str]] = [
    # An ID that is another text.
    (
        "a robot's name for its ID",
        'app.get_robot("rover")',
        "InvalidArgumentError",
        (
            "viam.app.v1.AppService/GetRobot: INVALID_ARGUMENT: 'rover' is no robot ID, which is a UUID; "
            "list_robots shows those of a location."
        ),
    ),
    (
        "a part's ID for its robot's",
        "app.get_robot(sandbox.robot_part_id)",
        "NotFoundError",
        (
            "viam.app.v1.AppService/GetRobot: NOT_FOUND: No robot has the ID '<robot_part_id>', which is that of "
            "a robot part; list_robots shows those of a location."
        ),
    ),
    (
        "a robot's ID for its part's",
        "app.get_robot_part(sandbox.robot_id)",
        "NotFoundError",
        (
            "viam.app.v1.AppService/GetRobotPart: NOT_FOUND: No robot part has the ID '<robot_id>', which is that "
            "of a robot; get_robot_parts shows those of a robot."
        ),
    ),
    (
        "an organization's ID for a robot's",
        "app.get_robot(sandbox.organization_id)",
        "NotFoundError",
        (
            "viam.app.v1.AppService/GetRobot: NOT_FOUND: No robot has the ID '<organization_id>', which is that "
            "of an organization; list_robots shows those of a location."
        ),
    ),
    (
        "a location's ID for a robot's",
        "app.get_robot(sandbox.location_id)",
        "InvalidArgumentError",
        (
            "viam.app.v1.AppService/GetRobot: INVALID_ARGUMENT: '<location_id>' is no robot ID, which is a UUID; "
            "list_robots shows those of a location."
        ),
    ),
    (
        "an organization's ID for a location's",
        "app.list_robots(sandbox.organization_id)",
        "InvalidArgumentError",
        (
            "viam.app.v1.AppService/ListRobots: INVALID_ARGUMENT: '<organization_id>' is no location ID, which is "
            "10 lowercase letters and digits; list_locations shows those of an organization."
        ),
    ),
    (
        "a location's name for its ID",
        'app.list_robots("Workshop")',
        "InvalidArgumentError",
        (
            "viam.app.v1.AppService/ListRobots: INVALID_ARGUMENT: 'Workshop' is no location ID, which is 10 "
            "lowercase letters and digits; list_locations shows those of an organization."
        ),
    ),
    (
        "an organization's name for its ID",
        'app.list_locations("Lesson Robotics")',
        "InvalidArgumentError",
        (
            "viam.app.v1.AppService/ListLocations: INVALID_ARGUMENT: 'Lesson Robotics' is no organization ID, "
            "which is a UUID; list_organizations shows those that you can use."
        ),
    ),
    (
        "a robot's ID for an organization's",
        "app.get_organization(sandbox.robot_id)",
        "NotFoundError",
        (
            "viam.app.v1.AppService/GetOrganization: NOT_FOUND: No organization has the ID '<robot_id>', which is "
            "that of a robot; list_organizations shows those that you can use."
        ),
    ),
    (
        "a machine's ID for a fragment's",
        "app.get_fragment(sandbox.robot_id)",
        "NotFoundError",
        (
            "viam.app.v1.AppService/GetFragment: NOT_FOUND: No fragment has the ID '<robot_id>', which is that of "
            "a robot; list_fragments shows those that an organization can use."
        ),
    ),
    (
        "a dataset's name for its ID",
        'data.rename_dataset("tomatoes", "fruit")',
        "InvalidArgumentError",
        (
            "viam.app.dataset.v1.DatasetService/RenameDataset: INVALID_ARGUMENT: 'tomatoes' is no dataset ID, "
            "which is 24 hexadecimal digits; list_datasets_by_organization_id shows those of an organization."
        ),
    ),
    (
        "a robot's ID for a dataset's",
        "data.delete_dataset(sandbox.robot_id)",
        "InvalidArgumentError",
        (
            "viam.app.dataset.v1.DatasetService/DeleteDataset: INVALID_ARGUMENT: '<robot_id>' is no dataset ID, "
            "which is 24 hexadecimal digits; list_datasets_by_organization_id shows those of an organization."
        ),
    ),
    (
        "an API key's ID for an organization's",
        "app.list_keys(sandbox.api_key_id)",
        "NotFoundError",
        (
            "viam.app.v1.AppService/ListKeys: NOT_FOUND: No organization has the ID '<api_key_id>', which is that "
            "of an API key; list_organizations shows those that you can use."
        ),
    ),
    (
        "a dataset's ID for a training job's",
        "training.get_training_job(sandbox.dataset_id)",
        "NotFoundError",
        (
            "viam.app.mltraining.v1.MLTrainingService/GetTrainingJob: NOT_FOUND: No training job has the ID "
            "'<dataset_id>', which is that of a dataset; list_training_jobs shows those of an organization."
        ),
    ),
    (
        "a training job's name for its ID",
        'training.get_training_job("my job")',
        "InvalidArgumentError",
        (
            "viam.app.mltraining.v1.MLTrainingService/GetTrainingJob: INVALID_ARGUMENT: 'my job' is no training "
            "job ID, which is 24 hexadecimal digits; list_training_jobs shows those of an organization."
        ),
    ),
    (
        "a file's name for its ID",
        'data.binary_data_by_ids(["rose.png"])',
        "InvalidArgumentError",
        (
            "viam.app.data.v1.DataService/BinaryDataByIDs: INVALID_ARGUMENT: 'rose.png' is no file ID, which is "
            "64 letters and digits; binary_data_by_filter shows those of your files."
        ),
    ),
    (
        "an e-mail address for a user's ID",
        'app.add_role(sandbox.organization_id, "ada@example.com", "owner", "organization", sandbox.organization_id)',
        "InvalidArgumentError",
        (
            "viam.app.v1.AppService/AddRole: INVALID_ARGUMENT: What was given is no user or API key ID, which is "
            "a UUID; list_organization_members and list_keys show those of an organization."
        ),
    ),
    (
        "what is no e-mail address",
        'app.get_user_id_by_email("ada")',
        "InvalidArgumentError",
        (
            "viam.app.v1.AppService/GetUserIDByEmail: INVALID_ARGUMENT: 'ada' is not an e-mail address; give one "
            "like ada@example.com."
        ),
    ),
    (
        "an ID that nobody has",
        'app.get_robot("00000000-0000-4000-8000-000000000000")',
        "NotFoundError",
        (
            "viam.app.v1.AppService/GetRobot: NOT_FOUND: No robot has the ID "
            "'00000000-0000-4000-8000-000000000000'; list_robots shows those of a location."
        ),
    ),
    (
        "the address of a page for an ID",
        'app.get_robot("https://app.viam.com/machine/x")',
        "InvalidArgumentError",
        (
            "viam.app.v1.AppService/GetRobot: INVALID_ARGUMENT: 'https://app.viam.com/machine/x' is no robot ID, "
            "which is a UUID; list_robots shows those of a location."
        ),
    ),
    (
        "the name and the location swapped",
        'app.new_robot(sandbox.location_id, "scout")',
        "InvalidArgumentError",
        (
            "viam.app.v1.AppService/NewRobot: INVALID_ARGUMENT: 'scout' is no location ID, which is 10 lowercase "
            "letters and digits; list_locations shows those of an organization."
        ),
    ),
    (
        "the name and the organization swapped",
        'data.create_dataset(sandbox.organization_id, "cats")',
        "InvalidArgumentError",
        (
            "viam.app.dataset.v1.DatasetService/CreateDataset: INVALID_ARGUMENT: 'cats' is no organization ID, "
            "which is a UUID; list_organizations shows those that you can use."
        ),
    ),
    (
        "the query and the organization swapped",
        'data.tabular_data_by_sql("SELECT * FROM readings", sandbox.organization_id)',
        "InvalidArgumentError",
        (
            "viam.app.data.v1.DataService/TabularDataBySQL: INVALID_ARGUMENT: 'SELECT * FROM readings' is no "
            "organization ID, which is a UUID; list_organizations shows those that you can use."
        ),
    ),
    (
        "tags and IDs swapped",
        'data.add_tags_to_binary_data_by_ids([file_id], ["ripe"])',
        "InvalidArgumentError",
        (
            "viam.app.data.v1.DataService/AddTagsToBinaryDataByIDs: INVALID_ARGUMENT: 'ripe' is no file ID, which "
            "is 64 letters and digits; binary_data_by_filter shows those of your files."
        ),
    ),
    (
        "no location at all",
        "app.list_robots()",
        "InvalidArgumentError",
        (
            "viam.app.v1.AppService/ListRobots: INVALID_ARGUMENT: The location ID is empty; list_locations shows "
            "those of an organization."
        ),
    ),
    (
        "an ID cut short",
        'app.get_robot("0373fbce-66ba-4a91-844f-4420cf677b3")',
        "InvalidArgumentError",
        (
            "viam.app.v1.AppService/GetRobot: INVALID_ARGUMENT: '0373fbce-66ba-4a91-844f-4420cf677b3' is no robot "
            "ID, which is a UUID; list_robots shows those of a location."
        ),
    ),
    (
        "a name that a machine has already",
        'app.new_robot("rover", sandbox.location_id)',
        "AlreadyExistsError",
        (
            "viam.app.v1.AppService/NewRobot: ALREADY_EXISTS: The location 'Workshop' has a machine named 'rover' "
            "already; choose another name."
        ),
    ),
    # An ID with something around it.
    (
        "an ID with the end of a line",
        "app.get_robot(sandbox.robot_id + chr(10))",
        "ValueError",
        "robot_id has white space around it, such as the end of a line; it takes an ID",
    ),
    (
        "an ID with a space before it",
        'app.get_robot(" " + sandbox.robot_id)',
        "ValueError",
        "robot_id has white space around it, such as the end of a line; it takes an ID",
    ),
    (
        "an ID in quotation marks",
        "app.get_robot('\"' + sandbox.robot_id + '\"')",
        "ValueError",
        'robot_id has the mark " around it, which is part of no ID; give the ID alone',
    ),
    (
        "an ID in braces",
        'app.get_robot("{" + sandbox.robot_id + "}")',
        "ValueError",
        "robot_id has the mark { around it, which is part of no ID; give the ID alone",
    ),
    (
        "an ID in the brackets of an example",
        'app.get_robot("<ROBOT-ID>")',
        "ValueError",
        "robot_id has the mark < around it, which is part of no ID; give the ID alone",
    ),
    (
        "an empty ID",
        'app.get_robot("")',
        "ValueError",
        "robot_id is an empty string; it takes an ID",
    ),
    # Something else for an ID.
    (
        "None for an ID",
        "app.get_robot(None)",
        "TypeError",
        "robot_id takes a str, got None",
    ),
    (
        "an int for an ID",
        "app.get_robot(5)",
        "TypeError",
        "robot_id takes a str, got 5",
    ),
    (
        "a UUID object for an ID",
        "app.get_robot(uuid.UUID(sandbox.robot_id))",
        "TypeError",
        "robot_id takes a str, got a UUID; str(…) makes one of it",
    ),
    (
        "bytes for an ID",
        "app.get_robot(sandbox.robot_id.encode())",
        "TypeError",
        "robot_id takes a str, got bytes; decode it",
    ),
    (
        "a list for an ID",
        "app.get_robot([sandbox.robot_id])",
        "TypeError",
        "robot_id takes a str, got a list; give one of its items",
    ),
    (
        "a whole robot for its ID",
        "app.get_robot(robot)",
        "TypeError",
        "robot_id takes a str, got a Robot; give its id",
    ),
    (
        "a whole part for its ID",
        "app.get_robot_part_logs(part)",
        "TypeError",
        "robot_part_id takes a str, got a RobotPart; give its id",
    ),
    (
        "a part for its robot's ID",
        "app.get_robot(part)",
        "TypeError",
        "robot_id takes a str, got a RobotPart; give its robot",
    ),
    (
        "a robot for its location's ID",
        "app.get_location(robot)",
        "TypeError",
        "location_id takes a str, got a Robot; give its location",
    ),
    (
        "an organization for its ID",
        "app.list_locations(organization)",
        "TypeError",
        "org_id takes a str, got an Organization; give its id",
    ),
    (
        "a method that was not called",
        "app.get_robot(app.list_robots)",
        "TypeError",
        "robot_id takes a str, got the function list_robots itself",
    ),
    (
        "a class for a value",
        "app.get_robot(str)",
        "TypeError",
        "robot_id takes a str, got the class str itself",
    ),
    (
        "a file for its ID",
        "data.binary_data_by_ids([file])",
        "TypeError",
        "binary_ids[0] takes a str or a BinaryID, got a BinaryData; give its metadata.binary_data_id",
    ),
    (
        "the metadata of a file for its ID",
        "data.binary_data_by_ids([file.metadata])",
        "TypeError",
        "binary_ids[0] takes a str or a BinaryID, got a BinaryMetadata; give its binary_data_id",
    ),
    # A list.
    (
        "a str for a list of str",
        "data.list_dataset_by_ids(sandbox.dataset_id)",
        "TypeError",
        "ids takes a list of str, got a str; a list of one is written […]",
    ),
    (
        "a tag for a list of tags",
        'create_filter(tags="ripe")',
        "TypeError",
        "tags takes a list of str, got a str; a list of one is written […]",
    ),
    (
        "a MIME type for a list of them",
        'create_filter(mime_type="image/png")',
        "TypeError",
        "mime_type takes a list of str, got a str; a list of one is written […]",
    ),
    (
        "a location for a list of their IDs",
        "create_filter(location_ids=sandbox.location_id)",
        "TypeError",
        "location_ids takes a list of str, got a str; a list of one is written […]",
    ),
    (
        "an organization for a list of their IDs",
        "create_filter(organization_ids=organization)",
        "TypeError",
        "organization_ids takes a list of str, got an Organization; a list of one is written […]",
    ),
    (
        "organizations for their IDs",
        "create_filter(organization_ids=[organization])",
        "TypeError",
        "organization_ids[0] takes a str, got an Organization; give its id",
    ),
    (
        "a list for a str",
        'create_filter(robot_name=["rover", "scout"])',
        "TypeError",
        "robot_name takes a str, got a list; give one of its items",
    ),
    (
        "an int in a list of str",
        "create_filter(tags=[1])",
        "TypeError",
        "tags[0] takes a str, got 1",
    ),
    (
        "an empty list of IDs",
        "data.binary_data_by_ids([])",
        "ValueError",
        "binary_ids is an empty list; give at least one",
    ),
    (
        "an ID for a list of IDs of files",
        "data.add_binary_data_to_dataset_by_ids(file_id, sandbox.dataset_id)",
        "TypeError",
        "binary_ids takes a list of IDs, got a str; a list of one is written […]",
    ),
    (
        "a level for a list of levels",
        'app.get_robot_part_logs(sandbox.robot_part_id, log_levels="error")',
        "TypeError",
        "log_levels takes a list such as ['error'], got a str; a list of one is written […]",
    ),
    (
        "a level that there is not",
        'app.get_robot_part_logs(sandbox.robot_part_id, log_levels=["err"])',
        "InvalidArgumentError",
        (
            "viam.app.v1.AppService/GetRobotPartLogs: INVALID_ARGUMENT: 'err' is not a level; choose from debug, "
            "info, warn, error, fatal."
        ),
    ),
    (
        "a role for a list of authorizations",
        'app.create_key(sandbox.organization_id, "owner")',
        "TypeError",
        "authorizations takes a list of APIKeyAuthorization, got a str; a list of one is written […]",
    ),
    (
        "a stage for a list of stages",
        'data.tabular_data_by_mql(sandbox.organization_id, {"$limit": 5})',
        "TypeError",
        "mql_binary takes a list of stages, each BSON or a dict, got a dict; a list of one is written […]",
    ),
    (
        "JSON text for a list of stages",
        "data.tabular_data_by_mql(sandbox.organization_id, '[{\"$limit\": 5}]')",
        "TypeError",
        "mql_binary takes a list of stages, each BSON or a dict, got a str; json.loads(…) makes one of JSON text",
    ),
    (
        "a dict for a list of readings",
        'data.tabular_data_capture_upload({"temperature": 20}, sandbox.robot_part_id, "sensor", "air", "Readings")',
        "TypeError",
        "tabular_data takes an iterable of dicts or a DataFrame, got a dict",
    ),
    # A dict.
    (
        "JSON text for a dict",
        'app.update_robot_part(sandbox.robot_part_id, "main", \'{"components": []}\')',
        "TypeError",
        "robot_config takes a dict, got a str; json.loads(…) makes one of JSON text",
    ),
    (
        "JSON text for metadata",
        "app.update_robot_metadata(sandbox.robot_id, '{\"floor\": 2}')",
        "TypeError",
        "metadata takes a dict, got a str; json.loads(…) makes one of JSON text",
    ),
    (
        "JSON text for a fragment",
        'app.create_fragment(sandbox.organization_id, "arm", \'{"components": []}\')',
        "TypeError",
        "config takes a dict, got a str; json.loads(…) makes one of JSON text",
    ),
    (
        "a list for a dict",
        'app.update_robot_metadata(sandbox.robot_id, ["floor"])',
        "TypeError",
        "metadata takes a dict, got a list",
    ),
    (
        "a record where its dict is meant",
        'app.update_robot_part(sandbox.robot_part_id, "main", part)',
        "TypeError",
        "robot_config takes a dict, got a RobotPart; give its robot_config",
    ),
    (
        "a record where a message is meant",
        "data.tabular_data_by_filter(part)",
        "TypeError",
        "filter takes a Filter, as viam_sync.utils.create_filter(…) returns, got a RobotPart",
    ),
    (
        "a datetime in a dict",
        'app.update_robot_part(sandbox.robot_part_id, "main", {"since": datetime(2024, 1, 1)})',
        "ValueError",
        (
            "robot_config['since'] takes None, a bool, a number, a str, a list or a dict, got a datetime; its "
            "isoformat() is a str"
        ),
    ),
    (
        "a set in a reading",
        'data.tabular_data_capture_upload([{"a": {1}}], sandbox.robot_part_id, "sensor", "air", "Readings")',
        "ValueError",
        (
            "tabular_data[0]['a'] takes None, a bool, a number, a str, a list or a dict, got a set; list(…) makes "
            "a list of it"
        ),
    ),
    (
        "a key that is no str",
        'data.tabular_data_capture_upload([{1: 2}], sandbox.robot_part_id, "sensor", "air", "Readings")',
        "TypeError",
        "tabular_data[0] takes a dict whose keys are each a str, got the key 1",
    ),
    (
        "JSON text among readings",
        'data.tabular_data_capture_upload([\'{"a": 1}\'], sandbox.robot_part_id, "sensor", "air", "Readings")',
        "TypeError",
        "tabular_data[0] takes a dict, got a str; json.loads(…) makes one of JSON text",
    ),
    (
        "a dict for a Struct",
        'struct_to_dict({"a": 1})',
        "TypeError",
        "struct takes a Struct, got a dict",
    ),
    (
        "JSON text for a Struct's dict",
        "dict_to_struct('{\"a\": 1}')",
        "TypeError",
        "obj takes a dict, got a str; json.loads(…) makes one of JSON text",
    ),
    # Filters.
    (
        "a name for a filter",
        'data.tabular_data_by_filter("rover")',
        "TypeError",
        "filter takes a Filter, as viam_sync.utils.create_filter(…) returns, got a str",
    ),
    (
        "a list for a filter",
        "data.tabular_data_by_filter([create_filter()])",
        "TypeError",
        "filter takes a Filter, as viam_sync.utils.create_filter(…) returns, got a list",
    ),
    (
        "the function for its filter",
        "data.tabular_data_by_filter(create_filter)",
        "TypeError",
        "filter takes a Filter, as viam_sync.utils.create_filter(…) returns, got the function create_filter itself",
    ),
    (
        "a dict with an unknown field for a filter",
        'data.tabular_data_by_filter({"robot": "rover"})',
        "ValueError",
        (
            "filter: Filter has no field 'robot'; it has robot_id, robot_name, component_name, component_type, "
            "method, part_name, part_id, location_ids, organization_ids, mime_type, interval, tags_filter, "
            "bbox_labels, dataset_id"
        ),
    ),
    (
        "an unknown field of a filter",
        'Filter(machine="rover")',
        "ValueError",
        (
            "Filter has no field 'machine'; it has robot_id, robot_name, component_name, component_type, method, "
            "part_name, part_id, location_ids, organization_ids, mime_type, interval, tags_filter, bbox_labels, "
            "dataset_id"
        ),
    ),
    (
        "a filter without times to partition",
        "partition_filter(create_filter(), 4)",
        "ValueError",
        "filter has no start; give create_filter both start_time and end_time",
    ),
    (
        "a dict to partition",
        "partition_filter({}, 4)",
        "TypeError",
        "filter takes a Filter, got a dict; make one with create_filter",
    ),
    # Times.
    (
        "a date for a datetime",
        "create_filter(start_time=date(2024, 1, 1))",
        "TypeError",
        "start_time takes a datetime, got a date; datetime(day.year, day.month, day.day) makes one of a date",
    ),
    (
        "text for a datetime",
        'create_filter(start_time="2024-01-01")',
        "TypeError",
        (
            "start_time takes a datetime, got a str; datetime.fromisoformat(…) makes one of a text such as "
            "'2024-01-31T12:00:00'"
        ),
    ),
    (
        "seconds since 1970 for a datetime",
        "create_filter(start_time=1704067200)",
        "TypeError",
        (
            "start_time takes a datetime, got 1704067200; datetime.fromtimestamp(…, timezone.utc) makes one of "
            "seconds since 1970"
        ),
    ),
    (
        "milliseconds since 1970 for a datetime",
        "create_filter(start_time=1704067200000)",
        "TypeError",
        (
            "start_time takes a datetime, got 1704067200000; datetime.fromtimestamp(… / 1000, timezone.utc) makes "
            "one of milliseconds since 1970"
        ),
    ),
    (
        "a time of day for a datetime",
        "create_filter(end_time=time(12))",
        "TypeError",
        "end_time takes a datetime, got a time; datetime.combine(day, …) makes one of it",
    ),
    (
        "a timedelta for a datetime",
        "app.get_robot_part_logs(sandbox.robot_part_id, start=timedelta(hours=1))",
        "TypeError",
        "start takes a datetime, got a timedelta; datetime.now(timezone.utc) - … is so long ago",
    ),
    (
        "a date in a log",
        "app.get_robot_part_logs(sandbox.robot_part_id, start=date(2024, 1, 1))",
        "TypeError",
        "start takes a datetime, got a date; datetime(day.year, day.month, day.day) makes one of a date",
    ),
    (
        "the end before the start, in a filter",
        "create_filter(start_time=datetime(2024, 1, 2), end_time=datetime(2024, 1, 1))",
        "ValueError",
        (
            "end_time is before start_time: 2024-01-01T00:00:00Z is before 2024-01-02T00:00:00Z, so nothing is "
            "between them"
        ),
    ),
    (
        "the end before the start, in a log",
        "app.get_robot_part_logs(sandbox.robot_part_id, start=datetime(2024, 1, 2), end=datetime(2024, 1, 1))",
        "ValueError",
        "end is before start: 2024-01-01T00:00:00Z is before 2024-01-02T00:00:00Z, so nothing is between them",
    ),
    (
        "the end before the start, in readings",
        (
            'data.export_tabular_data(sandbox.robot_part_id, "air", "rdk:component:sensor", "Readings", '
            "datetime(2024, 1, 2), datetime(2024, 1, 1))"
        ),
        "ValueError",
        (
            "end_time is before start_time: 2024-01-01T00:00:00Z is before 2024-01-02T00:00:00Z, so nothing is "
            "between them"
        ),
    ),
    (
        "the end before the start, in a history",
        "app.get_robot_part_history(sandbox.robot_part_id, start=datetime(2024, 1, 2), end=datetime(2024, 1, 1))",
        "ValueError",
        "end is before start: 2024-01-01T00:00:00Z is before 2024-01-02T00:00:00Z, so nothing is between them",
    ),
    (
        "a date in a query",
        (
            'data.tabular_data_by_mql(sandbox.organization_id, [{"$match": {"time_received": {"$gte": date(2024, '
            "1, 1)}}}])"
        ),
        "ValueError",
        (
            "mql_binary[0] has no form in BSON: it holds a date; datetime(day.year, day.month, day.day) makes one "
            "of a date"
        ),
    ),
    (
        "a range in words",
        'app.get_robot_part_logs(sandbox.robot_part_id, range="1 hour")',
        "InvalidArgumentError",
        (
            "viam.app.v1.AppService/GetRobotPartLogs: INVALID_ARGUMENT: range is '1 hour'; give minutes, hours or "
            "days, such as '10m', '10h' or '10d'."
        ),
    ),
    (
        "an int for a Timestamp",
        "timestamp_to_datetime(1704067200)",
        "TypeError",
        "timestamp takes a Timestamp, got 1704067200",
    ),
    (
        "a datetime for a Timestamp",
        "timestamp_to_datetime(datetime(2024, 1, 1))",
        "TypeError",
        "timestamp takes a Timestamp, got a datetime; it is a datetime already",
    ),
    (
        "text for a datetime to convert",
        'datetime_to_timestamp("2024-01-01")',
        "TypeError",
        "dt takes a datetime, got a str; datetime.fromisoformat(…) makes one of a text such as '2024-01-31T12:00:00'",
    ),
    (
        "a Timestamp formatted as a datetime",
        'robot.last_access.strftime("%H:%M")',
        "AttributeError",
        "Timestamp has no field 'strftime'; it has seconds, nanos, and ToDatetime() returns a datetime",
    ),
    (
        "the name of a time zone",
        'client.options(tz="Europe/Berlin")',
        "TypeError",
        (
            "tz takes a datetime.tzinfo, such as datetime.timezone.utc or zoneinfo.ZoneInfo('Europe/Berlin'), got "
            "'Europe/Berlin'"
        ),
    ),
    # Numbers and switches.
    (
        "text for an int",
        'data.tabular_data_by_filter(limit="5")',
        "TypeError",
        "limit takes an int from 0 to 18446744073709551615, got a str; int(…) makes one of a text",
    ),
    (
        "a float for an int",
        "data.tabular_data_by_filter(limit=5.0)",
        "TypeError",
        "limit takes an int from 0 to 18446744073709551615, got 5.0",
    ),
    (
        "a negative limit",
        "data.tabular_data_by_filter(limit=-1)",
        "ValueError",
        "limit takes an int from 0 to 18446744073709551615, got -1",
    ),
    (
        "a huge limit",
        "data.tabular_data_by_filter(limit=10**30)",
        "ValueError",
        "limit takes an int from 0 to 18446744073709551615, got 1000000000000000000000000000000",
    ),
    (
        "a page of no rows",
        "data.iter_tabular_data(page_size=0)",
        "ValueError",
        "page_size takes an int from 1 to 100, got 0",
    ),
    (
        "a page of too many rows",
        "data.iter_tabular_data(page_size=500)",
        "ValueError",
        "page_size takes an int from 1 to 100, got 500",
    ),
    (
        "too many workers",
        "data.iter_tabular_data(workers=1000)",
        "ValueError",
        "workers takes an int from 1 to 64, got 1000",
    ),
    (
        "a negative number of entries",
        "app.get_robot_part_logs(sandbox.robot_part_id, num_log_entries=-1)",
        "ValueError",
        "num_log_entries takes an int from 0 on, where 0 stands for all entries, got -1",
    ),
    (
        "text for a number of days",
        'data.delete_tabular_data(sandbox.organization_id, "7")',
        "TypeError",
        "delete_older_than_days takes an int from 0 to 4294967295, got a str; int(…) makes one of a text",
    ),
    (
        "text for a bool",
        'data.tabular_data_by_filter(count_only="yes")',
        "TypeError",
        "count_only takes a bool, got a str; write True or False, without quotation marks",
    ),
    (
        "text for seconds",
        'app.get_robot(sandbox.robot_id, timeout="5")',
        "TypeError",
        "timeout takes a number of seconds, got a str; float(…) makes one of a text",
    ),
    (
        "seconds that are not above 0",
        "client.options(timeout=0)",
        "ValueError",
        "timeout takes a number of seconds above 0, got 0",
    ),
    (
        "a number for a Retry",
        "client.options(retry=5)",
        "TypeError",
        "retry takes a viam_sync.Retry, or False for none, got 5",
    ),
    (
        "pixels for shares of an image",
        'data.add_bounding_box_to_image_by_id(file_id, "tomato", 10, 10, 200, 200)',
        "ValueError",
        "x_min_normalized takes a number from 0 to 1, got 10",
    ),
    (
        "the corners of a box swapped",
        'data.add_bounding_box_to_image_by_id(file_id, "tomato", 0.5, 0.5, 0.1, 0.1)',
        "ValueError",
        "x_min_normalized must be less than x_max_normalized, got 0.5 and 0.1",
    ),
    (
        "text for an amount",
        'billing.charge_organization(sandbox.organization_id, "5", 1)',
        "TypeError",
        "subtotal takes a number, got a str; float(…) makes one of a text",
    ),
    (
        "a negative amount",
        "billing.charge_organization(sandbox.organization_id, -5, 1)",
        "InvalidArgumentError",
        (
            "viam.app.v1.BillingService/ChargeOrganization: INVALID_ARGUMENT: subtotal is -5.0; give an amount "
            "from 0 to 1,000,000,000 US dollars."
        ),
    ),
    (
        "the place of another call's page",
        'data.tabular_data_by_filter(last="x")',
        "InvalidArgumentError",
        (
            "viam.app.data.v1.DataService/TabularDataByFilter: INVALID_ARGUMENT: 'x' is none of the places that a "
            "page ended with; pass on the `last` of the page before, or leave it out to begin at the start."
        ),
    ),
    # Enums and words.
    (
        "a word for a value of an enum",
        'data.tabular_data_by_filter(sort_order="asc")',
        "ValueError",
        "sort_order takes a value of Order, such as ORDER_ASCENDING, ORDER_DESCENDING or ORDER_UNSPECIFIED, got a str",
    ),
    (
        "a value that an enum lacks",
        "data.tabular_data_by_filter(sort_order=Order.ASCENDING)",
        "AttributeError",
        "Order has no value 'ASCENDING'; it has ORDER_ASCENDING, ORDER_UNSPECIFIED, ORDER_DESCENDING",
    ),
    (
        "the enum for its value",
        "data.tabular_data_by_filter(sort_order=Order)",
        "TypeError",
        (
            "sort_order takes a value of Order, such as ORDER_DESCENDING, ORDER_ASCENDING or ORDER_UNSPECIFIED, "
            "got the enum Order itself"
        ),
    ),
    (
        "a name that an enum lacks",
        'Order.Value("descending")',
        "ValueError",
        "Order has no value 'descending'; it has ORDER_DESCENDING, ORDER_ASCENDING, ORDER_UNSPECIFIED",
    ),
    (
        "a type of model in words",
        'training.submit_training_job(sandbox.organization_id, sandbox.dataset_id, "m", "1", "single label", ["ripe"])',
        "ValueError",
        (
            "model_type takes a value of ModelType, such as MODEL_TYPE_SINGLE_LABEL_CLASSIFICATION, "
            "MODEL_TYPE_MULTI_LABEL_CLASSIFICATION, MODEL_TYPE_OBJECT_DETECTION or MODEL_TYPE_UNSPECIFIED, got a "
            "str"
        ),
    ),
    (
        "a status in words",
        'training.list_training_jobs(sandbox.organization_id, "running")',
        "ValueError",
        (
            "training_status takes a value of TrainingStatus, such as TRAINING_STATUS_PENDING, "
            "TRAINING_STATUS_IN_PROGRESS, TRAINING_STATUS_COMPLETED, TRAINING_STATUS_FAILED, "
            "TRAINING_STATUS_CANCELED, TRAINING_STATUS_CANCELING or TRAINING_STATUS_UNSPECIFIED, got a str"
        ),
    ),
    (
        "a type of item in words",
        'app.create_registry_item(sandbox.organization_id, "arm", "module")',
        "ValueError",
        (
            "type takes a value of PackageType, such as PACKAGE_TYPE_MODULE, PACKAGE_TYPE_ARCHIVE, "
            "PACKAGE_TYPE_ML_MODEL, PACKAGE_TYPE_SLAM_MAP, PACKAGE_TYPE_ML_TRAINING or PACKAGE_TYPE_UNSPECIFIED, "
            "got a str"
        ),
    ),
    (
        "a role that there is not",
        'APIKeyAuthorization("admin", "organization", sandbox.organization_id)',
        "ValueError",
        "role takes one of 'owner', 'operator', got 'admin'",
    ),
    (
        "a machine for a robot in an authorization",
        'APIKeyAuthorization("owner", "machine", sandbox.robot_id)',
        "ValueError",
        "resource_type takes one of 'organization', 'location', 'robot', got 'machine'",
    ),
    (
        "a visibility in words",
        'app.update_fragment(sandbox.fragment_id, "arm", {}, visibility="secret")',
        "ValueError",
        (
            "visibility takes a Fragment.Visibility (Visibility.PRIVATE, Visibility.PUBLIC, "
            "Visibility.PUBLIC_UNLISTED, Visibility.UNSPECIFIED), got 'secret'"
        ),
    ),
    # Names of methods and attributes.
    (
        "client.robots",
        "client.robots",
        "AttributeError",
        (
            "ViamClient has no attribute 'robots'; did you mean app_client.list_robots, app_client.get_robot or "
            "app_client.new_robot?"
        ),
    ),
    (
        "client.organizations",
        "client.organizations",
        "AttributeError",
        (
            "ViamClient has no attribute 'organizations'; did you mean app_client.list_organizations, "
            "app_client.get_organization or app_client.search_organizations?"
        ),
    ),
    (
        "client.app for client.app_client",
        "client.app",
        "AttributeError",
        (
            "ViamClient has no attribute 'app'; did you mean app_client, app_client.read_oauth_app or "
            "app_client.get_app_content?"
        ),
    ),
    (
        "a method of a client's client",
        "client.list_robots()",
        "AttributeError",
        "ViamClient has no attribute 'list_robots'; the app_client of a ViamClient has it",
    ),
    (
        "a method of another client",
        "app.tabular_data_by_filter()",
        "AttributeError",
        "AppClient has no attribute 'tabular_data_by_filter'; the data_client of a ViamClient has it",
    ),
    (
        "a method of a third client",
        "app.submit_training_job()",
        "AttributeError",
        "AppClient has no attribute 'submit_training_job'; the ml_training_client of a ViamClient has it",
    ),
    (
        "machines for robots",
        "client.app_client.list_machines(sandbox.location_id)",
        "AttributeError",
        "AppClient has no attribute 'list_machines'; did you mean list_robots, get_robot or list_favorite_machines?",
    ),
    (
        "one machine for a robot",
        "app.get_machine(sandbox.robot_id)",
        "AttributeError",
        "AppClient has no attribute 'get_machine'; did you mean get_robot, list_robots or list_favorite_machines?",
    ),
    (
        "a method in camel case",
        "app.listRobots(sandbox.location_id)",
        "AttributeError",
        "AppClient has no attribute 'listRobots'; did you mean list_robots, get_robot or get_robot_parts?",
    ),
    (
        "get for list",
        "app.get_organizations()",
        "AttributeError",
        (
            "AppClient has no attribute 'get_organizations'; did you mean get_organization, list_organizations or "
            "get_organization_metadata?"
        ),
    ),
    (
        "the logs for a part's logs",
        "app.get_logs(sandbox.robot_part_id)",
        "AttributeError",
        (
            "AppClient has no attribute 'get_logs'; did you mean get_robot_part_logs, "
            "ml_training_client.get_training_job_logs or organization_get_logo?"
        ),
    ),
    (
        "datasets where they are not",
        "app.list_datasets(sandbox.organization_id)",
        "AttributeError",
        (
            "AppClient has no attribute 'list_datasets'; did you mean data_client.list_dataset_by_ids, "
            "data_client.list_datasets_by_organization_id or data_client.get_sequence_dataset_export?"
        ),
    ),
    (
        "a singular for a plural",
        'data.upload_file("rose.png")',
        "AttributeError",
        (
            "DataClient has no attribute 'upload_file'; did you mean upload_files, file_upload or "
            "app_client.upload_module_file?"
        ),
    ),
    (
        "an unknown method",
        "billing.refund()",
        "AttributeError",
        "BillingClient has no attribute 'refund'; help(BillingClient) shows what it has",
    ),
    (
        "an attribute that a message lacks",
        "robot.location_id",
        "AttributeError",
        (
            "Robot has no field 'location_id'; it has location, id, name, last_access, created_on, online_state, "
            "seconds_since_online"
        ),
    ),
    (
        "an attribute of a file that is in its metadata",
        "file.id",
        "AttributeError",
        "BinaryData has no field 'id', but its metadata has; it has binary, metadata",
    ),
    (
        "robots of a location",
        "location.robots",
        "AttributeError",
        (
            "Location has no field 'robots'; it has robot_count, id, name, parent_location_id, auth, "
            "organizations, created_on, config, primary_org_identity"
        ),
    ),
    (
        "a misspelt class of messages",
        "pb.Robots",
        "AttributeError",
        "module 'viam_sync.proto.app' has no attribute 'Robots'; did you mean Robot, RobotPart, FavoriteMachine?",
    ),
    (
        "a reading taken for an attribute of its row",
        "rows[0].temperature",
        "AttributeError",
        "TabularData has no attribute 'temperature'; it has data, metadata, time_requested, time_received",
    ),
    (
        "the time of a row",
        "rows[0].time",
        "AttributeError",
        "TabularData has no attribute 'time'; it has time_received, time_requested, data, metadata",
    ),
    (
        "an attribute of an iterator's item",
        "data.iter_tabular_data().data",
        "AttributeError",
        "Pages has no attribute 'data'; go through it by a for loop, or give it to list()",
    ),
    (
        "an attribute of a page's item",
        "[row.data for row in data.tabular_data_by_filter(limit=2)]",
        "AttributeError",
        (
            "this list has no attribute 'data', but its items may: the call returns a tuple; write `items, count, "
            "last = …`, and go through the items"
        ),
    ),
    (
        "an attribute of a page's file",
        "[each.metadata for each in data.binary_data_by_filter(limit=2)]",
        "AttributeError",
        (
            "this list has no attribute 'metadata', but its items may: the call returns a tuple; write `items, "
            "count, last = …`, and go through the items"
        ),
    ),
    (
        "a page for its rows",
        "to_pandas(data.tabular_data_by_filter(limit=2))",
        "TypeError",
        "rows takes what methods for tabular data return, got a list; of a page (rows, count, last), give the rows",
    ),
    (
        "a row for rows",
        "to_pandas(rows[0])",
        "TypeError",
        "rows takes a list of rows, got a TabularData; a list of one is written […]",
    ),
    (
        "files for rows",
        "to_pandas([file])",
        "TypeError",
        "rows takes what methods for tabular data return, got a BinaryData",
    ),
    (
        "the message for its client",
        'ViamClient("app.viam.com", {})',
        "TypeError",
        "channel takes a grpc.Channel, got a str; ViamClient.create_from_dial_options(…) makes a client",
    ),
    (
        "a client for a channel",
        "AppClient(client, {})",
        "TypeError",
        "channel takes a grpc.Channel, got a ViamClient; ViamClient.create_from_dial_options(…) makes a client",
    ),
    (
        "a machine",
        'client.connect_to_machine(address="rover-main.abcdef1234.viam.cloud")',
        "NotSupportedError",
        (
            "machines are driven by viam-sdk (pip install viam-sdk), which can be imported in the same process; "
            "see docs/migrating.md"
        ),
    ),
    (
        "two names of one parameter",
        "data.tabular_data_by_mql(sandbox.organization_id, [], query=[])",
        "TypeError",
        "query is another name of mql_binary; give one of them",
    ),
    (
        "neither of two names",
        "data.tabular_data_by_mql(sandbox.organization_id)",
        "TypeError",
        "mql_binary or query must be given",
    ),
    (
        "an await that was left",
        "asyncio.run(awaited(client))",
        "TypeError",
        "viam_sync is synchronous: take out `await`",
    ),
    (
        "a field that is set to another type",
        'setattr(robot, "name", 5)',
        "TypeError",
        "name takes a str, got 5",
    ),
    (
        "a field that a message lacks is set",
        'setattr(robot, "nam", "scout")',
        "AttributeError",
        (
            "Robot has no field 'nam'; it has name, id, location, last_access, created_on, online_state, "
            "seconds_since_online"
        ),
    ),
    # Queries.
    (
        "a query that writes",
        'data.tabular_data_by_sql(sandbox.organization_id, "DELETE FROM readings")',
        "InvalidArgumentError",
        (
            "viam.app.data.v1.DataService/TabularDataBySQL: INVALID_ARGUMENT: Only a SELECT can be run, and this "
            "is a statement of type DELETE."
        ),
    ),
    (
        "an empty query",
        'data.tabular_data_by_sql(sandbox.organization_id, "")',
        "InvalidArgumentError",
        "viam.app.data.v1.DataService/TabularDataBySQL: INVALID_ARGUMENT: The query is empty; give one.",
    ),
    (
        "a stage without its dollar sign",
        'data.tabular_data_by_mql(sandbox.organization_id, [{"limit": 5}])',
        "InvalidArgumentError",
        (
            "viam.app.data.v1.DataService/TabularDataByMQL: INVALID_ARGUMENT: Stage 1 of the pipeline, limit, is "
            "not allowed; use only $addFields, $bucket, $bucketAuto, $count, $densify, $fill, $geoNear, $group, "
            "$limit, $match, $project, $redact, $replaceRoot, $replaceWith, $sample, $set, $setWindowFields, "
            "$skip, $sort, $sortByCount, $unset, $unwind."
        ),
    ),
    (
        "text for the number of a stage",
        'data.tabular_data_by_mql(sandbox.organization_id, [{"$limit": "5"}])',
        "InvalidArgumentError",
        (
            "viam.app.data.v1.DataService/TabularDataByMQL: INVALID_ARGUMENT: Stage 1 of the pipeline, $limit, "
            "takes a whole number from 1 on, not 5."
        ),
    ),
    (
        "a text among stages",
        'data.tabular_data_by_mql(sandbox.organization_id, ["$limit"])',
        "TypeError",
        "mql_binary[0] takes BSON or a dict, got a str",
    ),
    # Files.
    (
        "a file that there is not",
        'data.file_upload_from_path("rose.png", sandbox.robot_part_id)',
        "FileNotFoundError",
        "filepath is 'rose.png', but there is no such file in the working folder, '<folder>'",
    ),
    (
        "a folder for a file",
        'data.file_upload_from_path("folder", sandbox.robot_part_id)',
        "IsADirectoryError",
        "filepath is a folder, 'folder'; name a file in it, or give it to upload_files, which uploads all of them",
    ),
    (
        "a path and an ID swapped",
        'data.file_upload_from_path(sandbox.robot_part_id, "notes.txt")',
        "FileNotFoundError",
        "filepath is '<robot_part_id>', but there is no such file in the working folder, '<folder>'",
    ),
    (
        "an empty path",
        'data.file_upload_from_path("", sandbox.robot_part_id)',
        "ValueError",
        "filepath is an empty string; it takes a path",
    ),
    (
        "bytes for a path",
        'data.file_upload_from_path(b"notes.txt", sandbox.robot_part_id)',
        "TypeError",
        "filepath takes a path, got bytes",
    ),
    (
        "a URL for a path",
        'data.file_upload_from_path("s3://bucket/rose.png", sandbox.robot_part_id)',
        "ValueError",
        "filepath takes a path on this computer, got the URL 's3://bucket/rose.png'",
    ),
    (
        "a path as text for contents",
        'data.file_upload(sandbox.robot_part_id, "notes.txt")',
        "TypeError",
        "data takes bytes, a path such as pathlib.Path, or a file opened in binary mode, got a str",
    ),
    (
        "a file opened as text",
        'data.file_upload(sandbox.robot_part_id, io.StringIO("text"))',
        "TypeError",
        "data takes a file opened in binary mode, got one opened as text; open it with mode 'rb'",
    ),
    (
        "a pattern for a folder",
        'data.upload_files("*.png", sandbox.robot_part_id)',
        "FileNotFoundError",
        "paths is '*.png', which is no folder; of single files it takes a list",
    ),
    (
        "a file for the folder of an export",
        'data.export_binary_data(create_filter(), "notes.txt")',
        "FileExistsError",
        "folder is 'notes.txt', a file; name a folder, which need not exist yet",
    ),
    (
        "a folder for the file of an export",
        'data.export_tabular_data_to(create_filter(), "folder")',
        "IsADirectoryError",
        "path is a folder, 'folder'; name a file in it",
    ),
    (
        "no such folder for an export",
        'data.export_tabular_data_to(create_filter(), "nowhere/rows.csv")',
        "FileNotFoundError",
        "path is 'nowhere/rows.csv', but there is no folder '<folder>/nowhere'",
    ),
    (
        "a kind of file that is not written",
        'data.export_tabular_data_to(create_filter(), "rows.xlsx")',
        "ValueError",
        "path is 'rows.xlsx'; rows are written to files that end in .jsonl, .csv, .parquet, or give one as format",
    ),
    (
        "a query for no organization",
        'data.export_tabular_data_to("SELECT 1", "rows.csv")',
        "ValueError",
        "filter_or_query is a query, and a query is for the data of one organization; give its ID as organization_id",
    ),
    (
        "no such folder for a page",
        'data.tabular_data_by_filter(limit=1, dest="nowhere/rows.csv")',
        "FileNotFoundError",
        "dest is 'nowhere/rows.csv', but there is no folder '<folder>/nowhere'",
    ),
    (
        "one time for two",
        (
            'data.tabular_data_capture_upload([{"a": 1}], sandbox.robot_part_id, "sensor", "air", "Readings", '
            "data_request_times=[datetime(2024, 1, 1)])"
        ),
        "TypeError",
        "data_request_times[0] takes two datetimes, (requested, received), got a datetime",
    ),
    # Keys and addresses.
    (
        "a key in quotation marks",
        "DialOptions.with_api_key('\"' + sandbox.api_key + '\"', sandbox.api_key_id)",
        "ValueError",
        "api_key has quotation marks or brackets around it; give what is between them alone",
    ),
    (
        "a key's ID in quotation marks",
        'DialOptions.with_api_key(sandbox.api_key, "\'" + sandbox.api_key_id + "\'")',
        "ValueError",
        "api_key_id has quotation marks or brackets around it; give what is between them alone",
    ),
    (
        "the placeholders of an example",
        'DialOptions.with_api_key("<API-KEY>", "<API-KEY-ID>")',
        "ValueError",
        "api_key has quotation marks or brackets around it; give what is between them alone",
    ),
    (
        "a key and its ID swapped",
        "DialOptions.with_api_key(sandbox.api_key_id, sandbox.api_key)",
        "ValueError",
        (
            "api_key_id takes the key's ID, a UUID such as 9a2b4c6d-0f1e-4a3b-8c5d-7e6f5a4b3c2d, got a text of 32 "
            "characters; api_key has one, so the two may be swapped"
        ),
    ),
    (
        "a key for its ID",
        "DialOptions.with_api_key(sandbox.api_key, sandbox.api_key)",
        "ValueError",
        "api_key_id got the key itself; its ID is the UUID that is shown beside it",
    ),
    (
        "a key's name for its ID",
        'DialOptions.with_api_key(sandbox.api_key, "my key")',
        "ValueError",
        (
            "api_key_id takes the key's ID, a UUID such as 9a2b4c6d-0f1e-4a3b-8c5d-7e6f5a4b3c2d, got a text of 6 "
            "characters"
        ),
    ),
    (
        "no key",
        "DialOptions.with_api_key(None, sandbox.api_key_id)",
        "ValueError",
        "api_key is empty; copy the key from the settings page of your organization",
    ),
    (
        "a key that is only white space",
        'DialOptions.with_api_key(" ", sandbox.api_key_id)',
        "ValueError",
        "api_key is empty; copy the key from the settings page of your organization",
    ),
    (
        "a key for credentials",
        "DialOptions(credentials=sandbox.api_key)",
        "TypeError",
        "credentials takes a viam_sync.Credentials, got a str; DialOptions.with_api_key(…) makes some",
    ),
    (
        "text for a switch",
        'DialOptions(insecure="true")',
        "TypeError",
        "insecure takes a bool, got a str; write True or False, without quotation marks",
    ),
    (
        "a timeout of no time",
        "DialOptions(timeout=0)",
        "ValueError",
        "timeout takes a number of seconds above 0, got 0",
    ),
    (
        "an address for dial options",
        "ViamClient.create_from_dial_options(sandbox.url)",
        "TypeError",
        (
            "dial_options takes a viam_sync.DialOptions, got a str; an address goes into app_url, a key into "
            "DialOptions.with_api_key(…)"
        ),
    ),
    (
        "a sandbox for its dial options",
        "ViamClient.create_from_dial_options(sandbox, sandbox.url)",
        "TypeError",
        "dial_options takes a viam_sync.DialOptions, got a Sandbox; the dial_options() of the Sandbox are some",
    ),
    (
        "the class for dial options",
        "ViamClient.create_from_dial_options(DialOptions, sandbox.url)",
        "TypeError",
        "dial_options takes a viam_sync.DialOptions, got the class DialOptions itself",
    ),
    (
        "dial options without a key",
        "ViamClient.create_from_dial_options(DialOptions(), sandbox.url)",
        "ValueError",
        "dial_options has no credentials; use DialOptions.with_api_key(api_key, api_key_id)",
    ),
    (
        "an address with another scheme",
        'connect("ftp://127.0.0.1")',
        "ValueError",
        "app_url takes https://, http:// or no scheme, got 'ftp://127.0.0.1'",
    ),
    (
        "an address with one slash",
        'connect("http:/127.0.0.1")',
        "ValueError",
        "app_url takes an address such as app.viam.com or https://app.viam.com:443, got 'http:/127.0.0.1'",
    ),
    (
        "an address with a space",
        'connect("my server")',
        "ValueError",
        "app_url takes an address such as app.viam.com or https://app.viam.com:443, got 'my server'",
    ),
    (
        "a port that there is not",
        'connect("127.0.0.1:99999")',
        "ValueError",
        "app_url takes a port from 1 to 65535, got '127.0.0.1:99999'",
    ),
    (
        "https for http",
        'connect(sandbox.url.replace("http://", "https://"))',
        "InsecureConnectionError",
        (
            "127.0.0.1, port <port> speaks no TLS. If it is a server of your own, use an address that begins with "
            "http://, or DialOptions(insecure=True); credentials then travel unencrypted."
        ),
    ),
    (
        "no scheme for http",
        "connect(sandbox.address)",
        "InsecureConnectionError",
        (
            "127.0.0.1, port <port> speaks no TLS. If it is a server of your own, use an address that begins with "
            "http://, or DialOptions(insecure=True); credentials then travel unencrypted."
        ),
    ),
    (
        "http for https",
        'connect("http://127.0.0.1:%d" % tls_port)',
        "UnavailableError",
        "UNAVAILABLE: 127.0.0.1, port <tls_port> does not speak HTTP/2 without TLS; it may want https://.",
    ),
    (
        "a certificate that nobody knows",
        'connect("https://127.0.0.1:%d" % tls_port)',
        "InsecureConnectionError",
        (
            "The certificate of 127.0.0.1 cannot be trusted: unable to get local issuer certificate. Check the "
            "address and this computer's clock; for a certificate authority of your own, name its file in "
            "DialOptions(ca_certificate=...), in GRPC_DEFAULT_SSL_ROOTS_FILE_PATH or in SSL_CERT_FILE."
        ),
    ),
    (
        "a web page for an answer",
        'connect("http://127.0.0.1:%d" % web_port)',
        "UnavailableError",
        (
            "UNAVAILABLE: 127.0.0.1, port <web_port> answers with a web page, and is no gRPC service. Check the "
            "address and its port; a proxy or the login page of a network may be in between."
        ),
    ),
    (
        "a port where nothing listens",
        'connect("http://127.0.0.1:%d" % closed_port)',
        "UnavailableError",
        "UNAVAILABLE: Nothing listens at 127.0.0.1, port <closed_port>. Check the address, and that the server runs.",
    ),
    (
        "a host that has no address",
        'connect("no-such-host.invalid")',
        "UnavailableError",
        "UNAVAILABLE: no-such-host.invalid has no address. Check its spelling, and the network.",
    ),
    (
        "a key that is wrong",
        'connect(sandbox.url, key="x" * 32)',
        "UnauthenticatedError",
        (
            "UNAUTHENTICATED: The API key does not go with this ID; the sandbox prints both, and list_keys shows "
            "the IDs of an organization's keys. The credentials of '<api_key_id>' were refused: check the API key "
            "and its ID (VIAM_API_KEY and VIAM_API_KEY_ID); a key that was rotated or deleted is refused at once."
        ),
    ),
    (
        "the ID of a key that is gone",
        'connect(sandbox.url, key_id="00000000-0000-4000-8000-000000000000")',
        "UnauthenticatedError",
        (
            "UNAUTHENTICATED: No API key has this ID; the sandbox prints both, and list_keys shows the IDs of an "
            "organization's keys. The credentials of '00000000-0000-4000-8000-000000000000' were refused: check "
            "the API key and its ID (VIAM_API_KEY and VIAM_API_KEY_ID); a key that was rotated or deleted is "
            "refused at once."
        ),
    ),
    (
        "variables that are not set",
        "ViamClient.create_from_env_vars()",
        "ValueError",
        "the environment variable VIAM_API_KEY is missing; set it to what the settings page of your organization shows",
    ),
    (
        "a client that is closed",
        "closed.app_client",
        "ClosedError",
        "The client is closed; make a new one to call again.",
    ),
    (
        "a client's client after closing",
        "closed_app.list_organizations()",
        "ClosedError",
        "The client is closed; make a new one to call again.",
    ),
    (
        "an iterator after closing",
        "list(closed_rows)",
        "ClosedError",
        "The client is closed; make a new one to call again.",
    ),
    # What the cloud says.
    (
        "a robot of another organization",
        "other.app_client.get_robot(sandbox.robot_id)",
        "PermissionDeniedError",
        (
            "viam.app.v1.AppService/GetRobot: PERMISSION_DENIED: This takes the permission read_robot on the "
            "robot '<robot_id>', and your role there is: none. Ask an owner of it, or of what it is in, for a "
            "role (add_role)."
        ),
    ),
    (
        "another organization",
        "other.app_client.list_locations(sandbox.organization_id)",
        "PermissionDeniedError",
        (
            "viam.app.v1.AppService/ListLocations: PERMISSION_DENIED: You have no role in the organization "
            "'<organization_id>'. Ask an owner of it for one (add_role)."
        ),
    ),
    (
        "a query in another organization",
        'other.data_client.tabular_data_by_sql(sandbox.organization_id, "SELECT 1")',
        "PermissionDeniedError",
        (
            "viam.app.data.v1.DataService/TabularDataBySQL: PERMISSION_DENIED: This takes the permission "
            "read_organization_data_management on the organization '<organization_id>', and your role there is: "
            "none. Ask an owner of it, or of what it is in, for a role (add_role)."
        ),
    ),
    (
        "a location that is not empty",
        "app.delete_location(sandbox.location_id)",
        "FailedPreconditionError",
        (
            "viam.app.v1.AppService/DeleteLocation: FAILED_PRECONDITION: The location 'Workshop' still has "
            "machines; delete or move them first."
        ),
    ),
    (
        "the only part of a machine",
        "app.delete_robot_part(sandbox.robot_part_id)",
        "FailedPreconditionError",
        (
            "viam.app.v1.AppService/DeleteRobotPart: FAILED_PRECONDITION: The part 'rover-main' is the main part "
            "of its machine; make another one the main part first (mark_part_as_main), or delete the machine "
            "(delete_robot)."
        ),
    ),
    (
        "an empty name",
        'app.create_organization("")',
        "InvalidArgumentError",
        "viam.app.v1.AppService/CreateOrganization: INVALID_ARGUMENT: The name of the organization is empty; give one.",
    ),
    (
        "a name that is only a space",
        'app.new_robot(" ", sandbox.location_id)',
        "InvalidArgumentError",
        "viam.app.v1.AppService/NewRobot: INVALID_ARGUMENT: The name of the machine is empty; give one.",
    ),
    (
        "too many calls",
        'failing(sandbox, "RESOURCE_EXHAUSTED").get_robot(sandbox.robot_id)',
        "ResourceExhaustedError",
        (
            "viam.app.v1.AppService/GetRobot: RESOURCE_EXHAUSTED: A limit of the service is reached. Wait before "
            "you call again, or call less often. (The sandbox was told to let viam.app.v1.AppService/GetRobot "
            "fail, before it took effect.)"
        ),
    ),
    (
        "an answer that does not come",
        'failing(sandbox, "DEADLINE_EXCEEDED").get_robot(sandbox.robot_id)',
        "DeadlineExceededError",
        (
            "viam.app.v1.AppService/GetRobot: DEADLINE_EXCEEDED: The sandbox was told to let "
            "viam.app.v1.AppService/GetRobot fail, before it took effect."
        ),
    ),
    (
        "a service that is away",
        'failing(sandbox, "UNAVAILABLE").get_robot(sandbox.robot_id)',
        "UnavailableError",
        (
            "viam.app.v1.AppService/GetRobot: UNAVAILABLE: The sandbox was told to let "
            "viam.app.v1.AppService/GetRobot fail, before it took effect."
        ),
    ),
    (
        "a creation that nobody knows of",
        'unknown(sandbox, data).create_dataset("leaves", sandbox.organization_id)',
        "AmbiguousResultError",
        (
            "viam.app.dataset.v1.DatasetService/CreateDataset: UNAVAILABLE: CreateDataset may or may not have "
            "been carried out. Look, with list_datasets_by_organization_id for example, before you call it again. "
            "(The sandbox was told to let viam.app.dataset.v1.DatasetService/CreateDataset fail, after it took "
            "effect.)"
        ),
    ),
    # The sandbox.
    (
        "a sandbox that is not started, asked for its address",
        "Sandbox().url",
        "AttributeError",
        "url is set when the sandbox starts; use `with Sandbox() as sandbox:`, or start().",
    ),
    (
        "a sandbox that is not started, asked for its options",
        "Sandbox().dial_options()",
        "AttributeError",
        "api_key is set when the sandbox starts; use `with Sandbox() as sandbox:`, or start().",
    ),
    (
        "a sandbox that is not started, advanced",
        "Sandbox().advance(60)",
        "RuntimeError",
        "This sandbox is not running; use `with Sandbox() as sandbox:`, or start().",
    ),
    (
        "a sandbox that is started twice",
        "sandbox.start()",
        "RuntimeError",
        "This sandbox runs already; stop it before you start it again.",
    ),
    (
        "a method of the cloud, of the sandbox",
        "sandbox.list_robots()",
        "AttributeError",
        (
            "Sandbox has no attribute 'list_robots'; what the cloud has, a client has: "
            "ViamClient.create_from_dial_options(sandbox.dial_options(), sandbox.url)"
        ),
    ),
    (
        "text for a port",
        'Sandbox(port="8080")',
        "ValueError",
        "port takes an int from 0 to 65535, got '8080'",
    ),
    (
        "text for seconds of the sandbox",
        'sandbox.advance("1h")',
        "TypeError",
        "seconds takes a number of seconds, got '1h'",
    ),
    (
        "seconds backwards",
        "sandbox.advance(-5)",
        "ValueError",
        "seconds is -5; the clock turns forward only, and not beyond the year 9998.",
    ),
    (
        "an RPC that there is not, to fail",
        'sandbox.faults.fail("GetRobots", "UNAVAILABLE")',
        "ValueError",
        "'GetRobots' is no RPC of the cloud; did you mean GetRobot or GetRobotParts or GetRobotPart?",
    ),
    (
        "a code that there is not, to fail with",
        'sandbox.faults.fail("GetRobot", "BROKEN")',
        "ValueError",
        "'BROKEN' is no code that a call can fail with; give one such as UNAVAILABLE",
    ),
    # Imports.
    (
        "AppClient from the root",
        'exec("from viam_sync import AppClient")',
        "ImportError",
        "cannot import name 'AppClient' from 'viam_sync'; write: from viam_sync.app.app_client import AppClient",
    ),
    (
        "Sandbox from the root",
        'exec("from viam_sync import Sandbox")',
        "ImportError",
        "cannot import name 'Sandbox' from 'viam_sync'; write: from viam_sync.sandbox import Sandbox",
    ),
    (
        "a machine's client from the root",
        'exec("from viam_sync import RobotClient")',
        "ImportError",
        (
            "cannot import name 'RobotClient' from 'viam_sync': machines are driven by viam-sdk (pip install "
            "viam-sdk), which can be imported in the same process; see docs/migrating.md"
        ),
    ),
    (
        "an arm",
        'exec("from viam_sync.components.arm import Arm")',
        "ModuleNotFoundError",
        (
            "No module named 'viam_sync.components': machines are driven by viam-sdk (pip install viam-sdk), "
            "which can be imported in the same process; see docs/migrating.md"
        ),
    ),
    (
        "a stub",
        'exec("from viam_sync.proto.app import AppServiceStub")',
        "ImportError",
        (
            "cannot import name 'AppServiceStub' from 'viam_sync.proto.app': the stubs of viam-sdk are for "
            "asyncio; each RPC has a method of a client, such as ViamClient.app_client"
        ),
    ),
]

#: The same for errors of Python itself or of a library, whose words differ from version to version: a part of the text.
PYTHON_SAYS: List[Tuple[str, str, str, str]] = [
    (
        "an unknown parameter of create_filter",
        'create_filter(robot="rover")',
        "TypeError",
        "create_filter() got an unexpected keyword argument 'robot'",
    ),
    (
        "a filter's parameter in the call",
        'data.tabular_data_by_filter(robot_name="rover")',
        "TypeError",
        "tabular_data_by_filter() got an unexpected keyword argument 'robot_name'",
    ),
    (
        "a client that is called",
        "client.app_client()",
        "TypeError",
        "'AppClient' object is not callable",
    ),
    (
        "a keyword that a method lacks",
        "app.get_robot(robot=sandbox.robot_id)",
        "TypeError",
        "get_robot() got an unexpected keyword argument 'robot'",
    ),
    (
        "an argument too few",
        "app.update_robot(sandbox.robot_id)",
        "TypeError",
        "update_robot() missing 1 required positional argument: 'name'",
    ),
    (
        "an argument too many",
        "app.get_robot(sandbox.robot_id, 5)",
        "TypeError",
        "get_robot() takes 2 positional arguments but 3 were given",
    ),
    (
        "an iterator with an index",
        "data.iter_tabular_data()[0]",
        "TypeError",
        "'Pages' object is not subscriptable",
    ),
    (
        "a misspelt SELECT",
        'data.tabular_data_by_sql(sandbox.organization_id, "SELEC * FROM readings")',
        "InvalidArgumentError",
        "viam.app.data.v1.DataService/TabularDataBySQL: INVALID_ARGUMENT: Parser Error: syntax error at or near ",
    ),
    (
        "a table that there is not",
        'data.tabular_data_by_sql(sandbox.organization_id, "SELECT * FROM reading")',
        "InvalidArgumentError",
        "viam.app.data.v1.DataService/TabularDataBySQL: INVALID_ARGUMENT: Catalog Error: Table with name reading",
    ),
    (
        "a message in JSON",
        "json.dumps(robot)",
        "TypeError",
        "Object of type Robot is not JSON serializable",
    ),
    (
        "a record in JSON",
        "json.dumps(rows[0])",
        "TypeError",
        "Object of type TabularData is not JSON serializable",
    ),
    (
        "a message taken for a dict",
        'robot["name"]',
        "TypeError",
        "'Robot' object is not subscriptable",
    ),
    (
        "a message gone through",
        "list(robot)",
        "TypeError",
        "'Robot' object is not iterable",
    ),
    (
        "a row taken for a dict",
        'rows[0]["data"]',
        "TypeError",
        "'TabularData' object is not subscriptable",
    ),
    (
        "a reading one level too high",
        'rows[0].data["temperature"]',
        "KeyError",
        "'temperature'",
    ),
    (
        "a page unpacked into two",
        'exec("rows, count = data.tabular_data_by_filter(limit=1)")',
        "ValueError",
        "too many values to unpack (expected 2",
    ),
    (
        "a page taken for its rows",
        "data.tabular_data_by_filter(limit=1).data",
        "AttributeError",
        "'tuple' object has no attribute 'data'",
    ),
    (
        "an ID taken for what it is of",
        'data.create_dataset("pears", sandbox.organization_id).id',
        "AttributeError",
        "'str' object has no attribute 'id'",
    ),
    (
        "a key taken for one thing",
        'app.create_module(sandbox.organization_id, "arms").id',
        "AttributeError",
        "'tuple' object has no attribute 'id'",
    ),
    (
        "a call awaited",
        "asyncio.run(awaited_call(client))",
        "TypeError",
        "object list can't be used in 'await' expression",
    ),
    (
        "a result run as a coroutine",
        "asyncio.run(app.get_robot(sandbox.robot_id))",
        "ValueError",
        "a coroutine was expected, got id: ",
    ),
    (
        "times with and without a zone",
        "rows[0].time_requested < datetime.now(timezone.utc)",
        "TypeError",
        "can't compare offset-naive and offset-aware datetimes",
    ),
    (
        "a Timestamp and a datetime",
        "robot.last_access < datetime(2024, 1, 1)",
        "TypeError",
        "'<' not supported between instances of 'Timestamp' and",
    ),
    (
        "a client made by its class",
        "ViamClient()",
        "TypeError",
        "__init__() missing 2 required positional arguments: 'channel' and 'metadata'",
    ),
    (
        "dial options by position",
        "DialOptions(sandbox.api_key_id)",
        "TypeError",
        "__init__() takes 1 positional argument but 2 were given",
    ),
    (
        "a method printed",
        "app.list_organizations.name",
        "AttributeError",
        "'function' object has no attribute 'name'",
    ),
]
