"""The tables of the sandbox's database."""

from __future__ import annotations

#: The layout below; a database of a newer one is refused.
LAYOUT = 1

# A body is the message that a client gets, less what follows from other rows. The columns beside it
# are what a query must see, and say the same.
TABLES = """
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE users (
    id TEXT PRIMARY KEY, email TEXT NOT NULL UNIQUE COLLATE NOCASE, last_login INTEGER);
CREATE TABLE organizations (
    id TEXT PRIMARY KEY, namespace TEXT UNIQUE, body BLOB NOT NULL, metadata BLOB NOT NULL DEFAULT x'');
CREATE TABLE invites (
    organization_id TEXT NOT NULL REFERENCES organizations ON DELETE CASCADE,
    email TEXT NOT NULL COLLATE NOCASE, body BLOB NOT NULL, PRIMARY KEY (organization_id, email));
CREATE TABLE locations (
    id TEXT PRIMARY KEY, organization_id TEXT NOT NULL REFERENCES organizations ON DELETE CASCADE,
    parent_id TEXT REFERENCES locations, body BLOB NOT NULL, metadata BLOB NOT NULL DEFAULT x'');
CREATE INDEX locations_by_organization ON locations (organization_id);
CREATE INDEX locations_by_parent ON locations (parent_id);
CREATE TABLE shares (
    location_id TEXT NOT NULL REFERENCES locations ON DELETE CASCADE,
    organization_id TEXT NOT NULL REFERENCES organizations ON DELETE CASCADE,
    PRIMARY KEY (location_id, organization_id));
CREATE INDEX shares_by_organization ON shares (organization_id);
CREATE TABLE robots (
    id TEXT PRIMARY KEY, location_id TEXT NOT NULL REFERENCES locations,
    name TEXT NOT NULL, body BLOB NOT NULL, metadata BLOB NOT NULL DEFAULT x'', UNIQUE (location_id, name));
CREATE TABLE parts (
    id TEXT PRIMARY KEY, robot_id TEXT NOT NULL REFERENCES robots ON DELETE CASCADE,
    name TEXT NOT NULL, main INTEGER NOT NULL, restart INTEGER NOT NULL DEFAULT 0,
    body BLOB NOT NULL, metadata BLOB NOT NULL DEFAULT x'', UNIQUE (robot_id, name));
CREATE TABLE history (
    id INTEGER PRIMARY KEY AUTOINCREMENT, part_id TEXT NOT NULL REFERENCES parts ON DELETE CASCADE,
    edited INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX history_by_part ON history (part_id, id);
CREATE TABLE secrets (
    id TEXT PRIMARY KEY, location_id TEXT REFERENCES locations ON DELETE CASCADE,
    part_id TEXT REFERENCES parts ON DELETE CASCADE, body BLOB NOT NULL);
CREATE INDEX secrets_by_location ON secrets (location_id);
CREATE INDEX secrets_by_part ON secrets (part_id);
CREATE TABLE keys (
    id TEXT PRIMARY KEY, key TEXT NOT NULL, name TEXT NOT NULL, created INTEGER NOT NULL,
    user_id TEXT NOT NULL REFERENCES users ON DELETE CASCADE, organization_id TEXT NOT NULL);
CREATE TABLE grants (
    id INTEGER PRIMARY KEY AUTOINCREMENT, identity_id TEXT NOT NULL, role TEXT NOT NULL,
    resource_type TEXT NOT NULL, resource_id TEXT NOT NULL, created INTEGER NOT NULL,
    user_id TEXT REFERENCES users ON DELETE CASCADE,
    key_id TEXT REFERENCES keys ON DELETE CASCADE,
    organization_id TEXT NOT NULL REFERENCES organizations ON DELETE CASCADE,
    location_id TEXT REFERENCES locations ON DELETE CASCADE,
    robot_id TEXT REFERENCES robots ON DELETE CASCADE,
    UNIQUE (identity_id, role, resource_id));
CREATE INDEX grants_by_organization ON grants (organization_id);
CREATE INDEX grants_by_resource ON grants (resource_id);
CREATE INDEX grants_by_key ON grants (key_id);
CREATE INDEX grants_by_location ON grants (location_id);
CREATE INDEX grants_by_robot ON grants (robot_id);
CREATE TABLE favorites (
    user_id TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
    robot_id TEXT NOT NULL REFERENCES robots ON DELETE CASCADE,
    created INTEGER NOT NULL, PRIMARY KEY (user_id, robot_id));
-- What captured data has in common: where it came from. Names are those of the time of capture, and what
-- was captured stays when its machine moves or goes.
CREATE TABLE captures (
    id INTEGER PRIMARY KEY, body BLOB NOT NULL UNIQUE,
    organization_id TEXT NOT NULL REFERENCES organizations ON DELETE CASCADE,
    location_id TEXT NOT NULL, robot_id TEXT NOT NULL, robot_name TEXT NOT NULL, part_id TEXT NOT NULL,
    part_name TEXT NOT NULL, component_type TEXT NOT NULL, component_name TEXT NOT NULL, method TEXT NOT NULL,
    mime_type TEXT NOT NULL);
CREATE INDEX captures_by_organization ON captures (organization_id);
CREATE TABLE capture_tags (
    capture_id INTEGER NOT NULL REFERENCES captures ON DELETE CASCADE, tag TEXT NOT NULL,
    PRIMARY KEY (capture_id, tag)) WITHOUT ROWID;
-- Tabular data: times are in microseconds since 1970, the body is a Struct.
CREATE TABLE readings (
    id INTEGER PRIMARY KEY AUTOINCREMENT, capture_id INTEGER NOT NULL REFERENCES captures ON DELETE CASCADE,
    requested INTEGER NOT NULL, received INTEGER NOT NULL, synced INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX readings_by_time ON readings (requested, id);
CREATE INDEX readings_by_capture ON readings (capture_id, requested, id);
-- Binary data: the contents are in a file of the folder blobs, named by file_id; the body is a BinaryMetadata less
-- what the columns and the tables below say.
CREATE TABLE files (
    id INTEGER PRIMARY KEY AUTOINCREMENT, file_id TEXT NOT NULL UNIQUE,
    capture_id INTEGER NOT NULL REFERENCES captures ON DELETE CASCADE,
    requested INTEGER NOT NULL, received INTEGER NOT NULL, size INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX files_by_time ON files (requested, id);
CREATE INDEX files_by_capture ON files (capture_id, requested, id);
CREATE TABLE file_tags (
    file INTEGER NOT NULL REFERENCES files ON DELETE CASCADE, tag TEXT NOT NULL,
    PRIMARY KEY (file, tag)) WITHOUT ROWID;
CREATE INDEX file_tags_by_tag ON file_tags (tag, file);
CREATE TABLE boxes (
    id TEXT PRIMARY KEY, file INTEGER NOT NULL REFERENCES files ON DELETE CASCADE, label TEXT NOT NULL,
    body BLOB NOT NULL);
CREATE INDEX boxes_by_file ON boxes (file);
CREATE TABLE datasets (
    id TEXT PRIMARY KEY, organization_id TEXT NOT NULL REFERENCES organizations ON DELETE CASCADE,
    name TEXT NOT NULL, body BLOB NOT NULL, UNIQUE (organization_id, name));
CREATE TABLE dataset_files (
    dataset_id TEXT NOT NULL REFERENCES datasets ON DELETE CASCADE,
    file INTEGER NOT NULL REFERENCES files ON DELETE CASCADE, PRIMARY KEY (dataset_id, file)) WITHOUT ROWID;
CREATE INDEX dataset_files_by_file ON dataset_files (file);
"""

#: The ID of every content that a row names.
BLOBS = "SELECT file_id AS id FROM files"
