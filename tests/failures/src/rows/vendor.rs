//! The payment vendor on a bad day.

rows! {
    vendor "The payment vendor";

    SLOW = "the vendor takes 5 s for every answer" {
        customer: "201 within a second; `paid` 5 s later",
        owner: "`GET /payments/{order_id}` says `asking`",
        others: "Go on; one slow payment holds up no other",
        shown_by: [
            "tests/system/tests/vendor.rs" => ["a_vendor_that_takes_five_seconds_for_every_answer"],
            "apps/payment/tests/payment/slow.rs" => ["a_slow_vendor_is_waited_for_and_holds_up_nobody"],
        ],
        simulated: [],
    }

    FAILS = "the vendor answers with errors" {
        customer: "201 within a second; `paid` once the vendor works",
        owner: "An attempt is closed by one look and a new one made, under a new key. When half of twenty calls fail nobody is asked for a while: payments stay `due`, and the log says `the vendor's breaker changed`",
        others: "Go on",
        shown_by: [
            "tests/system/tests/vendor.rs" => ["a_vendor_that_answers_everything_with_an_error"],
            "apps/payment/tests/payment/error.rs" => ["after_an_error_one_look_closes_the_attempt_and_a_new_one_is_approved"],
            "apps/payment/src/worker/breaker.rs" => ["it_opens_when_half_of_twenty_fail"],
            "apps/payment/tests/payment/breaker.rs" => ["orders_wait_while_the_vendor_fails_and_all_are_paid_when_it_works_again"],
        ],
        simulated: ["vendor fails"],
    }

    SILENT = "the vendor charges, and its answer never comes" {
        customer: "201 within a second; `paid` once the charge is found; charged once",
        owner: "`unknown`, and in the log `a charge is unknown; it is looked up until settled`: at growing intervals, and at once when the vendor tells of it",
        others: "Hear nothing before the charge is found",
        shown_by: [
            "tests/system/tests/vendor.rs" => ["a_vendor_that_charges_and_never_says_so"],
            "apps/payment/src/payment/cases.rs" => ["a_look_up_is_put_off_by_a_quarter_of_the_age_and_by_up_to_a_tenth_more"],
            "apps/payment/tests/payment/timeout.rs" => ["a_charge_without_an_answer_is_unknown_until_it_is_found"],
            "apps/payment/tests/payment/breaker.rs" => ["a_vendor_that_approves_in_silence_charges_nobody_twice"],
            "apps/payment/tests/payment/webhook.rs" => ["news_of_an_unknown_attempt_has_it_looked_up_at_once"],
        ],
        simulated: ["vendor's answer is lost"],
    }

    LATE = "a charge lands after the vendor has said for 30 s that there is none" {
        customer: "In time: `paid`, charged once. After the time to pay: `expired`, and the money is given back",
        owner: "`unknown` meanwhile: that the vendor knows of no charge does not count yet, and nobody is asked again",
        others: "Hear of an approval in time, or of `payment.expired` and then `payment.refunded`",
        shown_by: [
            "tests/system/tests/vendor.rs" => ["a_vendor_that_does_not_know_its_own_charges_for_half_a_minute"],
            "apps/payment/tests/payment/late.rs" => [
                "a_charge_that_lands_in_time_is_approved",
                "a_charge_that_lands_after_pay_by_is_given_back",
            ],
        ],
        simulated: ["vendor is late"],
    }

    NOT_REACHED = "a request to the vendor is lost on the way" {
        customer: "Asked again once the first request can no longer arrive, if there is time; otherwise `expired`, not charged",
        owner: "The attempt is `not_charged` after 35 s at the earliest",
        others: "Hear nothing before that is certain",
        shown_by: [
            "apps/payment/tests/payment/never.rs" => [
                "a_request_that_was_lost_expires_the_order_but_not_before_it_can_no_longer_arrive",
                "with_time_left_it_is_tried_again_once_the_first_attempt_is_closed",
            ],
        ],
        simulated: ["vendor is not reached"],
    }

    DECLINES = "the vendor declines, or cannot be asked with this token at all" {
        customer: "`declined`, not charged",
        owner: "`declined` with the reason: `card_declined`, `invalid_token`, `unknown_vendor`",
        others: "Barista hears of no order to make",
        shown_by: [
            "apps/payment/tests/payment/declined.rs" => ["a_declined_card_is_declined", "what_cannot_be_paid_at_all_says_why"],
        ],
        simulated: ["vendor refuses"],
    }

    ANSWERS_TWICE = "the vendor tells of a charge again, unasked" {
        customer: "Nothing",
        owner: "Nothing: it is looked up, and is known",
        others: "Nothing",
        shown_by: [],
        simulated: ["vendor answers twice"],
    }

    OTHER_CHARGE = "the vendor shows a charge of another amount, order or currency" {
        customer: "Stays `placed`: that is no approval",
        owner: "The payment stays `unknown` and open; the log says `the vendor claims a charge that was not asked for; a person must look at it`",
        others: "Hear nothing",
        shown_by: [
            "apps/payment/src/payment/cases.rs" => ["a_charge_that_is_not_the_one_asked_for_is_never_approved_and_never_forgotten"],
            "apps/payment/src/domain/cases.rs" => ["what_was_not_asked_for_rouses_a_person_once"],
        ],
        simulated: [],
    }

    MIXED = "some payments go well, others are slow, fail, time out or are late" {
        customer: "201 within a second, and `paid` in the end",
        owner: "Nothing is left to see to",
        others: "Go on",
        shown_by: ["tests/system/tests/vendor.rs" => ["payments_that_go_wrong_one_by_one_hold_up_no_others"]],
        simulated: [],
    }

    HEARD_LATE = "payment hears of an order when its time to pay is over, or nearly" {
        customer: "`expired`, not charged: in the last 15 s no vendor is asked",
        owner: "`due` until it expires, without an attempt",
        others: "Hear `payment.expired`, once",
        shown_by: [
            "apps/payment/tests/payment/expired.rs" => [
                "an_order_heard_after_its_pay_by_expires_and_nobody_is_asked",
                "an_order_heard_just_before_its_pay_by_is_not_asked_late_and_expires",
            ],
        ],
        simulated: [],
    }

    FALSE_NEWS = "a stranger claims to be the vendor" {
        customer: "Nothing",
        owner: "Nothing: `POST /webhooks/{vendor}` answers 202, and nothing of it is believed",
        others: "Nothing",
        shown_by: ["apps/payment/tests/payment/webhook.rs" => ["nothing_is_believed"]],
        simulated: [],
    }

    REFUND_UNANSWERED = "the vendor does not answer, or fails, while money goes back" {
        customer: "The money comes back once",
        owner: "The refund is `unknown` and looked up until settled; a crowd of them waits in the database",
        others: "Hear `payment.refunded` when it is certain",
        shown_by: [
            "apps/payment/tests/payment/refund.rs" => [
                "a_refund_without_an_answer_is_looked_up_and_made_once",
                "a_crowd_of_refunds_waits_in_the_database_while_the_vendor_is_silent",
                "a_vendor_that_fails_while_money_goes_back_is_tried_again",
            ],
        ],
        simulated: [],
    }

    REFUND_REFUSED = "the vendor refuses to give money back" {
        customer: "No money until a person has seen to it",
        owner: "The refund is `failed` with the vendor's reason, the payment stays open, the log says `a person must see to it`; `POST /payments/{order_id}/refund` tries again",
        others: "Hear `payment.refund_failed`, and `payment.refunded` after the next try",
        shown_by: ["apps/payment/tests/payment/refund.rs" => ["what_the_vendor_refuses_to_give_back_waits_for_a_person_who_tries_again"]],
        simulated: [],
    }
}
