//! Databases on a server. Each under a rush with all three services on one `PostgreSQL`.

rows! {
    database "PostgreSQL";

    KILLED = "PostgreSQL is killed, and started again" {
        customer: "Within a second 201, or 503 or 504 with `Retry-After`",
        owner: "The log says `a turn was rolled back`; `/health/ready` is 503 with the reason meanwhile. No process has to be started again by hand",
        others: "All three wait for the same server, and go on when it is back",
        shown_by: [
            "tests/system/tests/database_faults/gone.rs" => ["the_server_is_killed_and_started_again"],
            "libs/store/tests/conformance/server.rs" => ["a_server_that_was_killed_is_busy_until_it_is_back"],
        ],
        simulated: [],
    }

    FROZEN = "PostgreSQL is frozen for 10 s" {
        customer: "Within a second 201, or 503 or 504 with `Retry-After`",
        owner: "The same",
        others: "All three wait for the same server, and go on when it does",
        shown_by: [
            "tests/system/tests/database_faults/gone.rs" => ["the_server_is_frozen_for_ten_seconds"],
            "libs/store/tests/conformance/server.rs" => ["an_answer_that_does_not_come_is_not_waited_for"],
        ],
        simulated: [],
    }

    PARTED = "the order service is cut off from PostgreSQL: reset, stalled, or with one direction only" {
        customer: "Within a second 201, or 503 or 504 with `Retry-After`",
        owner: "The same of order; staff are answered 200 by payment and barista within a second",
        others: "Go on with their own connections",
        shown_by: ["tests/system/tests/database_faults/partitioned.rs" => ["order_is_cut_off_from_its_database_in_each_way"]],
        simulated: [],
    }

    LOCKED = "a stranger locks a table of order's for half a minute" {
        customer: "Within a second 503 or 504 with `Retry-After`, for as long as it is locked",
        owner: "The same of order; staff are answered 200 by payment and barista within a second",
        others: "Go on",
        shown_by: [
            "tests/system/tests/database_faults/locked.rs" => [
                "orders_are_locked_for_half_a_minute",
                "the_head_of_orders_outbox_is_locked_for_half_a_minute",
            ],
            "libs/store/tests/conformance/server.rs" => ["a_lock_that_somebody_else_holds_for_long_is_not_waited_for"],
        ],
        simulated: [],
    }

    NO_CONNECTIONS = "PostgreSQL ends our connections, and a stranger takes every one it has" {
        customer: "Within a second 201, or 503 or 504 with `Retry-After`",
        owner: "The same as when it is killed; connections are made again by themselves",
        others: "All three go on when there are connections again",
        shown_by: [
            "tests/system/tests/database_faults/connections.rs" => ["a_stranger_takes_every_connection"],
            "libs/store/tests/conformance/server.rs" => [
                "a_server_out_of_connections_is_busy",
                "a_connection_that_was_lost_between_transactions_is_replaced_and_within_one_is_told",
            ],
        ],
        simulated: [],
    }

    COMMIT_UNANSWERED = "the answer to a COMMIT is lost" {
        customer: "The truth: the commit is looked up. Where that cannot be had in time 504 `outcome-unknown`, `Retry-After: 1`; the same key gives the one order",
        owner: "The log says `a turn was rolled back` with the reason, where it could not be had",
        others: "Hear what was committed, once",
        shown_by: [
            "libs/store/tests/conformance/server.rs" => [
                "a_commit_whose_answer_is_lost_is_unknown",
                "what_was_committed_is_not_tried_again_on_another_connection_nor_told_to_be_undone",
            ],
            "libs/web/src/common/tests.rs" => ["a_turn_that_does_not_answer_is_told_by_what_to_do"],
        ],
        simulated: ["commits and is not told", "does not commit and is not told"],
    }
}
