//! Events that are not as they should be.

rows! {
    event "Events between the services";

    POISON = "an event cannot be read, or a rule refuses it or panics" {
        customer: "This order stands still; all others go on",
        owner: "It is set aside with its reason: on `/parked` and in `cafe parked`, which tries it again (`stays on the list` if it fails again) or drops it. What came after it about the same order is held until then",
        others: "Go on",
        shown_by: [
            "apps/cafe/tests/program/parked.rs" => ["a_poisonous_event_is_listed_refused_again_and_dropped"],
            "libs/delivery/tests/turn.rs" => ["a_poisonous_event_holds_up_its_own_order_only_and_dropping_it_lets_the_order_go_on"],
            "libs/delivery/tests/service.rs" => [
                "an_event_that_makes_a_rule_panic_or_the_database_refuse_is_set_aside_alone",
                "a_set_aside_event_that_the_database_refuses_again_stays_on_the_list",
            ],
            "libs/delivery/tests/carriers/setting_aside.rs" => ["what_fails_is_set_aside_alone_and_its_order_waits_until_it_is_dropped"],
            "tests/system/tests/rungs/moved.rs" => ["what_is_set_aside_and_what_is_held_behind_it_goes_along"],
        ],
        simulated: ["sets an event aside"],
    }

    TOO_MUCH_ASIDE = "a hundred thousand events are set aside" {
        customer: "Requests are answered; nothing new is heard",
        owner: "`/health/ready` says why the service is silent; it hears on as soon as one is dropped",
        others: "Go on",
        shown_by: [
            "libs/delivery/tests/service.rs" => ["past_a_limit_of_what_is_set_aside_nothing_more_is_heard_and_it_says_so"],
            "libs/delivery/tests/carriers/setting_aside.rs" => ["past_a_limit_of_what_is_set_aside_nothing_more_is_heard_and_it_says_so"],
            "libs/web/src/common/tests.rs" => ["a_service_that_lags_is_ready_and_says_how_far_it_is_behind"],
        ],
        simulated: [],
    }

    HEARD_AGAIN = "an event comes again" {
        customer: "Nothing",
        owner: "Nothing",
        others: "It takes effect once",
        shown_by: [
            "libs/delivery/tests/turn.rs" => ["each_event_takes_effect_once_and_in_order"],
            "libs/delivery/tests/carriers/setting_aside.rs" => ["what_is_announced_again_is_set_aside_once_and_dropped_once"],
        ],
        simulated: ["hears again"],
    }

    HEARD_OUT_OF_ORDER = "events come out of order" {
        customer: "Nothing, or a step is shown late",
        owner: "`/health/ready` counts what is held",
        others: "What is early is held until its turn",
        shown_by: [
            "libs/delivery/tests/turn.rs" => ["each_event_takes_effect_once_and_in_order"],
            "libs/web/src/common/tests.rs" => ["a_service_that_lags_is_ready_and_says_how_far_it_is_behind"],
        ],
        simulated: ["hears out of order"],
    }

    HEARD_LATE = "events come late" {
        customer: "A step is shown late",
        owner: "`/health/ready` says how far each service is behind, and since when",
        others: "Take them in when they come",
        shown_by: ["libs/web/src/common/tests.rs" => ["a_service_that_lags_is_ready_and_says_how_far_it_is_behind"]],
        simulated: ["hears late"],
    }

    STRANGERS = "somebody else's program writes to a topic: text, tombstones, bytes, half an envelope" {
        customer: "Nothing",
        owner: "Each is set aside by its own name, and is on `/parked`",
        others: "Go on; the order that it names is not touched",
        shown_by: [
            "tests/system/tests/kafka_faults/strangers.rs" => ["a_listener_in_nestjs_reads_our_orders_and_what_one_writes_to_our_topic_stops_nobody"],
            "libs/delivery/tests/carriers/foreign.rs" => [
                "what_somebody_else_writes_is_set_aside_each_by_its_own_name_and_stops_nobody",
                "a_header_whose_name_is_no_text_is_set_aside_and_stops_nobody",
            ],
            "libs/delivery/tests/turn.rs" => [
                "what_is_not_ours_is_set_aside_before_anything_else_is_looked_at",
                "what_a_foreign_program_claims_to_be_does_no_harm_to_the_order_it_names",
            ],
        ],
        simulated: ["hears somebody else's program"],
    }

    CONTRADICTION = "a service says a version again, and says otherwise" {
        customer: "Nothing: what was said first counts",
        owner: "The second is set aside with the reason; the log says `a peer contradicts itself: see /parked`",
        others: "Go on, with that order too",
        shown_by: [
            "libs/delivery/tests/turn.rs" => [
                "the_same_said_again_at_another_time_is_done_already_and_something_else_is_a_contradiction",
                "what_is_said_otherwise_while_the_first_is_held_is_a_contradiction_too",
            ],
            "libs/delivery/tests/service.rs" => ["a_log_that_says_otherwise_than_before_is_set_aside_there_and_logged"],
        ],
        simulated: [],
    }

    GAP = "events are gone before they were heard" {
        customer: "Requests are answered; nothing new is heard from that service",
        owner: "`/health/ready` says that they are `no longer kept`",
        others: "The listener stops there and skips nothing",
        shown_by: [
            "libs/delivery/tests/service.rs" => ["a_gap_in_what_is_kept_stops_the_listener_and_is_never_skipped"],
            "libs/delivery/tests/carriers/hearing.rs" => ["a_gap_in_what_is_kept_stops_the_listener_and_is_never_skipped"],
            "libs/web/src/common/tests.rs" => ["a_service_that_lags_is_ready_and_says_how_far_it_is_behind"],
        ],
        simulated: [],
    }

    ROW_UNREADABLE = "a row of an order, or an event held for it, can no longer be read" {
        customer: "This order stands still; all others go on",
        owner: "An error in the log",
        others: "Go on",
        shown_by: [
            "libs/delivery/tests/service.rs" => [
                "an_order_whose_row_cannot_be_read_holds_up_nobody_else",
                "a_held_event_that_can_no_longer_be_read_holds_up_its_own_order_only",
            ],
        ],
        simulated: [],
    }

    REFUSED_IN_A_CROWD = "one of many requests that are committed together cannot be committed" {
        customer: "Its sender: 500 `internal`. The others: their answers",
        owner: "The log says `a turn failed; trying its halves`, and then why that one could not be committed",
        others: "Hear of the others' orders, without a gap",
        shown_by: [
            "libs/delivery/tests/service.rs" => ["a_request_that_cannot_be_committed_does_not_fail_its_neighbours"],
            "libs/web/src/common/tests.rs" => ["a_turn_that_does_not_answer_is_told_by_what_to_do"],
        ],
        simulated: [],
    }
}
