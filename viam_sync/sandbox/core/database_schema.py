"""The schema of the sandbox's database."""

from __future__ import annotations

#: The version of the schema below; a database with a newer one is rejected.
LAYOUT = 1

# A body is the serialized message that a client gets, without the fields that are derived from other rows. The columns
# beside it repeat the fields that queries need.
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
-- The logs of parts: level is an index into LOG_LEVELS, source the name of the logger, and folded the case-folded
-- message.
CREATE TABLE logs (
    id INTEGER PRIMARY KEY AUTOINCREMENT, part_id TEXT NOT NULL REFERENCES parts ON DELETE CASCADE,
    logged INTEGER NOT NULL, level INTEGER NOT NULL, source TEXT NOT NULL, user_facing INTEGER NOT NULL,
    folded TEXT NOT NULL, body BLOB NOT NULL);
CREATE INDEX logs_by_part ON logs (part_id, id);
CREATE INDEX logs_by_time ON logs (part_id, logged, id);
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
-- The origin that readings or files have in common. Names are those at the time of capture, and the data stays when its
-- machine is moved or deleted.
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
-- Tabular data: times are in microseconds since the epoch, the body is a Struct.
CREATE TABLE readings (
    id INTEGER PRIMARY KEY AUTOINCREMENT, capture_id INTEGER NOT NULL REFERENCES captures ON DELETE CASCADE,
    requested INTEGER NOT NULL, received INTEGER NOT NULL, synced INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX readings_by_time ON readings (requested, id, capture_id);
CREATE INDEX readings_by_capture ON readings (capture_id, requested, id);
-- The host names of organizations' databases, for tools that connect to them directly.
CREATE TABLE databases (
    organization_id TEXT PRIMARY KEY REFERENCES organizations ON DELETE CASCADE, name TEXT NOT NULL);
-- Binary data: the contents are in the blob named by file_id; the body is a BinaryMetadata without the fields that the
-- columns and the tables below hold.
CREATE TABLE files (
    id INTEGER PRIMARY KEY AUTOINCREMENT, file_id TEXT NOT NULL UNIQUE,
    capture_id INTEGER NOT NULL REFERENCES captures ON DELETE CASCADE,
    requested INTEGER NOT NULL, received INTEGER NOT NULL, size INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX files_by_time ON files (requested, id);
CREATE INDEX files_by_capture ON files (capture_id, requested, id);
CREATE TABLE file_tags (
    file INTEGER NOT NULL REFERENCES files ON DELETE CASCADE, tag TEXT NOT NULL, PRIMARY KEY (file, tag));
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
-- The status of a job is as of its last update; at the time due it enters the next one. A job that has ended has no
-- such time. The failure is the reason why the job will fail, or empty.
CREATE TABLE training_jobs (
    id TEXT PRIMARY KEY, organization_id TEXT NOT NULL REFERENCES organizations ON DELETE CASCADE,
    model_name TEXT NOT NULL, model_version TEXT NOT NULL, status INTEGER NOT NULL, created INTEGER NOT NULL,
    due INTEGER, failure TEXT NOT NULL, body BLOB NOT NULL);
CREATE INDEX training_jobs_by_organization ON training_jobs (organization_id, created);
CREATE INDEX training_jobs_by_due ON training_jobs (due) WHERE due IS NOT NULL;
-- The payment method and the tier of an organization; one without a row has no payment method yet.
CREATE TABLE billing (
    id TEXT PRIMARY KEY REFERENCES organizations ON DELETE CASCADE, body BLOB NOT NULL);
CREATE TABLE invoices (
    id TEXT PRIMARY KEY, organization_id TEXT NOT NULL REFERENCES organizations ON DELETE CASCADE,
    created INTEGER NOT NULL, description TEXT NOT NULL, subtotal REAL NOT NULL, tax REAL NOT NULL, body BLOB NOT NULL);
CREATE INDEX invoices_by_organization ON invoices (organization_id, created);
-- The organization that pays for a location, where it is not the owner but one that the location is shared with.
CREATE TABLE payers (
    location_id TEXT PRIMARY KEY, organization_id TEXT NOT NULL,
    FOREIGN KEY (location_id, organization_id) REFERENCES shares (location_id, organization_id) ON DELETE CASCADE);
CREATE INDEX payers_by_share ON payers (organization_id, location_id);
-- The device that is being set up: its status, and the credentials that it was given but does not use yet.
CREATE TABLE device (id TEXT PRIMARY KEY, body BLOB NOT NULL);
-- The current version of a fragment, without the fields that are derived from its organization and its usage. Each save
-- adds a revision, the first save too; its body is the fragment as it was then, and the editor is an AuthenticatorInfo.
CREATE TABLE fragments (
    id TEXT PRIMARY KEY, organization_id TEXT NOT NULL REFERENCES organizations ON DELETE CASCADE,
    name TEXT NOT NULL, visibility INTEGER NOT NULL, body BLOB NOT NULL, UNIQUE (organization_id, name));
CREATE TABLE fragment_revisions (
    id INTEGER PRIMARY KEY AUTOINCREMENT, fragment_id TEXT NOT NULL REFERENCES fragments ON DELETE CASCADE,
    revision TEXT NOT NULL, created INTEGER NOT NULL, editor BLOB NOT NULL, body BLOB NOT NULL,
    UNIQUE (fragment_id, revision));
CREATE TABLE fragment_tags (
    fragment_id TEXT NOT NULL, tag TEXT NOT NULL, revision TEXT NOT NULL, PRIMARY KEY (fragment_id, tag),
    FOREIGN KEY (fragment_id, revision) REFERENCES fragment_revisions (fragment_id, revision) ON DELETE CASCADE);
-- Modules, models and training scripts: the body is a RegistryItem without its versions and the fields that are derived
-- from its organization and its usage. The row of a deleted item stays, since its name cannot be used again.
CREATE TABLE items (
    id INTEGER PRIMARY KEY AUTOINCREMENT, organization_id TEXT NOT NULL REFERENCES organizations ON DELETE CASCADE,
    name TEXT NOT NULL, type INTEGER NOT NULL, visibility INTEGER NOT NULL, deleted INTEGER NOT NULL DEFAULT 0,
    body BLOB NOT NULL, UNIQUE (organization_id, name));
CREATE VIEW registry AS
    SELECT i.*, o.namespace, COALESCE(o.namespace, o.id) AS prefix,
        COALESCE(o.namespace, o.id) || ':' || i.name AS item_id
    FROM items i JOIN organizations o ON o.id = i.organization_id WHERE NOT i.deleted;
-- The body is a ModuleVersion without its files; other types of items have an empty one.
CREATE TABLE item_versions (
    item INTEGER NOT NULL REFERENCES items ON DELETE CASCADE, version TEXT NOT NULL, created INTEGER NOT NULL,
    body BLOB NOT NULL DEFAULT x'', PRIMARY KEY (item, version));
CREATE TABLE module_files (
    file_id TEXT PRIMARY KEY, item INTEGER NOT NULL, version TEXT NOT NULL, platform TEXT NOT NULL,
    uploaded INTEGER NOT NULL, UNIQUE (item, version, platform),
    FOREIGN KEY (item, version) REFERENCES item_versions (item, version) ON DELETE CASCADE);
"""

#: A query for the ID of every blob that a row names.
BLOBS = "SELECT file_id AS id FROM files UNION ALL SELECT file_id FROM module_files"

#: The tables that only the database of a sandbox has together, whatever its version.
MARK = frozenset({"settings", "organizations", "locations", "robots", "parts", "captures", "files", "module_files"})

# The blobs that no row names: those being written, and those whose row was deleted and whose file still has to be. A
# database of an older version gets the list when it is opened; the layout is the same for that version.
_LEFTOVERS = "CREATE TABLE IF NOT EXISTS leftover_blobs (id TEXT PRIMARY KEY) WITHOUT ROWID;"
_BOOKKEEPING = """
CREATE TRIGGER IF NOT EXISTS {0}_added AFTER INSERT ON {0} BEGIN
    DELETE FROM leftover_blobs WHERE id = NEW.file_id; END;
CREATE TRIGGER IF NOT EXISTS {0}_deleted AFTER DELETE ON {0} BEGIN
    INSERT OR IGNORE INTO leftover_blobs VALUES (OLD.file_id); END;
"""

#: The statements that every opening of a database runs.
LEFTOVERS = "".join([_LEFTOVERS, *(_BOOKKEEPING.format(table) for table in ("files", "module_files"))])
