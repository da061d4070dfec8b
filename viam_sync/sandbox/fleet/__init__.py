"""Organizations, members, keys, roles, locations, machines, parts, fragments and logs."""
