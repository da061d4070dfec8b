"""Calls about fragments."""


def create(owner, sandbox, name="base", **fields):
    return owner.CreateFragment(**{"organization_id": sandbox.organization_id, "name": name, **fields}).fragment


def update(owner, fragment, **fields):
    return owner.UpdateFragment(**{"id": fragment.id, "name": fragment.name, **fields}).fragment


def get(owner, fragment, **fields):
    return owner.GetFragment(id=fragment.id, **fields).fragment


def including(*fragments, version=""):
    return {"fragments": [{"id": each.id, **({"version": version} if version else {})} for each in fragments]}


def use(caller, location_id, fragment, name="user", version=""):
    """Make a machine whose main part uses a fragment, and return the ID of the part."""
    robot_id = caller.NewRobot(name=name, location=location_id).id
    (part,) = caller.GetRobotParts(robot_id=robot_id).parts
    caller.UpdateRobotPart(id=part.id, name=part.name, robot_config=including(fragment, version=version))
    return part.id
