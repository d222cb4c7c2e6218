//! Processes that end, stand still or go wrong.

rows! {
    process "Processes";

    ORDER_KILLED = "the order service is killed" {
        customer: "Connections are refused until it is back: on one machine for half a second at most",
        owner: "`cafe up` logs `the order service was ended by signal 9; starting it again`",
        others: "Go on in the same processes",
        shown_by: [
            "tests/system/tests/isolation/killed.rs" => ["order_killed_at_five_moments_is_back_in_half_a_second_each_time"],
            "tests/system/tests/rungs/killed.rs" => [
                "each_service_is_killed_with_databases_on_a_server",
                "each_service_is_killed_with_kafka_between_them",
            ],
            "apps/cafe/tests/program/restarting.rs" => ["a_killed_service_serves_again_within_half_a_second_and_the_others_never_notice"],
        ],
        simulated: ["dies between two steps" of "order"],
    }

    PAYMENT_KILLED = "the payment service is killed" {
        customer: "Orders are answered 201 within a second; `paid` comes later",
        owner: "`cafe up` logs `the payment service was ended by signal 9; starting it again`",
        others: "Go on in the same processes; what they announced meanwhile is heard when it is back",
        shown_by: [
            "tests/system/tests/isolation/killed.rs" => ["payment_killed_at_five_moments_stops_no_customer"],
            "tests/system/tests/rungs/killed.rs" => [
                "each_service_is_killed_with_databases_on_a_server",
                "each_service_is_killed_with_kafka_between_them",
            ],
            "apps/cafe/tests/program/restarting.rs" => ["a_killed_service_serves_again_within_half_a_second_and_the_others_never_notice"],
        ],
        simulated: ["dies between two steps" of "payment"],
    }

    BARISTA_KILLED = "the barista service is killed" {
        customer: "Orders are answered 201 within a second; they are made later",
        owner: "`cafe up` logs `the barista service was ended by signal 9; starting it again`",
        others: "Go on in the same processes; what they announced meanwhile is heard when it is back",
        shown_by: [
            "tests/system/tests/isolation/killed.rs" => ["barista_killed_at_five_moments_stops_no_customer"],
            "tests/system/tests/rungs/killed.rs" => [
                "each_service_is_killed_with_databases_on_a_server",
                "each_service_is_killed_with_kafka_between_them",
            ],
            "apps/cafe/tests/program/restarting.rs" => ["a_killed_service_serves_again_within_half_a_second_and_the_others_never_notice"],
        ],
        simulated: ["dies between two steps" of "barista"],
    }

    ALL_KILLED = "all three services are killed at once" {
        customer: "Connections are refused until the order service is back",
        owner: "`cafe up` starts all three again, and logs a line for each",
        others: "Each reads on from where it was",
        shown_by: [
            "tests/system/tests/isolation/killed.rs" => ["all_three_killed_at_once_come_back_with_everything"],
            "tests/system/tests/rungs/killed.rs" => ["all_three_are_killed_at_once_with_both"],
        ],
        simulated: [],
    }

    DIES_AGAIN = "a service dies again and again" {
        customer: "The same as if it died once, for longer each time",
        owner: "It is started again at once, then after 0.1 s and twice as long each time, 10 s at most; after 5 s of health at once again. A line in the log each time",
        others: "Go on",
        shown_by: [
            "apps/cafe/tests/program/restarting.rs" => ["a_service_that_dies_again_and_again_is_started_again_and_again"],
            "apps/cafe/src/up/restarts.rs" => ["the_first_restart_is_at_once_then_they_wait_longer_and_health_forgives"],
        ],
        simulated: [],
    }

    DIES_IN_COMMIT = "a service dies inside a commit: before it, in it, with it written and not synced, or before it tells of it" {
        customer: "Is not told. The same key gives the order that was committed, or else a new one",
        owner: "It is started again; no half of a commit is there",
        others: "Hear what is on disk, and nothing else",
        shown_by: [],
        simulated: [
            "dies before it commits",
            "dies while it commits",
            "dies with a commit unsynced",
            "dies before it answers",
        ],
    }

    PAYMENT_ENDS_ASKING = "the payment service ends while the vendor is being asked" {
        customer: "`placed` until the charge is found or can no longer come; charged once at most",
        owner: "`GET /payments/{order_id}` says `unknown`; it is looked up at once after the start, and not asked again before that is settled",
        others: "Hear nothing before the outcome is certain",
        shown_by: [
            "apps/payment/tests/payment/restart.rs" => [
                "an_open_attempt_is_looked_up_at_once_and_found",
                "not_found_right_after_a_restart_proves_nothing",
            ],
        ],
        simulated: ["dies while the vendor is asked"],
    }

    NEIGHBOURS_DEAD = "payment and barista are dead, and nobody starts them" {
        customer: "Orders are answered 201 within a second and stay `placed`",
        owner: "They do not answer; once they are started they take up everything that waits",
        others: "Order goes on",
        shown_by: [
            "tests/system/tests/isolation/alone.rs" => ["orders_are_taken_while_both_neighbours_are_dead_and_made_once_they_are_back"],
            "tests/system/tests/rungs/alone.rs" => ["orders_are_taken_while_both_neighbours_are_dead_and_made_once_they_are_back"],
            "apps/payment/tests/payment/restart.rs" => ["what_was_placed_while_it_was_away_is_paid_when_it_is_back"],
        ],
        simulated: [],
    }

    PAYMENT_BEHIND = "nothing is heard of payment for minutes" {
        customer: "From half of the time to pay on (5 of 10 minutes): 201 with `payment_delayed` and a notice. From four fifths on (8): 503 `payment-stuck`, `Retry-After: 30`; who had ordered before and sends it again gets that order",
        owner: "The same answers",
        others: "Hear of no order that was refused",
        shown_by: [
            "apps/order/tests/http/overload.rs" => [
                "customers_are_told_when_payment_is_slow",
                "orders_that_would_expire_are_not_taken_but_repeated_ones_are_answered",
                "an_order_that_payment_has_passed_by_keeps_nobody_waiting",
            ],
        ],
        simulated: [],
    }

    ORDER_FROZEN = "the order service is frozen for 10 s" {
        customer: "No answer until it goes on, and then the order",
        owner: "Nothing is started again: `cafe up` waits for 15 s",
        others: "Go on",
        shown_by: ["tests/system/tests/isolation/frozen.rs" => ["order_frozen_for_ten_seconds_goes_on_where_it_was"]],
        simulated: ["is frozen" of "order"],
    }

    PAYMENT_FROZEN = "the payment service is frozen for 10 s" {
        customer: "Orders are answered 201 within a second; `paid` comes later",
        owner: "Nothing is started again: `cafe up` waits for 15 s",
        others: "Go on; what they announced meanwhile is heard afterwards",
        shown_by: ["tests/system/tests/isolation/frozen.rs" => ["payment_frozen_for_ten_seconds_stops_no_customer"]],
        simulated: ["is frozen" of "payment"],
    }

    BARISTA_FROZEN = "the barista service is frozen for 10 s" {
        customer: "Orders are answered 201 within a second; they are made later",
        owner: "Nothing is started again: `cafe up` waits for 15 s",
        others: "Go on; what they announced meanwhile is heard afterwards",
        shown_by: ["tests/system/tests/isolation/frozen.rs" => ["barista_frozen_for_ten_seconds_stops_no_customer"]],
        simulated: ["is frozen" of "barista"],
    }

    BOARD_CUT_OFF = "the barista service is killed or frozen while customers look at the pickup board" {
        customer: "Within about 5 s the board says since when it may be out of date, in both languages, and dims its numbers. It recovers by itself, and calls what became ready meanwhile once",
        owner: "The same on the board",
        others: "Go on in the same processes",
        shown_by: [
            "tests/browser/tests/board/news.rs" => [
                "a_board_whose_service_is_gone_says_since_when_and_recovers_by_itself",
                "a_board_that_hears_nothing_over_a_connection_that_holds_says_so_too",
            ],
        ],
        simulated: [],
    }

    DISPLAY_CUT_OFF = "the barista service is killed or frozen while staff look at the barista's display" {
        customer: "Nothing",
        owner: "Within about 5 s the display says since when orders may be missing on it, and never that there is nothing to make. What is touched meanwhile is not done, and it says so. It recovers by itself",
        others: "Go on",
        shown_by: [
            "tests/browser/tests/display/news.rs" => [
                "a_display_whose_service_is_gone_never_says_that_all_is_done_and_recovers_by_itself",
                "a_display_that_hears_nothing_over_a_connection_that_holds_says_so_too",
                "what_cannot_be_sent_is_told_and_can_be_touched_again",
            ],
        ],
        simulated: [],
    }

    DISPLAY_ALONE = "the order and payment services are dead while staff look at the barista's display" {
        customer: "Connections to them are refused",
        owner: "What was paid is made and handed over as if nothing had happened",
        others: "Barista goes on in the same process",
        shown_by: [
            "tests/browser/tests/display/news.rs" => ["a_display_works_while_the_other_two_services_are_dead"],
        ],
        simulated: [],
    }

    BOARD_ALONE = "the order and payment services are dead while customers look at the pickup board" {
        customer: "The board goes on as if nothing had happened",
        owner: "Connections to them are refused",
        others: "Barista goes on in the same process",
        shown_by: ["tests/browser/tests/board/news.rs" => ["a_board_works_while_the_other_two_services_are_dead"]],
        simulated: [],
    }

    FROZEN_FOR_GOOD = "the payment service is frozen and stays so" {
        customer: "Orders are taken; `paid` comes later",
        owner: "`cafe doctor` says `FAIL`; after 15 s `cafe up` logs `the payment service does not answer; killing it`, and starts it again",
        others: "Answer meanwhile",
        shown_by: [
            "apps/cafe/tests/program/restarting.rs" => ["a_frozen_service_is_killed_and_starts_again"],
            "apps/cafe/tests/program/doctor.rs" => ["a_frozen_service_a_damaged_database_and_a_mistyped_variable_are_found"],
        ],
        simulated: [],
    }

    READER_STOPPED = "a listener is stopped inside a read of another's file, whose log then can only grow" {
        customer: "Orders are answered 201 within a second",
        owner: "Past `--wal-limit-mb` (256) `cafe up` kills the listener, logs that it pins the log, and starts it again; the log stays below twice the limit",
        others: "The one that was stopped hears on from where it was",
        shown_by: [
            "tests/system/tests/isolation/reading.rs" => ["a_listener_stopped_inside_its_read_is_ended_before_its_peers_log_grows_without_bounds"],
            "apps/cafe/src/up/wal_watch.rs" => ["the_holder_is_killed_and_a_silent_listener_where_locks_are_not_told"],
        ],
        simulated: [],
    }

    UP_KILLED = "`cafe up` itself is killed" {
        customer: "Nothing",
        owner: "Who dies meanwhile stays dead. The next `cafe up` takes over the processes that still run, and starts the rest",
        others: "Go on in the same processes",
        shown_by: [
            "tests/system/tests/isolation/supervisor.rs" => ["up_is_killed_its_children_go_on_and_the_next_up_adopts_them"],
            "apps/cafe/tests/program/adopting.rs" => [
                "services_go_on_without_up_and_the_next_up_adopts_them",
                "what_died_while_nobody_watched_is_started",
            ],
        ],
        simulated: [],
    }

    TERMINAL_CLOSED = "the terminal of `cafe up` is closed" {
        customer: "Nothing",
        owner: "The log ends with `the terminal was closed: the services go on, watched over by nobody; the next cafe up takes them over`. Under `nohup` all stays as it was",
        others: "Go on in the same processes",
        shown_by: [
            "apps/cafe/tests/program/adopting.rs" => [
                "a_terminal_that_is_closed_leaves_the_cafe_open_and_the_next_up_adopts_it",
                "under_nohup_a_terminal_that_is_closed_changes_nothing",
            ],
        ],
        simulated: [],
    }

    OUTPUT_UNREAD = "whoever reads the log is gone, or stands still" {
        customer: "Nothing",
        owner: "Lines that nobody takes are lost",
        others: "Go on",
        shown_by: [
            "apps/cafe/tests/program/logs.rs" => [
                "services_go_on_when_whoever_read_their_output_is_gone",
                "services_go_on_when_whoever_reads_their_output_stands_still",
            ],
        ],
        simulated: [],
    }

    REQUEST_PANICS = "a bug panics in a request" {
        customer: "500 `internal` without a word of the cause; the connection stays",
        owner: "The cause is in the log",
        others: "Nothing",
        shown_by: ["libs/web/tests/web/limits.rs" => ["a_panic_is_a_500_problem_and_the_connection_lives_on"]],
        simulated: [],
    }

    WRITER_PANICS = "a bug panics in a service's writer" {
        customer: "What was answered was on disk; then as when the service is killed",
        owner: "The service ends, to be started again",
        others: "The same as when it is killed",
        shown_by: ["libs/delivery/tests/service.rs" => ["a_writer_that_panics_takes_its_service_down_so_that_it_is_started_again"]],
        simulated: [],
    }
}
