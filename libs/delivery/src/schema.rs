//! The tables that every service has beside its own. `outbox` and `outbox_head` are public: peers and the audit read them,
//! so columns are only ever added.

use cafe_store::Migration;

/// Run before an app's own migrations.
pub const MIGRATIONS: &[Migration] = &[
    Migration { name: "delivery/0001_delivery", sql: TABLES },
    Migration { name: "delivery/0002_replicas", sql: REPLICAS },
    Migration { name: "delivery/0003_moved", sql: MOVED },
    Migration { name: "delivery/0004_last_parked", sql: LAST_PARKED },
];

/// The highest number of an event that is not set aside any more, where the database would give it to another one; nothing before
/// the first.
const LAST_PARKED: &str = "ALTER TABLE outbox_head ADD COLUMN last_parked INTEGER";

/// Where this database was moved to, as [`crate::Moved`] in JSON; nothing while it is the one that counts.
const MOVED: &str = "ALTER TABLE outbox_head ADD COLUMN moved_to TEXT";

const TABLES: &str = "
        CREATE TABLE outbox (
            position INTEGER PRIMARY KEY,
            order_id TEXT NOT NULL,
            version INTEGER NOT NULL,
            kind TEXT NOT NULL,
            at_ms INTEGER NOT NULL,
            body TEXT NOT NULL,
            traceparent TEXT
        ) STRICT;
        CREATE UNIQUE INDEX outbox_once ON outbox (order_id, version);

        CREATE TABLE outbox_head (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            log_id TEXT NOT NULL,
            oldest INTEGER NOT NULL,
            last INTEGER NOT NULL,
            restored_at_ms INTEGER
        ) STRICT;
        INSERT INTO outbox_head (id, log_id, oldest, last) VALUES (1, '', 1, 0);

        CREATE TABLE positions (
            source TEXT NOT NULL,
            part INTEGER NOT NULL,
            log_id TEXT NOT NULL,
            position INTEGER NOT NULL,
            epoch INTEGER NOT NULL,
            PRIMARY KEY (source, part)
        ) STRICT;

        CREATE TABLE heard (
            order_id TEXT NOT NULL,
            source TEXT NOT NULL,
            next_version INTEGER NOT NULL,
            hashes TEXT NOT NULL,
            held INTEGER NOT NULL,
            PRIMARY KEY (order_id, source)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE held (
            order_id TEXT NOT NULL,
            source TEXT NOT NULL,
            version INTEGER NOT NULL,
            position INTEGER NOT NULL,
            kind TEXT NOT NULL,
            at_ms INTEGER NOT NULL,
            body TEXT NOT NULL,
            traceparent TEXT,
            PRIMARY KEY (order_id, source, version)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE parked (
            id INTEGER PRIMARY KEY,
            event TEXT NOT NULL UNIQUE,
            source TEXT NOT NULL,
            position INTEGER NOT NULL,
            order_id TEXT,
            version INTEGER,
            kind TEXT NOT NULL,
            at_ms INTEGER NOT NULL,
            body TEXT NOT NULL,
            traceparent TEXT,
            reason TEXT NOT NULL,
            parked_at_ms INTEGER NOT NULL
        ) STRICT;
    ";

/// `positions.epoch` says under which lease a position was moved last. `next_offset` is where a log that is kept by a broker
/// is read on; nothing where it is not known yet. `lease` says which replica listens and works, `replicas` which turn of each
/// was committed last.
const REPLICAS: &str = "
        ALTER TABLE positions ADD COLUMN next_offset INTEGER;

        CREATE TABLE lease (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            replica TEXT NOT NULL,
            epoch INTEGER NOT NULL,
            beats INTEGER NOT NULL
        ) STRICT;
        INSERT INTO lease (id, replica, epoch, beats) VALUES (1, '', 0, 0);

        CREATE TABLE replicas (
            replica TEXT PRIMARY KEY,
            turn INTEGER NOT NULL,
            at_ms INTEGER NOT NULL
        ) STRICT;
    ";
