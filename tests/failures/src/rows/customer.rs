//! Customers, and whatever else calls.

rows! {
    customer "Customers and callers";

    SENDS_AGAIN = "a customer sends an order again" {
        customer: "The same answer with `Idempotent-Replayed: true`, also after a restart, after the order went on, and when its drinks have left the menu",
        owner: "One order",
        others: "Hear of it once",
        shown_by: [
            "apps/order/tests/http/idempotency.rs" => [
                "the_answer_is_the_same_after_a_restart_and_after_the_order_went_on",
                "an_order_that_was_taken_is_answered_also_when_its_drink_has_left_the_menu_or_comes_in_other_sizes",
            ],
        ],
        simulated: ["customer sends again"],
    }

    PAYS_WHILE_AWAY = "a customer pays on a phone while the order service does not answer, is killed, or the page is loaded again" {
        customer: "The page sends the same order until it is answered, and asks not to order again; one order, one charge",
        owner: "One order",
        others: "Hear of it once",
        shown_by: [
            "tests/browser/tests/shop/once.rs" => [
                "a_page_that_is_loaded_again_while_its_order_is_on_its_way_sends_the_same_order",
                "an_order_that_the_service_did_not_answer_before_it_was_killed_is_sent_until_it_is",
            ],
        ],
        simulated: [],
    }

    FOLLOWS_WHILE_AWAY = "a customer follows an order while services are killed" {
        customer: "The page says within seconds that its news may be old, and goes on by itself; with payment and barista away it stays as it was",
        owner: "Nothing",
        others: "Nothing",
        shown_by: [
            "tests/browser/tests/shop/once.rs" => ["an_orders_page_says_when_the_cafe_is_away_and_misses_nothing"],
        ],
        simulated: [],
    }

    PRICES_CHANGE = "the menu's prices change while a customer chooses" {
        customer: "409 `price-changed` and the new total; nothing is charged. An order that was taken before stays the same order",
        owner: "Nothing",
        others: "Nothing",
        shown_by: ["apps/order/tests/http/place.rs" => ["at_another_price_than_the_customer_was_told_nothing_is_taken"]],
        simulated: [],
    }

    SENDS_A_HUNDRED_TIMES = "a customer sends an order a hundred times at once" {
        customer: "201 with the same order each time",
        owner: "One order, and no number skipped",
        others: "Hear of it once",
        shown_by: [
            "apps/order/tests/http/idempotency.rs" => ["a_hundred_at_once_are_one_order"],
            "tests/system/tests/replicas/keys.rs" => ["a_hundred_requests_with_one_key_at_three_replicas_are_one_order"],
        ],
        simulated: ["customer sends a hundred times"],
    }

    CHANGES_THE_BODY = "a customer sends another order under the same key" {
        customer: "422 `idempotency-key-used`",
        owner: "Nothing",
        others: "Nothing",
        shown_by: ["apps/order/tests/http/idempotency.rs" => ["another_body_under_the_same_key_is_refused"]],
        simulated: ["customer changes the body"],
    }

    CANCELS = "a customer cancels, in time or not" {
        customer: "Until making starts: 202, then `cancelled`, with the money back. Afterwards 409 `cannot-cancel`; one that came too late on its way is shown as `refused`",
        owner: "`GET /payments/{order_id}` and the ticket show the end that it had",
        others: "One decides: payment until the approval, barista from then on",
        shown_by: [
            "apps/order/tests/http/cancel.rs" => [
                "a_cancel_is_noted_and_announced_once",
                "a_cancelled_order_is_cancelled_already",
                "of_an_order_that_was_paid_the_money_comes_back",
                "a_cancel_that_another_end_forestalled_is_refused",
                "it_is_too_late_once_making_has_started_or_the_order_has_ended",
            ],
            "apps/payment/tests/payment/cancel.rs" => [
                "before_anything_was_asked_it_is_cancelled_and_nothing_is_charged",
                "while_the_vendor_is_asked_it_waits_and_the_charge_is_given_back",
                "while_the_outcome_is_unknown_it_waits_for_the_truth",
                "an_attempt_that_was_lost_is_closed_first_and_then_it_is_cancelled",
                "after_the_approval_it_is_forwarded_and_the_barista_decides",
            ],
            "apps/barista/tests/barista/cancel.rs" => [
                "a_cancel_is_honoured_until_making_starts",
                "a_cancel_is_refused_once_making_has_started",
            ],
        ],
        simulated: ["customer cancels"],
    }

    TOO_MANY_REQUESTS = "more requests come at once than may wait" {
        customer: "503 `busy`, `Retry-After: 1`, at once; who is being served stays",
        owner: "`/health/live` still answers",
        others: "Nothing",
        shown_by: ["libs/web/tests/web/limits.rs" => ["past_the_requests_in_flight_the_answer_is_an_early_503_but_health_still_answers"]],
        simulated: [],
    }

    TOO_MUCH_WAITS = "more waits for a service's database than may (4,096)" {
        customer: "503 `busy`, `Retry-After: 1`, at once; what waits is done",
        owner: "Nothing",
        others: "Nothing",
        shown_by: [
            "libs/delivery/tests/service.rs" => ["past_what_may_wait_for_the_writer_a_request_is_refused_at_once_and_what_waits_is_done"],
            "libs/web/src/common/tests.rs" => ["a_turn_that_does_not_answer_is_told_by_what_to_do"],
        ],
        simulated: [],
    }

    TOO_MANY_WATCHERS = "more customers watch their orders than may (2,048)" {
        customer: "503 `too-many-watchers`, `Retry-After: 5`; the answer says that `GET /orders/{id}` shows the order meanwhile",
        owner: "`cafe_order_watchers` says how many there are",
        others: "Nothing",
        shown_by: [
            "apps/order/src/http/events.rs" => ["who_comes_when_too_many_watch_is_told_when_to_come_again_and_what_to_do_meanwhile"],
            "apps/order/src/hub.rs" => ["there_is_a_limit"],
            "apps/order/tests/http/events.rs" => ["how_many_watch_is_told"],
        ],
        simulated: [],
    }

    TOO_MANY_CONNECTIONS = "more connections are opened than may be" {
        customer: "503 `busy`, `Retry-After: 1`, and the connection is closed; who is in stays in",
        owner: "The log says `a connection was turned away: there are too many`",
        others: "Nothing",
        shown_by: ["libs/web/tests/web/limits.rs" => ["past_the_connections_the_answer_is_an_early_503"]],
        simulated: [],
    }

    NEVER_ENDS = "a request's head or body does not come to its end" {
        customer: "The head: cut off after 20 s. The body: 408 `body-too-slow` after 10 s, 400 `body-cut-short` if it ends early",
        owner: "Nothing",
        others: "Nothing",
        shown_by: [
            "libs/web/tests/web/limits.rs" => ["a_head_that_never_ends_is_cut_off"],
            "libs/web/tests/web/bodies.rs" => ["a_body_that_never_comes_is_given_up", "a_body_that_ends_early_is_refused"],
        ],
        simulated: [],
    }

    BODY_TOO_LONG = "a body is longer than 64 KiB, says so or has no end" {
        customer: "413 `body-too-long`, and the connection is closed",
        owner: "Nothing",
        others: "Nothing",
        shown_by: [
            "libs/web/tests/web/bodies.rs" => [
                "a_body_that_says_it_is_too_long_is_answered_before_it_is_sent",
                "whoever_sends_a_body_that_is_too_long_still_reads_the_answer",
                "a_body_without_an_end_is_answered_once_it_is_too_long",
            ],
        ],
        simulated: [],
    }
}
