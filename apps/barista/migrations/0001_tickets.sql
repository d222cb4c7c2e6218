CREATE TABLE tickets (
    order_id TEXT PRIMARY KEY,
    store TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    queued_at_ms INTEGER NOT NULL,
    -- 'queued', 'making' or 'ready'; nothing once it has left the queue.
    open_status TEXT,
    -- Only while it waits to be picked up.
    ready_at_ms INTEGER,
    -- JSON, the whole ticket.
    state TEXT NOT NULL
) STRICT;

CREATE INDEX tickets_open ON tickets (store, sequence, open_status, queued_at_ms) WHERE open_status IS NOT NULL;
CREATE INDEX tickets_ready ON tickets (ready_at_ms) WHERE ready_at_ms IS NOT NULL;

-- The last place that was given in each store's queue.
CREATE TABLE queues (
    store TEXT PRIMARY KEY,
    last_sequence INTEGER NOT NULL
) STRICT;
